"""Pushing results from a CI agent: it speaks HTTP to a gateway, wherever that is."""
