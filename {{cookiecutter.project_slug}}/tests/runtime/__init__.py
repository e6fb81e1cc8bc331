"""The machinery that came with the service: `make test ALL=1` runs it."""
