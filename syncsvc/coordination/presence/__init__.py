"""Presence: which workers of a run are there now."""
