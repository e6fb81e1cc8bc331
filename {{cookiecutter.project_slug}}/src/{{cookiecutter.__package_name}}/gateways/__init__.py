"""What the service talks to: its store and the services it depends on."""
