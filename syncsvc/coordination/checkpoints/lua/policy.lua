-- Takes workers out of an open generation and does to the others what its policy says.
local function take_out(gone)
  for i = 1, #gone, CHUNK do
    local last = math.min(i + CHUNK - 1, #gone)
    redis.call('HDEL', ARRIVALS, unpack(gone, i, last))
    redis.call('ZREM', ALIVE, unpack(gone, i, last))
  end
end

-- Those among the members who arrived with the batch that is named for them ('': with any),
-- and the batches.
local function mine(workers, calls)
  local found, batches = {}, {}
  for i = 1, #workers, CHUNK do
    local last = math.min(i + CHUNK - 1, #workers)
    local known = redis.call('HMGET', ARRIVALS, unpack(workers, i, last))
    for j = i, last do
      local batch = known[j - i + 1] and known[j - i + 1]:match('^(.*)|')
      if batch and (calls[j] == '' or batch == calls[j]) then
        found[#found + 1], batches[#batches + 1] = workers[j], batch
      end
    end
  end
  return found, batches
end

local function lose(c, gone, cause)
  take_out(gone)
  if c.policy == 'fail' then
    table.sort(gone)
    finish(c, 'broken', cause, table.concat(gone, '\n'))
    return
  end
  c.arrived = redis.call('HLEN', ARRIVALS)
  if c.policy == 'shrink' then
    c.target = math.max(1, c.target - #gone)
    store(c)
    if c.arrived > 0 and c.arrived >= c.target then finish(c, 'released', '', '') end
  end
end
