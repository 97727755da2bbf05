"""The executable that Test IT adapters look for and start: installing it, and what it does."""
