"""Leases: locks, read-write locks, semaphores and leaders, all made of permits with an end."""
