-- Defines for the scripts after it: permits are held until an instant, waited for in one fair
-- queue, and offered to the next in the moment they are free. An offer lapses soon unless it is
-- claimed. (Needs clock.lua before it.)
-- KEYS, the last four: terms, holders (by end), queue (by place), released (by moment).
-- ARGV, the first four: channel, subject of the lease, life (ms), clock shift (ms).
-- terms: token, owner (of that token), place (the last one given), used, limit,
--   h:<worker> of a holder 'weight|token|ttl|gateway' and a line for each call that knows of it
--   (ttl: 0 once it is claimed), w:<worker> of a waiter 'weight|ttl|seen|gateway', line of its call.
local terms, holders, queue, released = KEYS[#KEYS - 3], KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS]
local channel, subject, life, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), milliseconds(ARGV[4])
local SHOWN, REMEMBERED, REMEMBERED_MS = 100, 10000, 600000
local OFFER, ALIVE, CALLS = 750, 6000, 16  -- as model.py says them

local function number(field)
  return tonumber(redis.call('HGET', terms, field) or '0')
end

local function holding(worker)
  local record = redis.call('HGET', terms, 'h:' .. worker)
  if not record then return nil end
  local weight, token, ttl, gateway, calls = record:match('^(%d+)|(%d+)|(%d+)|([^\n]*)\n(.*)$')
  return {
    weight = tonumber(weight), token = token, ttl = tonumber(ttl), gateway = gateway,
    calls = calls, is_offer = ttl ~= '0',
  }
end

local function note_held(worker, held)
  local record = {whole(held.weight), held.token, whole(held.ttl), held.gateway .. '\n' .. held.calls}
  redis.call('HSET', terms, 'h:' .. worker, table.concat(record, '|'))
end

local function waiting(worker)
  local record = redis.call('HGET', terms, 'w:' .. worker)
  if not record then return nil end
  local weight, ttl, seen, gateway, ticket = record:match('^(%d+)|(%d+)|(%d+)|([^\n]*)\n(.*)$')
  return {
    weight = tonumber(weight), ttl = tonumber(ttl), seen = tonumber(seen), gateway = gateway,
    ticket = ticket, is_alive = seen + ALIVE > now,
  }
end

local function note_waiting(worker, wish)
  local record = {whole(wish.weight), whole(wish.ttl), whole(now), wish.gateway .. '\n' .. wish.ticket}
  redis.call('HSET', terms, 'w:' .. worker, table.concat(record, '|'))
end

local function stands(worker)
  return tonumber(redis.call('ZSCORE', holders, worker) or '0') > now
end

local function permits_left()
  local limit, used = unpack(redis.call('HMGET', terms, 'limit', 'used'))
  return tonumber(limit or '0') - tonumber(used or '0')
end

-- The token of the one who leads, as those who observe were last told; '' for nobody. Nobody
-- observes what is no leader.
local observed, before = subject:match('^lease\n[^\n]*\nleader\n'), nil

local function led()
  local owner = observed and redis.call('HGET', terms, 'owner')
  local own = owner and holding(owner)
  return own and own.token or ''
end

local function first()
  return redis.call('ZRANGE', queue, 0, 0)[1]
end

local first_before = first()

local function tell(about, body)
  redis.call('PUBLISH', channel, about .. '\0' .. body)
end

local function drop(worker)
  redis.call('HINCRBY', terms, 'used', -holding(worker).weight)
  redis.call('HDEL', terms, 'h:' .. worker)
  redis.call('ZREM', holders, worker)
end

local function leave(worker)
  redis.call('HDEL', terms, 'w:' .. worker)
  redis.call('ZREM', queue, worker)
end

local function extend(worker, ttl)
  redis.call('ZADD', holders, whole(now + ttl), worker)
end

local function lasting(offered)
  return math.min(OFFER, offered.ttl)
end

-- Offers permits: they are the worker's, by a token of their own, until the offer lapses.
local function offer(worker, wish)
  local time = server[1] * 1000000 + server[2] + tonumber(ARGV[4]) * 1000
  local token = whole(math.max(number('token') + 1, time))
  redis.call('HSET', terms, 'token', token, 'owner', worker)
  redis.call('HINCRBY', terms, 'used', whole(wish.weight))
  note_held(worker, {
    weight = wish.weight, token = token, ttl = wish.ttl, gateway = wish.gateway,
    calls = wish.ticket .. '\n',
  })
  extend(worker, lasting(wish))
end

local function knows(calls, ticket)
  return ('\n' .. calls):find('\n' .. ticket .. '\n', 1, true) ~= nil
end

-- Notes that a call knows what its worker holds. Of an offer it is the only one, and the lease
-- lasts from now on; '' is one that never gives up, as is each call beyond `CALLS`.
local function claim(worker, ticket)
  local held = holding(worker)
  if held.is_offer then
    extend(worker, held.ttl)
    held.ttl, held.calls = 0, ''
  end
  local _, count = held.calls:gsub('\n', '')
  if count >= CALLS and not knows(held.calls, ticket) then ticket = '' end
  if not knows(held.calls, ticket) then held.calls = held.calls .. ticket .. '\n' end
  note_held(worker, held)
end

-- Drops what has ended, but not the offer to the one that asks: it is about to claim it. Gives the
-- gateways that let offers lapse, and since when.
local function drop_ended(asking)
  local silent = {}
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', whole(now))) do
    local held = holding(worker)
    if held.is_offer and worker == asking then
      extend(worker, lasting(held))
    else
      if held.is_offer and held.gateway ~= '' then
        local since = redis.call('ZSCORE', holders, worker) - lasting(held)
        silent[held.gateway] = math.max(silent[held.gateway] or 0, since)
      end
      drop(worker)
    end
  end
  return silent
end

-- Drops the places of gateways of which nobody has looked since they were offered something.
local function drop_places(silent, asking)
  if not next(silent) then return end
  local quiet = {}
  for _, worker in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
    local place = waiting(worker)
    local since = silent[place.gateway]
    if since and (place.seen > since or worker == asking) then silent[place.gateway] = nil end
    quiet[#quiet + 1] = {worker, place.gateway}
  end
  for _, place in ipairs(quiet) do
    if silent[place[2]] then leave(place[1]) end
  end
end

-- Drops what has ended, then offers to the head of the queue as long as it fits: nobody jumps
-- over it. `asking` need not be told, it gets its answer.
local function settle(asking)
  before = before or led()
  drop_places(drop_ended(asking), asking)
  while true do
    local worker = first()
    if not worker then return end
    local wish = waiting(worker)
    if wish.is_alive and wish.weight > permits_left() then return end
    leave(worker)
    if wish.is_alive then
      offer(worker, wish)
      if worker ~= asking then tell(subject .. '\n' .. worker, holding(worker).token) end
    end
  end
end

-- Remembers what was given back, so that giving it back again is no conflict.
local function give_back(worker, token)
  before = before or led()
  drop(worker)
  redis.call('ZADD', released, whole(now), token .. '|' .. worker)
  redis.call('ZREMRANGEBYSCORE', released, '-inf', whole(now - REMEMBERED_MS))
  redis.call('ZREMRANGEBYRANK', released, 0, -REMEMBERED - 1)
end

-- Takes the worker's permits back once the last call that knows of them has given up.
local function forget(worker, ticket)
  local held = holding(worker)
  local start, stop = ('\n' .. held.calls):find('\n' .. ticket .. '\n', 1, true)
  held.calls = held.calls:sub(1, start - 1) .. held.calls:sub(stop)
  if held.calls == '' then give_back(worker, held.token) else note_held(worker, held) end
end

-- Lets one that leads go on, or lead from now on: nobody else holds the only permit.
local function lead(worker, ttl)
  redis.call('HSET', terms, 'limit', '1')
  leave(worker)
  if not holding(worker) then offer(worker, {weight = 1, ttl = ttl, gateway = '', ticket = ''}) end
  claim(worker, '')
  extend(worker, ttl)
end

-- Keeps every key longer than any lease in it, and tells those who observe a leader. Whoever is
-- first in the queue from now on is told as well: it watches for the end of what is held.
local function finish(asking)
  local last = redis.call('ZRANGE', holders, -1, -1, 'WITHSCORES')[2]
  local kept = math.max(life, (last or now) - now + 60000, redis.call('PTTL', terms))
  for _, key in ipairs({terms, holders, queue, released}) do
    redis.call('PEXPIRE', key, whole(kept))
  end
  local first_after = first()
  if first_after and first_after ~= first_before and first_after ~= asking then
    tell(subject .. '\n' .. first_after, '')
  end
  local after = before and led()
  if after ~= before then tell(subject, after) end
end

-- What a script gives: its outcome, now, limit, used, waiters; of the worker that asks its place in
-- the queue (0: none), the permits it holds or waits for, its record and the end of its lease ('':
-- none); then name, record and end of each holder.
local function view(outcome, worker)
  finish(worker)
  local ends = redis.call('ZSCORE', holders, worker)
  local limit, used = unpack(redis.call('HMGET', terms, 'limit', 'used'))
  local place, own = redis.call('ZRANK', queue, worker), holding(worker) or waiting(worker)
  local answer = {
    outcome, whole(now), limit or '0', used or '0',
    whole(redis.call('ZCARD', queue)), place and whole(place + 1) or '0',
    own and whole(own.weight) or '0',
    redis.call('HGET', terms, 'h:' .. worker) or '', ends or '',
  }
  local shown = redis.call('ZRANGE', holders, 0, SHOWN - 1, 'WITHSCORES')
  for i = 1, #shown, 2 do
    answer[#answer + 1] = shown[i]
    answer[#answer + 1] = redis.call('HGET', terms, 'h:' .. shown[i])
    answer[#answer + 1] = shown[i + 1]
  end
  return answer
end
