-- Makes atomic: an entry changes only if its version and the fence are as expected, once a request.
-- KEYS: board's, done, lease. ARGV: board's, name, value ('' deletes), worker, if version ('' any),
-- lasts (ms, '' the board's life), token ('' no fence), most entries, life of the answer (ms).
-- Gives what became of it and a number: see Outcome.
local name, value, worker, expected = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local lasts, token, most = ARGV[10], ARGV[11], tonumber(ARGV[12])

local before = answered(KEYS[4])
if before then return {'done', before} end

if token ~= '' then
  local newest = whole(newest_token(KEYS[5]))
  if newest ~= token or newest == '0' then return {'fence', newest} end
end

local there = due_of(name)
local version = there and redis.call('HGET', entry_of(name), 'version') or '0'
if expected ~= '' and expected ~= version then return {'version', version} end
if value == '' then
  if not there then return {'absent', '0'} end
  return {'done', answer_once(KEYS[4], bury(name), ARGV[13])}
end

bury_due(100)
if not there and redis.call('ZCARD', index) >= most then return {'full', whole(most)} end
version = grown(revision)
redis.call('ZADD', index, 0, name)
redis.call('HSET', entry_of(name), 'version', version, 'value', value, 'worker', worker,
  'lasts', lasts)
last(name, tonumber(lasts) or life)
announce(name, version)
return {'done', answer_once(KEYS[4], version, ARGV[13])}
