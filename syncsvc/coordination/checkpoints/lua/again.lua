-- Makes atomic: those who wait are counted, whatever the store forgot of them.
-- ARGV 5 to 11: generation, target, policy, cyclic ('1' or '0'), alive for (ms), workers, their
-- batches (JSON). Gives how the generation stands.
local generation = tonumber(ARGV[5])
local workers, calls = cjson.decode(ARGV[10]), cjson.decode(ARGV[11])
local c = load() or fresh(generation)
if c.generation > generation then return past(c, generation) end
if c.generation < generation then
  begin(c, generation)
  c.state = 'unknown'
end
if c.state == 'unknown' then
  c.state, c.target, c.policy, c.cyclic = 'open', tonumber(ARGV[6]), ARGV[7], ARGV[8]
  c.asked = c.target
  store(c)
  note_tended(c)
end
if c.state ~= 'open' then return record(c) end

local function call_of(i) return calls[i] end
for i = 1, #workers, CHUNK do
  local last = math.min(i + CHUNK - 1, #workers)
  count(c, workers, i, last, call_of, true, tonumber(ARGV[9]))
end
if c.arrived > 0 and c.arrived >= c.target then finish(c, 'released', '', '') end
extend(c)
return record(c)
