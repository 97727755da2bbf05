-- Makes atomic: of several heirs of one master only the first becomes master.
-- KEYS: roster. ARGV: worker, the master that gives way.
if redis.call('HGET', KEYS[1], 'master') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'master', ARGV[1])
return 1
