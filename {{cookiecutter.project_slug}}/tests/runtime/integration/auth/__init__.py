"""Which tokens are taken, and where the keys come from."""
