"""The contract of the service: what it promises to its callers."""
