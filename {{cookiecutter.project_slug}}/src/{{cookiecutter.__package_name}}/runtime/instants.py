"""Instants as people and JSON write them."""

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Unix time, in seconds: `2026-01-31T23:59:59.123+00:00`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
