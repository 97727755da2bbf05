-- Makes atomic: an ending that agents were told is not forgotten, and not written over a newer one.
-- ARGV 5 to 14: the fields of the ending. Gives 1 when it was not known.
local generation = tonumber(ARGV[6])
local c = load() or fresh(generation)
if c.generation > generation then return 0 end
if c.generation == generation and c.state ~= 'open' and c.state ~= 'unknown' then return 0 end
if c.generation < generation then begin(c, generation) end
for i = 1, 10 do c[FIELDS[i]] = ARGV[4 + i] end
c.generation, c.target = generation, tonumber(c.target)
c.asked, c.arrived = tonumber(c.asked), tonumber(c.arrived)
redis.call('DEL', ALIVE)
store(c)
extend(c)
announce(record(c))
return 1
