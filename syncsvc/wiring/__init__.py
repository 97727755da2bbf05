"""Builds the graph: the only place that names concrete classes."""
