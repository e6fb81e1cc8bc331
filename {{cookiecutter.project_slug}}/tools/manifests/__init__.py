"""Checks what is deployed before it is: `python -m tools.manifests`."""
