"""What is deployed, and the tools that check it."""
