"""One part of the machinery at a time, without a network."""
