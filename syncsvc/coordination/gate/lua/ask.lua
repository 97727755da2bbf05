-- Makes atomic: no more turns at a place than may be, none during its pause, and nobody overtakes.
-- KEYS: gate's. ARGV: gate's, ticket, at once, longest (ms), looking (ms), per second (0: any
-- rate), burst. Gives whether it came, else the reason, the wait (ms), how many are ahead.
local ticket, at_once, longest, looking = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local per_second, burst = tonumber(ARGV[7]), tonumber(ARGV[8])

drop_what_is_over()
if redis.call('ZSCORE', permits, ticket) then return {1} end  -- the answer before was lost

local pause = paused_for()
if pause > 0 then return {0, 'paused', pause, 0} end

local ahead = redis.call('ZRANK', waiting, ticket) or redis.call('ZCARD', waiting)

local function tokens()
  local known = redis.call('HMGET', state, 'tokens', 'filled')
  if not known[1] then return burst end
  local since = math.max(now - tonumber(known[2]), 0)
  return math.min(burst, tonumber(known[1]) + since * per_second / 1000)
end

local function stand_in_line(reason, wait)
  redis.call('ZADD', waiting, 'NX', whole(now), ticket)
  redis.call('ZADD', looked, whole(now + looking), ticket)
  keep_all()
  return {0, reason, wait, ahead}
end

if at_once - redis.call('ZCARD', permits) <= ahead then return stand_in_line('full', 0) end
if per_second > 0 then
  local left = tokens()
  if left < 1 then
    return stand_in_line('rate', math.ceil((ahead + 1 - left) * 1000 / per_second))
  end
  if left < ahead + 1 then return stand_in_line('full', 0) end
  redis.call('HSET', state, 'tokens', string.format('%.6f', left - 1), 'filled', whole(now))
end

forget(ticket)
redis.call('ZADD', permits, whole(now + longest), ticket)
keep_all()
return {1}
