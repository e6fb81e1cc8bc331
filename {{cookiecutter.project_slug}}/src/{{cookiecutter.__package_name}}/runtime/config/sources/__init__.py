"""Where settings come from beside the environment: one source in each file."""
