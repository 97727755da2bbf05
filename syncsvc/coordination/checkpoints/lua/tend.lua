-- Makes atomic: who is alive stays, and of who is not the others are told, all at once.
-- ARGV 5 to 9: generation, alive for (ms), named beside the dead if not alive longer than (ms),
-- workers, their batches (JSON; '' when their lives need not be noted).
-- Gives how the generation stands, or '' when it is not known.
local generation, term, within = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local c = load()
if not c or c.generation < generation then return '' end
if c.generation > generation or c.state ~= 'open' then return past(c, generation) end
extend(c)
if c.policy == 'ignore' then return record(c) end

if ARGV[8] ~= '' then
  local living = mine(cjson.decode(ARGV[8]), cjson.decode(ARGV[9]))
  for i = 1, #living, CHUNK do
    local scores = {}
    for j = i, math.min(i + CHUNK - 1, #living) do
      scores[#scores + 1], scores[#scores + 2] = whole(now + term), living[j]
    end
    redis.call('ZADD', ALIVE, unpack(scores))
  end
end
local dead = redis.call('ZRANGEBYSCORE', ALIVE, '-inf', whole(now))
if #dead > 0 then lose(c, dead, 'gone', within) end
return record(c)
