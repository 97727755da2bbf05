"""Plays TestIO's Customer API v2, with data of any size from a seed number."""
