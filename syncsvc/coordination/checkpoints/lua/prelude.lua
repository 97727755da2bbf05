-- What every script of a checkpoint shares: how it is kept, begun, ended and announced.
-- KEYS: its state, its arrivals (worker -> batch|since), who is alive until when, who left.
-- ARGV 1 to 4: shift of the clock (ms), life (ms), channel, subject.
local STATE, ARRIVALS, ALIVE = KEYS[1], KEYS[2], KEYS[3]
local LIFE, CHANNEL, SUBJECT = ARGV[2], ARGV[3], ARGV[4]
local CHUNK = 1000 -- arguments of one call, well below what Lua's stack holds
local FIELDS = {
  'state', 'generation', 'target', 'asked', 'arrived', 'start_at', 'policy', 'cyclic',
  'broken_by', 'reason', 'last',
}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[1])

local function whole(number)
  return string.format('%.0f', number)
end

local function fresh(generation)
  return {
    state = 'unknown', generation = generation, target = 0, asked = 0, arrived = 0,
    start_at = '', policy = 'ignore', cyclic = '0', broken_by = '', reason = '', last = '',
  }
end

local function load()
  local kept = redis.call('HMGET', STATE, unpack(FIELDS))
  if not kept[1] then return nil end
  local c = {}
  for i, field in ipairs(FIELDS) do c[field] = kept[i] end
  c.generation, c.target = tonumber(c.generation), tonumber(c.target)
  c.asked, c.arrived = tonumber(c.asked), tonumber(c.arrived)
  if c.state == 'open' then c.arrived = redis.call('HLEN', ARRIVALS) end
  return c
end

local function values(c)
  return {
    c.state, whole(c.generation), whole(c.target), whole(c.asked), whole(c.arrived),
    c.start_at, c.policy, c.cyclic, c.broken_by, c.reason, c.last,
  }
end

local function record(c, state)
  local kept = values(c)
  if state then kept[1], kept[6] = state, '' end
  return table.concat(kept, '\0', 1, 10)
end

local function store(c)
  local pairs_of = {}
  for i, value in ipairs(values(c)) do
    pairs_of[2 * i - 1], pairs_of[2 * i] = FIELDS[i], value
  end
  redis.call('HSET', STATE, unpack(pairs_of))
end

local function extend(c)
  redis.call('PEXPIRE', STATE, LIFE)
  redis.call('PEXPIRE', ARRIVALS, LIFE)
  if c.policy ~= 'ignore' then redis.call('PEXPIRE', ALIVE, LIFE) end
end

local function announce(said)
  redis.call('PUBLISH', CHANNEL, SUBJECT .. '\0' .. said)
end

-- Lives are judged by whoever tends, and from the moment a generation opens.
local function note_tended(c)
  if c.policy ~= 'ignore' then redis.call('HSET', STATE, 'tended', whole(now)) end
end

local function finish(c, state, reason, broken_by)
  c.state, c.reason, c.broken_by = state, reason, broken_by
  if state == 'released' then c.start_at = whole(now + 500) end
  redis.call('DEL', ALIVE)
  store(c)
  extend(c)
  announce(record(c))
end

local function begin(c, generation)
  local is_over = c.state ~= 'open' and c.state ~= 'unknown'
  c.last = is_over and generation == c.generation + 1 and record(c) or ''
  c.generation, c.state, c.arrived = generation, 'open', 0
  c.start_at, c.broken_by, c.reason = '', '', ''
  redis.call('DEL', ARRIVALS, ALIVE)
end

-- How a generation ended for those who were counted in it.
local function past(c, generation)
  if c.generation == generation then return record(c) end
  if c.generation == generation + 1 and c.last ~= '' then return c.last end
  return record(c, 'late')
end
