-- A plain read; a script only so that it travels in the same group as the others.
-- KEYS: roster.
return redis.call('HGETALL', KEYS[1])
