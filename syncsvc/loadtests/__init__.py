"""Load tests that a k6-operator runs in Kubernetes: their true status, and logs that stay."""
