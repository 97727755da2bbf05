"""How many connections a run has, over all gateways, and how many it ever had."""
