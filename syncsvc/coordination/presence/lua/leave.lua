-- Makes atomic: leaving is one change, however often it is said.
-- KEYS: presence's. ARGV: presence's, worker. Gives the version.
miss()
if forget(ARGV[5]) then changed() end
keep_all(0)
return version_now()
