-- Makes atomic: only a lease that has not ended can be made longer.
-- KEYS: the four of the lease. ARGV: four of permits.lua, worker, token, ttl (ms).
-- Gives a view: 'done', or 'lost'.
local worker, token = ARGV[5], ARGV[6]

settle('')
local mine = holding(worker)
if not mine or mine.token ~= token then return view('lost', worker) end
extend(worker, tonumber(ARGV[7]))
return view('done', worker)
