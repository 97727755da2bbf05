-- Makes atomic: a run has one master at a time, and asking twice gives the same answer.
-- KEYS and ARGV: those of master.lua, auto ('1' or '0').
-- Whoever registers the id of one that has not completed, over another connection, is a namesake.
-- Gives '1' master, '0' not, or '0' and the master that gives way with its token.
local known = redis.call('HGET', roster, 'w:' .. worker)
local caller = redis.call('HGET', roster, 'k:' .. worker)
local old_peer = caller and caller:match('|(.*)$') or ''
if known and peer ~= '' and old_peer ~= '' and old_peer ~= peer then
  if not known:match('^completed') then worker, known = namesake, false end
end

local leader, answer = master(), {'0'}
local is_settled = leader and leader ~= worker and stands(leader)
if not is_settled then
  settle(worker)
  leader = master()
end

if not leader or leader == worker then
  lead(worker, silence(worker))
  answer = {'1'}
elseif gives_way(leader, ARGV[11]) then
  answer = {'0', leader, redis.call('HGET', terms, 'token')}
end

if kind ~= '' or peer ~= '' then
  redis.call('HSET', roster, 'k:' .. worker, kind .. '|' .. (peer ~= '' and peer or old_peer))
end
note('registered', known and known:match('|(%d)|') or '0')
if not is_settled then finish() end
return answer
