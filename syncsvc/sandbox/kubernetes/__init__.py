"""A Kubernetes API with the TestRuns of a k6-operator, as far as their watcher sees it."""
