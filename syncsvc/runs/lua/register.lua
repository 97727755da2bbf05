-- Makes atomic: a run has one master at a time, and asking twice gives the same answer.
-- KEYS: roster. ARGV: worker, now (ms), life (ms), auto ('1' or '0'), stale before (ms).
-- Gives '1' master, '0' not, or '0' and the master that gives way.
local roster, worker, now = KEYS[1], ARGV[1], ARGV[2]

local function gives_way(master)
  local state = redis.call('HGET', roster, 'w:' .. master)
  if not state then return true end
  local status, seen = state:match('^(%a[%a_]*)|%d|(%d+)$')
  if status == 'completed' or tonumber(seen) < tonumber(ARGV[5]) then return true end
  return ARGV[4] == '1' and status == 'registered'
end

local master = redis.call('HGET', roster, 'master')
local answer = {'0'}
if not master or master == worker then
  redis.call('HSET', roster, 'master', worker)
  answer = {'1'}
elseif gives_way(master) then
  answer = {'0', master}
end

local known = redis.call('HGET', roster, 'w:' .. worker)
local beats = known and known:match('|(%d)|') or '0'
redis.call('HSET', roster, 'w:' .. worker, 'registered|' .. beats .. '|' .. now)
redis.call('PEXPIRE', roster, ARGV[3])
return answer
