-- Makes atomic: a source's newest count stands, whatever order its reports arrive in.
-- KEYS: connections (a hash: source -> number|live|ever|said at, ms).
-- ARGV: source, number, live, ever, silent after (ms), life (ms), clock shift (ms), channel, subject.
-- Gives what all sources said: source, number, live, ever, of each in turn.
local key, source, number = KEYS[1], ARGV[1], tonumber(ARGV[2])
local said = redis.call('HGET', key, source)
local known, counts = nil, nil
if said then
  known, counts = said:match('^(%d+)|(%d+|%d+)|')
end
if not known or tonumber(known) <= number then
  local fresh = ARGV[3] .. '|' .. ARGV[4]
  redis.call('HSET', key, source, ARGV[2] .. '|' .. fresh .. '|' .. now(ARGV[7]))
  if counts ~= fresh then
    redis.call('PUBLISH', ARGV[8], ARGV[9] .. '\0' .. ARGV[2] .. '|' .. fresh .. '|' .. source)
  end
end
redis.call('PEXPIRE', key, ARGV[6])
return all_said(key, tonumber(ARGV[5]), now(ARGV[7]))
