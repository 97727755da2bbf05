"""The outside world in a box: foreign systems over real HTTP, with faults on demand."""
