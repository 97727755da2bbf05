"""What tests gave: held back until a run is over, or pushed whole from a report."""
