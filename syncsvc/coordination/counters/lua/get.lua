-- Makes atomic: a number that somebody looks at lives on.
-- KEYS: number. ARGV: life (ms). Gives the number.
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1]) or '0'
