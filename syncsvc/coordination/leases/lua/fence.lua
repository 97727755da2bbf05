-- Defines for the scripts after it: the newest fencing token ever granted, which older ones yield to.
local function newest_token(key)
  return tonumber(redis.call('HGET', key, 'token') or '0')
end
