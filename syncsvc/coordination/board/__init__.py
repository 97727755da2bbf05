"""The blackboard: what the workers of a run leave for each other, changed by compare and set."""
