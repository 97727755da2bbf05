-- Makes atomic: an entry that has ended is seen as gone by everybody, at one version.
-- KEYS: board's. ARGV: board's, name, version that the caller knows (0: none).
-- Gives version, value ('' none), worker, ms until it ends by itself (-1: it does not).
local name = ARGV[6]

local at = due_of(name)
if not at then
  local version = redis.call('HGET', entry_of(name), 'version')
  if version then
    redis.call('PEXPIRE', entry_of(name), life)
  else
    version = ARGV[7] == '0' and '0' or bury(name)
  end
  return {version, '', '', -1}
end

local found = redis.call('HMGET', entry_of(name), 'version', 'value', 'worker', 'lasts')
if found[4] == '' then
  last(name, life)
  return {found[1], found[2], found[3], -1}
end
return {found[1], found[2], found[3], math.max(at - now, 1)}
