-- Defines for the scripts after it: the master of a run is the leader of its lease, which each sign
-- of life makes longer. (Needs permits.lua before it.)
-- KEYS: roster, the four of the lease. ARGV: four of permits.lua, worker, now (ms, as the roster
-- notes it), idle limit (ms), beat silence (ms), the caller's kind and peer ('': not known).
-- roster: w:<worker> 'status|beats|seen', k:<worker> 'kind|peer' where known; adopts.
local roster, worker = KEYS[1], ARGV[5]
local kind, peer = ARGV[9], ARGV[10]
local namesake = worker .. '@' .. peer
if peer ~= '' and redis.call('HEXISTS', roster, 'w:' .. namesake) == 1 then worker = namesake end

local function master()
  return redis.call('HGET', terms, 'owner')
end

-- How long a worker may be silent: one that beats is missed sooner.
local function silence(name)
  local known = redis.call('HGET', roster, 'w:' .. name)
  if known and known:match('|1|') then return tonumber(ARGV[8]) end
  return tonumber(ARGV[7])
end

local function gives_way(name, auto)
  if not stands(name) then return true end
  local known = redis.call('HGET', roster, 'w:' .. name)
  if not known then return false end
  local status = known:match('^[%a_]+')
  return status == 'completed' or (auto == '1' and status == 'registered')
end

local function note(status, beats)
  redis.call('HSET', roster, 'w:' .. worker, status .. '|' .. beats .. '|' .. ARGV[6])
  redis.call('PEXPIRE', roster, ARGV[3])
end
