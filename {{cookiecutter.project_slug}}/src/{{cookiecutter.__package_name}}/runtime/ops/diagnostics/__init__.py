"""What this process does and why: stacks, profiles, memory, the event loop."""
