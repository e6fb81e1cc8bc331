"""Side by side with peers: one command, one table. `__main__` says what is in it."""
