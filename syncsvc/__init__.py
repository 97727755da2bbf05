"""syncsvc keeps distributed test runs in step."""

__version__ = "0.1.0"
