"""Real processes, killed and restarted; a package, so that its tests can share one stack."""
