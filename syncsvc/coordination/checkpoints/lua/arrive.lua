-- Makes atomic: a checkpoint counts each worker once and opens once, when the last one arrives.
-- KEYS: ..., what this batch was answered. ARGV 5 to 13: target, policy, cyclic ('1' or '0'),
-- lenient ('1' or '0'), generation or '', batch, alive for (ms), workers (JSON).
-- Gives so many, how they stand, so many, how they stand ...
local target, policy, cyclic = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local lenient, named, call = ARGV[8] == '1', tonumber(ARGV[9]), ARGV[10]
local workers = cjson.decode(ARGV[12])
local answer = {}

local function say(many, said)
  if answer[#answer] == said then
    answer[#answer - 1] = answer[#answer - 1] + many
  else
    answer[#answer + 1], answer[#answer + 2] = many, said
  end
end

local function differs(c)
  if lenient then return false end
  if c.state == 'released' then return c.cyclic == '1' and cyclic ~= '1' end
  return c.asked ~= target or c.policy ~= policy or c.cyclic ~= cyclic
end

-- What one is told who names a generation, unless that one is open.
local function told_by_generation(c)
  if named == c.generation then
    return c.state == 'released' and record(c, 'late') or nil
  elseif named < c.generation then
    return record(c, 'late')
  elseif named > c.generation + 1 or c.state ~= 'released' or c.cyclic ~= '1' then
    return record(c, 'mismatch')
  end
end

-- What one is told at once who arrives now; nil: may be counted.
local function told(c)
  local by_generation = named and told_by_generation(c)
  if by_generation then return by_generation end
  if c.state == 'broken' or c.state == 'aborted' then return record(c) end
  if c.state == 'released' and c.cyclic ~= '1' then return record(c, 'late') end
  if c.state ~= 'unknown' and differs(c) then return record(c, 'mismatch') end
end

local function open(c)
  if c.state == 'released' then
    begin(c, c.generation + 1)
    if lenient then target, policy, cyclic = c.asked, c.policy, c.cyclic end
  end
  c.state, c.target, c.asked, c.policy, c.cyclic = 'open', target, target, policy, cyclic
  store(c)
  note_tended(c)
end

-- A batch that comes again after its generation was released: who was counted with it.
local function counted_before(c)
  for i = 1, #workers, CHUNK do
    local last = math.min(i + CHUNK - 1, #workers)
    local known = redis.call('HMGET', ARRIVALS, unpack(workers, i, last))
    for j = 1, last - i + 1 do
      local is_same = known[j] and known[j]:match('^(.*)|') == call
      say(1, record(c, not is_same and 'late' or nil))
    end
  end
  return answer
end

local c = load()
if c and c.cyclic == '1' then
  local before = redis.call('GET', KEYS[5])
  if before then return cjson.decode(before) end
elseif c and c.state == 'released' and (not named or named == c.generation) then
  return counted_before(c)
end
c = c or fresh(1)
if c.state == 'open' and c.arrived == 0 and c.policy == 'ignore' then c.state = 'unknown' end

local has_life = c.state == 'open' and c.arrived > 0 -- and is tended while somebody waits
local function call_of() return call end
local next_one = 1
while next_one <= #workers do
  local rest, at_once = #workers - next_one + 1, told(c)
  if at_once then
    say(rest, at_once)
    break
  end
  if c.state ~= 'open' then
    open(c)
    has_life = false
  end
  local many = math.min(rest, math.max(1, c.target - c.arrived), CHUNK)
  count(c, workers, next_one, next_one + many - 1, call_of, false, tonumber(ARGV[11]))
  if c.arrived >= c.target then finish(c, 'released', '', '') end
  say(many, record(c))
  next_one = next_one + many
end
if c.state == 'open' and not has_life then extend(c) end
if c.cyclic == '1' and answer[2] then redis.call('SET', KEYS[5], cjson.encode(answer), 'PX', 60000) end
return answer
