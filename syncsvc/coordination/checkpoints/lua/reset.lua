-- Makes atomic: the next generation begins once for each reset, and nobody waits on in the old.
-- ARGV 5, 6: this reset's own name, what those who wait are told. Gives how it stands then.
local c = load() or fresh(1)
if c.state == 'unknown' or redis.call('HGET', STATE, 'reset') == ARGV[5] then return record(c) end
if c.state == 'open' then finish(c, 'aborted', ARGV[6], '') end
begin(c, c.generation + 1)
c.state, c.target, c.asked, c.policy, c.cyclic = 'unknown', 0, 0, 'ignore', '0'
store(c)
redis.call('HSET', STATE, 'reset', ARGV[5])
extend(c)
return record(c)
