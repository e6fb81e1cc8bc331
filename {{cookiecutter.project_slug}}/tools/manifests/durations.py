"""Durations as manifests write them."""

import re

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")


def seconds(text: str | float) -> float:
    """Of `1h30m`, `500ms`, or of a number.

    Raises:
        ValueError: it is no duration.
    """
    if isinstance(text, int | float):
        return float(text)
    parts = PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        if text.isdecimal():
            return float(text)
        raise ValueError(f"{text!r} is no duration")
    return sum(float(number) * SECONDS[unit] for number, unit in parts)
