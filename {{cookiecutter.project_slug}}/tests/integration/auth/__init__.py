"""Bearer tokens, their keys and their issuer."""
