"""The process that agents, CI jobs and people talk to, on all its ports."""
