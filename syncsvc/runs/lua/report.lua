-- Makes atomic: a worker's sign of life never undoes a status that it said meanwhile, and is one
-- for its mastership, which ends when it has completed.
-- KEYS and ARGV: those of master.lua, status ('' keeps it), adopt ('1' or '0').
-- Gives 1 noted, 0 no such worker, -1 no roster.
local said, known = ARGV[11], redis.call('HGET', roster, 'w:' .. worker)
if not known then
  if ARGV[12] == '1' then
    redis.call('HSET', roster, 'adopts', '1')
  elseif redis.call('EXISTS', roster) == 0 then
    return -1
  elseif not redis.call('HGET', roster, 'adopts') then
    return 0
  end
end

local status, beats = 'registered', '0'
if known then status, beats = known:match('^([%a_]+)|(%d)|') end
if said == '' then beats = '1' else status = said end
note(status, beats)

if master() == worker then
  settle(worker)
  if said == 'completed' then
    if holding(worker) then drop(worker) end
    settle('')
  elseif master() == worker then
    lead(worker, silence(worker))
  end
  finish()
end
return 1
