-- Makes atomic: no more permits are held than there are, whoever waited longest is first, and a
-- worker that asks again keeps its lease, its place, or claims what it was offered.
-- KEYS: the four of the lease. ARGV: four of permits.lua, worker, weight, limit, ttl (ms), ticket
-- of this call, its gateway, queue ('1': wait for it).
-- Gives a view: 'done', 'limit' or 'weight' (it differs from what is known), held or not.
local worker, limit, queues = ARGV[5], tonumber(ARGV[7]), ARGV[11] == '1'
local wish = {
  weight = tonumber(ARGV[6]), ttl = tonumber(ARGV[8]), ticket = ARGV[9], gateway = ARGV[10],
}

settle(worker)
if number('used') == 0 and redis.call('ZCARD', queue) == 0 then
  redis.call('HSET', terms, 'limit', whole(limit))
elseif number('limit') ~= limit then
  return view('limit', worker)
end

local place = waiting(worker)
if (holding(worker) or place or wish).weight ~= wish.weight then return view('weight', worker) end

if redis.call('ZCARD', queue) == 0 and not holding(worker) and wish.weight <= permits_left() then
  offer(worker, wish)
end
if holding(worker) then
  claim(worker, wish.ticket)
  extend(worker, math.max(wish.ttl, redis.call('ZSCORE', holders, worker) - now))
elseif queues then
  note_waiting(worker, wish)
  if not place then
    redis.call('ZADD', queue, redis.call('HINCRBY', terms, 'place', 1), worker)
  end
end
return view('done', worker)
