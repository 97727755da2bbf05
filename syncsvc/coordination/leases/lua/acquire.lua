-- Makes atomic: no more permits are held than there are, whoever waited longest is first, and a
-- worker that asks again keeps its lease, or its place.
-- KEYS: the four of the lease. ARGV: four of permits.lua, worker, weight, limit, ttl (ms), ticket
-- of this call, queue ('1': wait for it), alive (ms that a place is kept unless it asks again).
-- Gives a view: 'done', 'limit' or 'weight' (it differs from what is known), held or not.
local worker, weight, limit, ttl = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local ticket, queues, alive = ARGV[9], ARGV[10] == '1', tonumber(ARGV[11])

settle(worker)
if number('used') == 0 and redis.call('ZCARD', queue) == 0 then
  redis.call('HSET', terms, 'limit', whole(limit))
elseif number('limit') ~= limit then
  return view('limit', worker)
end

local mine, place = holding(worker), waiting(worker)
if (mine or place or {weight = weight}).weight ~= weight then return view('weight', worker) end

if mine then
  local ends = tonumber(redis.call('ZSCORE', holders, worker))
  extend(worker, math.max(ttl, ends - now))
  if mine.ticket ~= ticket then  -- two calls know of it: neither may take it back alone
    redis.call('HSET', terms, 'h:' .. worker, whole(weight) .. '|' .. mine.token .. '|')
  end
  return view('done', worker)
end

if not place and redis.call('ZCARD', queue) == 0 and weight <= permits_left() then
  grant(worker, weight, ttl, ticket)
elseif queues then
  local record = {whole(weight), whole(ttl), whole(now + alive), ticket}
  redis.call('HSET', terms, 'w:' .. worker, table.concat(record, '|'))
  if not place then
    redis.call('ZADD', queue, redis.call('HINCRBY', terms, 'place', 1), worker)
  end
end
return view('done', worker)
