"""Results that are pushed whole, from a report or over the API, and delivered in batches."""
