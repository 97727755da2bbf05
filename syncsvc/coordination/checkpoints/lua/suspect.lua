-- Makes atomic: a worker that came back meanwhile, by another batch, is not suspected.
-- ARGV 5 to 8: generation, alive for (ms), workers, their batches (JSON).
local c = load()
if not c or c.generation ~= tonumber(ARGV[5]) or c.state ~= 'open' or c.policy == 'ignore' then
  return 0
end
local suspects = mine(cjson.decode(ARGV[7]), cjson.decode(ARGV[8]))
local until_then = whole(now + tonumber(ARGV[6]))
for i = 1, #suspects do redis.call('ZADD', ALIVE, until_then, suspects[i]) end
return #suspects
