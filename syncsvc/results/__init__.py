"""Results that are held back, the promises to finalise them, and how those are kept."""
