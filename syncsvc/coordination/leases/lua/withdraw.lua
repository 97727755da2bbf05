-- Makes atomic: a call that gives up leaves the queue and gives back what no other call knows of;
-- one that only ends claims what it was offered meanwhile.
-- KEYS: the four of the lease. ARGV: four of permits.lua, worker, ticket of the call,
-- release ('1': give back what was granted to it).
-- Gives a view.
local worker, ticket, gives_up = ARGV[5], ARGV[6], ARGV[7] == '1'

local place, mine = waiting(worker), holding(worker)
if place and place.ticket == ticket then leave(worker) end
if gives_up and mine and knows(mine.calls, ticket) then forget(worker, ticket) end
settle('')
if not gives_up and holding(worker) then claim(worker, ticket) end
return view('done', worker)
