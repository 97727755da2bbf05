-- Makes atomic: each entry gets the next offset, and a request that comes again adds nothing.
-- KEYS: entries, last, done. ARGV: shift (ms), life (ms), payload, most entries,
-- life of the answer (ms), channel, subject. Gives the offset.
local before = answered(KEYS[3])
if before then return before end

local offset = whole(last_offset() + 1)
redis.call('XADD', entries, 'MAXLEN', '=', ARGV[4], offset .. '-0',
  'at', whole(milliseconds(ARGV[1])), 'payload', ARGV[3])
redis.call('SET', last, offset, 'PX', ARGV[2])
redis.call('PEXPIRE', entries, ARGV[2])
redis.call('PUBLISH', ARGV[6], ARGV[7] .. '\0' .. offset)
return answer_once(KEYS[3], offset, ARGV[5])
