"""The homes of what syncsvc keeps: SQL for the truth, Redis for the pulse."""
