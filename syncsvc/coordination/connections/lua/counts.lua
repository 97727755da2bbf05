-- Makes atomic: who is silent is judged by the server's clock at the moment of reading.
-- KEYS: connections. ARGV: silent after (ms), clock shift (ms).
-- Gives what all sources said: source, number, live, ever, of each in turn.
return all_said(KEYS[1], tonumber(ARGV[1]), now(ARGV[2]))
