"""The tool that grows the service."""
