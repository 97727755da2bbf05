-- Makes atomic: a number is added to once for each request, and its sum is that request's answer.
-- KEYS: number, done. ARGV: delta, life (ms), life of the answer (ms), channel, subject.
-- Gives 1 and the sum, or 0 and the number that it cannot be added to.
local before = answered(KEYS[2])
if before then return {1, before} end

local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(sum) == 'table' and sum.err then
  if sum.err:find('overflow', 1, true) then
    return {0, redis.call('GET', KEYS[1]) or '0'}
  end
  return sum
end

local exact = redis.call('GET', KEYS[1])  -- Lua's own numbers end at 53 bits
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[4], ARGV[5] .. '\0' .. exact)
return {1, answer_once(KEYS[2], exact, ARGV[3])}
