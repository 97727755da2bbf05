-- A run's blackboard: each entry is a hash; `index` sorts the names, `due` says when each goes.
-- KEYS: revision, index, due. ARGV: shift (ms), life (ms), channel, run, prefix of entries.
local revision, index, due = KEYS[1], KEYS[2], KEYS[3]
local now, life = milliseconds(ARGV[1]), tonumber(ARGV[2])

local function entry_of(name) return ARGV[5] .. name end

local function announce(name, version)
  redis.call('PUBLISH', ARGV[3], 'data\n' .. ARGV[4] .. '\n' .. name .. '\0' .. version)
end

-- Keeps the whole board as long as its entry that lasts longest.
local function keep_board(lasts)
  for _, key in ipairs({revision, index, due}) do keep(key, math.max(life, lasts)) end
end

-- Leaves of an entry only that it went, and at which version.
local function bury(name)
  local version = grown(revision)
  redis.call('ZREM', index, name)
  redis.call('ZREM', due, name)
  redis.call('DEL', entry_of(name))
  redis.call('HSET', entry_of(name), 'version', version)
  redis.call('PEXPIRE', entry_of(name), life)
  keep(revision, life)
  announce(name, version)
  return version
end

-- Gives when an entry is due to go, nil if there is none; buries it when that has passed.
local function due_of(name)
  local at = redis.call('ZSCORE', due, name)
  if not at then return nil end
  if tonumber(at) > now and redis.call('EXISTS', entry_of(name)) == 1 then return tonumber(at) end
  bury(name)
  return nil
end

local function bury_due(most)
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)) do
    bury(name)
  end
end

-- Notes how long an entry lasts from now on.
local function last(name, lasts)
  redis.call('ZADD', due, whole(now + lasts), name)
  redis.call('PEXPIRE', entry_of(name), whole(lasts + life))
  keep_board(lasts + life)
end
