"""The database engine: statements within the deadline, one pool, one readiness check."""
