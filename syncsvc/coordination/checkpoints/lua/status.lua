-- Makes atomic: who has arrived belongs to how it stands.
-- Gives how it stands, then workers and their batches|moments.
return {record(load() or fresh(1)), redis.call('HGETALL', ARRIVALS)}
