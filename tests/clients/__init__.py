"""Published adapters; a package, so that its tests share one stack, and stop it at their end."""
