"""Failures on purpose, against the real process."""
