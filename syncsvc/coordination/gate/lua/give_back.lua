-- Makes atomic: a ticket that is given back neither holds a turn nor stands in line.
-- KEYS: gate's. ARGV: gate's, ticket.
forget(ARGV[3])
return 1
