-- Makes atomic: whoever takes an arrival back was either counted in a release or is not.
-- KEYS: ..., who left (worker -> generation): one that leaves counts once, and need not have
-- arrived where that matters to the others. ARGV 5 to 7: cause, workers, their batches (JSON).
-- Gives how the checkpoint stood before ('' when it is not known), who had arrived, and how the
-- generation before it ended ('' when that is not known).
local cause, workers = ARGV[5], cjson.decode(ARGV[6])
local c = load()
if not c then return {'', {}, ''} end
local before = record(c)
if c.state ~= 'open' then return {before, {}, c.last} end
local arrived = cause == 'timed_out' and redis.call('HKEYS', ARRIVALS) or {}
local gone, batches = mine(workers, cjson.decode(ARGV[7]))
if cause == 'forgotten' then
  take_out(gone)
  return {before, arrived, c.last}
end
if cause == 'left' and #gone > 0 then
  c.broken_by, c.reason = table.concat(gone, '\n'), table.concat(batches, '\n')
  announce(record(c, 'left'))
  c.broken_by, c.reason = '', ''
end
if cause == 'left' and c.policy ~= 'ignore' then
  local generation = whole(c.generation)
  for _, worker in ipairs(workers) do
    local is_first = redis.call('HGET', KEYS[4], worker) ~= generation
    if is_first and redis.call('HEXISTS', ARRIVALS, worker) == 0 then gone[#gone + 1] = worker end
    redis.call('HSET', KEYS[4], worker, generation)
  end
  redis.call('PEXPIRE', KEYS[4], LIFE)
end
if #gone > 0 then lose(c, gone, cause) end
return {before, arrived, c.last}
