"""Redis or Valkey: its connections, its keys and its scripts."""
