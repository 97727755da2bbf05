-- The server's clock decides, for everybody the same; a test may shift it.
local server = redis.call('TIME')

local function milliseconds(shift)
  return server[1] * 1000 + math.floor(server[2] / 1000) + tonumber(shift)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- A number that grows for ever, also when what the server kept last, or all of it, was lost.
local function grown(key)
  local last = tonumber(redis.call('GET', key) or '0')
  local number = whole(math.max(last + 1, server[1] * 1000000 + server[2]))
  redis.call('SET', key, number, 'KEEPTTL')
  return number
end

local function keep(key, life)
  if redis.call('PTTL', key) < tonumber(life) then redis.call('PEXPIRE', key, life) end
end
