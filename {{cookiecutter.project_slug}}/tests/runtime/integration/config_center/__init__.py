"""The sources of settings that are servers."""
