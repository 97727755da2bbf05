-- What is known of the place behind a gate.
-- KEYS: permits, waiting, looked, state. ARGV: shift (ms), life (ms).
-- permits: ticket -> when its turn ends. waiting: ticket -> when it came. looked: ticket -> when its
-- place in line lapses. state: paused (until), tokens, filled (when).
local permits, waiting, looked, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now = milliseconds(ARGV[1])

local function paused_for()
  return math.max(tonumber(redis.call('HGET', state, 'paused') or '0') - now, 0)
end

local function forget(ticket)
  redis.call('ZREM', permits, ticket)
  redis.call('ZREM', waiting, ticket)
  redis.call('ZREM', looked, ticket)
end

local function drop_what_is_over()
  redis.call('ZREMRANGEBYSCORE', permits, '-inf', now)
  for _, ticket in ipairs(redis.call('ZRANGEBYSCORE', looked, '-inf', now)) do forget(ticket) end
end

local function keep_all()
  for _, key in ipairs(KEYS) do keep(key, ARGV[2]) end
end
