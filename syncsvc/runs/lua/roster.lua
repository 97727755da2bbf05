-- Makes atomic: the workers and their master are of one moment.
-- KEYS: roster, terms of the master's lease.
-- Gives the roster, the master's name and its token ('': there is none).
local owner, token = unpack(redis.call('HMGET', KEYS[2], 'owner', 'token'))
return {redis.call('HGETALL', KEYS[1]), owner or '', token or ''}
