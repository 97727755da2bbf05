-- Makes atomic: only a roster that exists says that a result is held, so a lost one stays lost.
-- KEYS: roster. ARGV: held ('1' or '0').
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[1] == '1' then
  redis.call('HSET', KEYS[1], 'held', '1')
else
  redis.call('HDEL', KEYS[1], 'held')
end
return 1
