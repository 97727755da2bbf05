-- What the scripts about connections share.
local function now(shift)
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(shift)
end

-- What all sources said; one that has been silent too long has no live connections.
local function all_said(key, silent_after, at)
  local answer, fields = {}, redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local number, live, ever, said_at = fields[i + 1]:match('^(%d+)|(%d+)|(%d+)|(%d+)$')
    if at - tonumber(said_at) > silent_after then live = '0' end
    for _, part in ipairs({fields[i], number, live, ever}) do answer[#answer + 1] = part end
  end
  return answer
end
