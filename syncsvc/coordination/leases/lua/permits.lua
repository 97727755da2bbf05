-- Defines for the scripts after it: permits are held until an instant, waited for in one fair
-- queue, and handed on in the moment they are free. (Needs clock.lua before it.)
-- KEYS, the last four: terms, holders (by end), queue (by place), released (by moment).
-- ARGV, the first four: channel, subject of the lease, life (ms), clock shift (ms).
-- terms: token, owner (of that token), place (the last one given), used, limit,
--   h:<worker> of a holder 'weight|token|ticket', w:<worker> of a waiter 'weight|ttl|alive|ticket'.
local terms, holders, queue, released = KEYS[#KEYS - 3], KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS]
local channel, subject, life, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), milliseconds(ARGV[4])
local SHOWN, REMEMBERED, REMEMBERED_MS = 100, 10000, 600000

local function number(field)
  return tonumber(redis.call('HGET', terms, field) or '0')
end

local function holding(worker)
  local record = redis.call('HGET', terms, 'h:' .. worker)
  if not record then return nil end
  local weight, token, ticket = record:match('^(%d+)|(%d+)|(.*)$')
  return {weight = tonumber(weight), token = token, ticket = ticket}
end

local function waiting(worker)
  local record = redis.call('HGET', terms, 'w:' .. worker)
  if not record then return nil end
  local weight, ttl, alive, ticket = record:match('^(%d+)|(%d+)|(%d+)|(.*)$')
  return {weight = tonumber(weight), ttl = ttl, ticket = ticket, is_alive = tonumber(alive) > now}
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

local function grant(worker, weight, ttl, ticket)
  local time = server[1] * 1000000 + server[2] + tonumber(ARGV[4]) * 1000
  local token = whole(math.max(number('token') + 1, time))
  local record = whole(weight) .. '|' .. token .. '|' .. ticket
  redis.call('HSET', terms, 'token', token, 'owner', worker, 'h:' .. worker, record)
  redis.call('HINCRBY', terms, 'used', whole(weight))
  extend(worker, ttl)
end

-- Drops what has ended, then grants to the head of the queue as long as it fits: nobody jumps
-- over it. `asking` need not be told, it gets its answer.
local function settle(asking)
  before = before or led()
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', whole(now))) do
    drop(worker)
  end
  while true do
    local worker = first()
    if not worker then return end
    local wish = waiting(worker)
    if wish.is_alive and wish.weight > permits_left() then return end
    leave(worker)
    if wish.is_alive then
      grant(worker, wish.weight, wish.ttl, wish.ticket)
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

-- Lets one that leads go on, or lead from now on: nobody else holds the only permit.
local function lead(worker, ttl)
  redis.call('HSET', terms, 'limit', '1')
  leave(worker)
  if holding(worker) then extend(worker, ttl) else grant(worker, 1, ttl, '') end
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
