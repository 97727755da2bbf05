-- Makes atomic: a server that kept nothing gets one new name, and everybody is told the same.
-- KEYS: incarnation. ARGV: a name to take if there is none.
if redis.call('SET', KEYS[1], ARGV[1], 'NX') then return ARGV[1] end
return redis.call('GET', KEYS[1])
