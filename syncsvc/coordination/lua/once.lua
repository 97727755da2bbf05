-- A request that comes again gets the answer that it got, and does nothing.
local function answered(done)
  return redis.call('GET', done)
end

local function answer_once(done, answer, life)
  redis.call('SET', done, answer, 'PX', life)
  return answer
end
