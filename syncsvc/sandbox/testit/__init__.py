"""Test IT as adapters see it."""
