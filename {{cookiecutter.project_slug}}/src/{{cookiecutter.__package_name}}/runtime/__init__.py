"""The machinery: the same in every service, it knows nothing of this one's domain."""
