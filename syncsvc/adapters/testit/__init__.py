"""Test IT: its adapters talk to us (Sync Storage), and we talk to its API."""
