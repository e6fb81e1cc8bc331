"""What is written, one file of the generated package each."""
