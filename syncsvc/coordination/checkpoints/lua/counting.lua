-- Counts workers of a generation, each once; who came before keeps the moment of it.
-- `call_of(i)` is the batch that an arrival is known by; with `keep` a known one stays as it is.
local function count(c, workers, from, to, call_of, keep, term)
  local known = c.arrived > 0 and redis.call('HMGET', ARRIVALS, unpack(workers, from, to)) or {}
  local fields, alive, since = {}, {}, '|' .. whole(now)
  for i = from, to do
    local old, call = known[i - from + 1], call_of(i)
    if not old then
      fields[#fields + 1], fields[#fields + 2] = workers[i], call .. since
    elseif not keep then
      fields[#fields + 1], fields[#fields + 2] = workers[i], call .. old:match('|%d+$')
    end
    if c.policy ~= 'ignore' and (not old or not keep or old:match('^(.*)|') == call) then
      alive[#alive + 1], alive[#alive + 2] = whole(now + term), workers[i]
    end
  end
  if #fields > 0 then
    c.arrived = c.arrived + redis.call('HSET', ARRIVALS, unpack(fields))
  end
  if #alive > 0 then redis.call('ZADD', ALIVE, unpack(alive)) end
end
