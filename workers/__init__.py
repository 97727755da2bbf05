"""The task workers: Celery's processes, and what they may be asked to do."""
