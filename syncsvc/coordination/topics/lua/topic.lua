-- A topic: a stream whose ids are the offsets, and the last offset, which outlives its entry.
-- KEYS: entries, last.
local entries, last = KEYS[1], KEYS[2]

local function offset_of(entry) return tonumber(entry[1]:match('^%d+')) end

-- Gives the first entry's offset, or the last one's with XREVRANGE; nil if there is none.
local function edge(command, from, to)
  local found = redis.call(command, entries, from, to, 'COUNT', 1)[1]
  return found and offset_of(found)
end

local function last_offset()
  return tonumber(redis.call('GET', last) or edge('XREVRANGE', '+', '-') or 0)
end
