-- Makes atomic: a call that gives up leaves the queue, and nothing that was granted to it
-- meanwhile is forgotten.
-- KEYS: the four of the lease. ARGV: four of permits.lua, worker, ticket of the call,
-- release ('1': give back what was granted to it).
-- Gives a view.
local worker, ticket = ARGV[5], ARGV[6]

local place, mine = waiting(worker), holding(worker)
if place and place.ticket == ticket then leave(worker) end
if mine and mine.ticket == ticket and ARGV[7] == '1' then give_back(worker, mine.token) end
settle(worker)
return view('done', worker)
