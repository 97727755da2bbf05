"""Checkpoints: meeting points that hold the workers of a run back until enough have arrived."""
