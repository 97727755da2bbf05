-- Makes atomic: a list and its version belong together, and whoever is missed is missed for all.
-- KEYS: presence's. ARGV: presence's.
-- Gives the version, ms until the first is missed (-1: nobody), then worker and what is known.
miss()
keep_all(0)
local first = redis.call('ZRANGE', alive, 0, 0, 'WITHSCORES')
local list = {version_now(), first[2] and math.max(first[2] - now, 1) or -1}
for _, part in ipairs(redis.call('HGETALL', about)) do list[#list + 1] = part end
return list
