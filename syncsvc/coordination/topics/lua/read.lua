-- Makes atomic: what is read and the oldest offset belong to one moment.
-- KEYS: entries, last. ARGV: life (ms), after, limit, most bytes.
-- Gives the oldest offset, then offset, moment (ms) and payload of each entry.
local STEP = 16  -- entries looked at together: large ones are not read to be left out

local newest, after = last_offset(), tonumber(ARGV[2])
if after > newest then after = 0 end
local oldest = edge('XRANGE', '-', '+') or newest + 1
redis.call('PEXPIRE', entries, ARGV[1])
redis.call('PEXPIRE', last, ARGV[1])

local batch, left, bytes = {whole(oldest)}, tonumber(ARGV[3]), 0
local function take(entry)
  local payload = entry[2][4]
  bytes = bytes + #payload
  if bytes > tonumber(ARGV[4]) and #batch > 1 then return false end
  for _, part in ipairs({whole(offset_of(entry)), entry[2][2], payload}) do
    batch[#batch + 1] = part
  end
  after, left = offset_of(entry), left - 1
  return true
end

while left > 0 do
  local from, most = whole(after + 1) .. '-0', math.min(left, STEP)
  local found = redis.call('XRANGE', entries, from, '+', 'COUNT', most)
  for _, entry in ipairs(found) do
    if not take(entry) then return batch end
  end
  if #found < most then return batch end
end
return batch
