"""Settings in Consul."""
