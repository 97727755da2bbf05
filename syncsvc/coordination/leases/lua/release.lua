-- Makes atomic: what is given back goes to the next in the queue, or to the one that is named.
-- KEYS: the four of the lease. ARGV: four of permits.lua, worker, token, heir ('': the next).
-- Gives a view: 'done' (also when it was given back before), 'lost', or 'absent' (the heir does
-- not wait, and nothing was given back).
local worker, token, heir = ARGV[5], ARGV[6], ARGV[7]

settle('')
local mine = holding(worker)
if not mine or mine.token ~= token then
  local known = redis.call('ZSCORE', released, token .. '|' .. worker)
  return view(known and 'done' or 'lost', worker)
end

if heir ~= '' then
  local wish = waiting(heir)
  if not wish or not wish.is_alive then return view('absent', worker) end
  local first = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', queue, first - 1, heir)
end
give_back(worker, token)
settle('')
return view('done', worker)
