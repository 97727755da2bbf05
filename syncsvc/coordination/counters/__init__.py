"""Counters that a run counts with, and signals that are counted."""
