-- Makes atomic: a beat renews only those who are there, none that was missed or has left.
-- KEYS: presence's. ARGV: presence's, workers. Gives the workers that are not there.
miss()

local strangers = {}
for i = 5, #ARGV do
  local known = redis.call('HGET', about, ARGV[i])
  if known then
    renew(ARGV[i], tonumber(known:match('|(%d+)|')))
  else
    strangers[#strangers + 1] = ARGV[i]
  end
end
return strangers
