-- Makes atomic: a worker that is there already keeps its moment, and coming twice is one change.
-- KEYS: presence's. ARGV: presence's, worker, lasts (ms), about. Gives the version.
local worker, lasts, says = ARGV[5], ARGV[6], ARGV[7]
miss()

local known = redis.call('HGET', about, worker)
local since = known and known:match('^%d+') or whole(now)
redis.call('HSET', about, worker, since .. '|' .. lasts .. '|' .. says)
renew(worker, tonumber(lasts))
if not known or known:match('^%d+|%d+|(.*)$') ~= says then changed() end
keep_all(tonumber(lasts))
return version_now()
