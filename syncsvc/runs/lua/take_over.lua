-- Makes atomic: of several heirs of one master only the first becomes master, and none if it has
-- begun meanwhile.
-- KEYS and ARGV: those of master.lua, auto ('1' or '0'), the token of the master that gives way.
-- Gives 1 when the worker is master now.
settle(worker)
local leader = master()
if leader == worker and holding(worker) then
  claim(worker, '')
  return 1
end
if redis.call('HGET', terms, 'token') ~= ARGV[12] or not gives_way(leader, ARGV[11]) then return 0 end

if holding(leader) then drop(leader) end
lead(worker, silence(worker))
finish()
return 1
