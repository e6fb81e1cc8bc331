"""Judges a rolling update: under load, no request may be lost. `python -m tools.rollout`."""
