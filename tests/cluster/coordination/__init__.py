"""Coordination over real gateways and a real Redis: killed, restarted, flooded, and held to it."""
