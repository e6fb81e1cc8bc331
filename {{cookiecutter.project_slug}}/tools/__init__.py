"""What the developers of this service run; nothing of it is shipped."""
