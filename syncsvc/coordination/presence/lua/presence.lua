-- Who is there in a run: until when, since when and with what, at which version.
-- KEYS: until, about, version. ARGV: shift (ms), life (ms), channel, subject.
local alive, about, version = KEYS[1], KEYS[2], KEYS[3]
local now = milliseconds(ARGV[1])

local function version_now() return redis.call('GET', version) or '0' end

local function changed()
  local number = grown(version)
  redis.call('PUBLISH', ARGV[3], ARGV[4] .. '\0' .. number)
  return number
end

local function forget(worker)
  redis.call('HDEL', about, worker)
  return redis.call('ZREM', alive, worker) == 1
end

-- Misses those whose time has passed.
local function miss()
  local gone = redis.call('ZRANGEBYSCORE', alive, '-inf', now)
  for _, worker in ipairs(gone) do forget(worker) end
  if #gone > 0 then changed() end
end

-- Keeps what is known as long as it is asked for, and as long as somebody is there.
local function keep_all(lasts)
  for _, key in ipairs({alive, about, version}) do keep(key, tonumber(ARGV[2]) + lasts) end
end

local function renew(worker, lasts)
  redis.call('ZADD', alive, whole(now + lasts), worker)
  keep_all(lasts)
end
