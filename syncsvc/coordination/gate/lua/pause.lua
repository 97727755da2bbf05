-- Makes atomic: of the pauses that were asked for, the one that ends last counts.
-- KEYS: gate's. ARGV: gate's, length (ms).
local length = tonumber(ARGV[3])
if length > paused_for() then
  redis.call('HSET', state, 'paused', whole(now + length))
  keep(state, length)
  keep_all()
end
return 1
