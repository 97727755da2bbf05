"""TestIO: we read its catalogue through its Customer API, version 2."""
