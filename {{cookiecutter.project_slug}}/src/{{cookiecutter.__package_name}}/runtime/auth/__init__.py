"""Who calls: bearer tokens, verified with the keys that their issuer publishes."""
