"""Side by side with peers: one command, one table. See `__main__`."""
