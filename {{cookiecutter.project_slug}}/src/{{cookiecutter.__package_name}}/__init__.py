"""The service. README.md has the map."""

__version__ = "0.1.0"
