"""Kubernetes: we read load tests, their pods and their logs through its API."""
