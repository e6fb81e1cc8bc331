"""Adds a dependency or a tag of the contract to this service; not part of what is shipped."""
