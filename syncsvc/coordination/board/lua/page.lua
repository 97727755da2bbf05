-- Makes atomic: a page of names and versions belongs to one moment.
-- KEYS: board's. ARGV: board's, first name (as ZRANGEBYLEX takes it), prefix, limit.
-- Gives name, version and worker of each entry, one after the other.
bury_due(-1)
local to = ARGV[7] == '' and '+' or '(' .. ARGV[7] .. '\255'

local page = {}
for _, name in ipairs(redis.call('ZRANGEBYLEX', index, ARGV[6], to, 'LIMIT', 0, ARGV[8])) do
  local found = redis.call('HMGET', entry_of(name), 'version', 'worker')
  if found[1] and found[2] then
    for _, part in ipairs({name, found[1], found[2]}) do page[#page + 1] = part end
  else
    bury(name)
  end
end
return page
