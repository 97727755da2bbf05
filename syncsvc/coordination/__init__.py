"""What the workers of a run use to keep in step: checkpoints, leases, data, topics, presence."""
