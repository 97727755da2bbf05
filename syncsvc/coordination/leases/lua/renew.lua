-- Makes atomic: only a lease that has not ended can be made longer; what was only offered is
-- claimed by it. The first in line is told of an earlier end than it watches for.
-- KEYS: the four of the lease. ARGV: four of permits.lua, worker, token, ttl (ms).
-- Gives a view: 'done', or 'lost'.
local worker, token = ARGV[5], ARGV[6]

settle('')
local mine = holding(worker)
if not mine or mine.token ~= token then return view('lost', worker) end
claim(worker, '')
local known, ends = redis.call('ZSCORE', holders, worker), now + ARGV[7]
extend(worker, tonumber(ARGV[7]))
if ends < tonumber(known) and first() then tell(subject .. '\n' .. first(), '') end
return view('done', worker)
