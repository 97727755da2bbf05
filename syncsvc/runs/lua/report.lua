-- Makes atomic: a worker's sign of life never undoes a status that it said meanwhile.
-- KEYS: roster. ARGV: worker, now (ms), life (ms), status ('' keeps it), adopt ('1' or '0').
-- Gives 1 noted, 0 no such worker, -1 no roster.
local roster, field = KEYS[1], 'w:' .. ARGV[1]
local known = redis.call('HGET', roster, field)
if not known then
  if ARGV[5] == '1' then
    redis.call('HSET', roster, 'adopts', '1')
  elseif redis.call('EXISTS', roster) == 0 then
    return -1
  elseif not redis.call('HGET', roster, 'adopts') then
    return 0
  end
end

local status, beats = ARGV[4], '0'
if known then
  beats = known:match('|(%d)|')
  if status == '' then status = known:match('^[%a_]+') end
end
if ARGV[4] == '' then beats = '1' end
if status == '' then status = 'registered' end
redis.call('HSET', roster, field, status .. '|' .. beats .. '|' .. ARGV[2])
redis.call('PEXPIRE', roster, ARGV[3])
return 1
