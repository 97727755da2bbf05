"""A gate bounds how many requests are on their way to one place, over all processes."""
