-- Makes atomic: who is alive stays, and of who is not the others are told, all at once.
-- ARGV 5 to 10: generation, alive for (ms), named beside the dead if not alive longer than (ms),
-- untended after (ms), workers, their batches (JSON; '' when their lives need not be noted).
-- Gives how the generation stands, or '' when it is not known.
local generation, term, within = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local untended_after = tonumber(ARGV[8])

local function live(workers)
  for i = 1, #workers, CHUNK do
    local scores = {}
    for j = i, math.min(i + CHUNK - 1, #workers) do
      scores[#scores + 1], scores[#scores + 2] = whole(now + term), workers[j]
    end
    redis.call('ZADD', ALIVE, unpack(scores))
  end
end

-- Who is not alive longer than so many ms.
local function dying(ms)
  return redis.call('ZRANGEBYSCORE', ALIVE, '-inf', whole(now + ms))
end

local c = load()
if not c or c.generation < generation then return '' end
if c.generation > generation or c.state ~= 'open' then return past(c, generation) end
extend(c)
if c.policy == 'ignore' then return record(c) end

-- While nobody could tend, nobody could give a sign of life either: every life begins anew.
local tended = tonumber(redis.call('HGET', STATE, 'tended') or 0)
if now - tended > untended_after then live(redis.call('ZRANGE', ALIVE, 0, -1)) end
note_tended(c)
if ARGV[9] ~= '' then live((mine(cjson.decode(ARGV[9]), cjson.decode(ARGV[10])))) end
local dead = dying(0)
if #dead > 0 then lose(c, c.policy == 'fail' and dying(within) or dead, 'gone') end
return record(c)
