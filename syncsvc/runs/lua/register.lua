-- Makes atomic: a run has one master at a time, and asking twice gives the same answer.
-- KEYS and ARGV: those of master.lua, auto ('1' or '0').
-- Gives '1' master, '0' not, or '0' and the master that gives way with its token.
local known, leader, answer = redis.call('HGET', roster, 'w:' .. worker), master(), {'0'}
local is_settled = leader and leader ~= worker and stands(leader)
if not is_settled then
  settle(worker)
  leader = master()
end

if not leader or leader == worker then
  lead(worker, silence(worker))
  answer = {'1'}
elseif gives_way(leader, ARGV[9]) then
  answer = {'0', leader, redis.call('HGET', terms, 'token')}
end

note('registered', known and known:match('|(%d)|') or '0')
if not is_settled then finish() end
return answer
