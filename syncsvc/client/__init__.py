"""The client library: what test code uses to keep in step with the other workers of its run."""
