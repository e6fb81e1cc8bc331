"""What the page's templates do with numbers: units that people read, and lines of charts.

Everything here takes None for "not known" and gives plain text, which the templates escape
as all other text.
"""

import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

UNKNOWN = "\N{EN DASH}"
NARROW = "\N{NARROW NO-BREAK SPACE}"  # between a number and its unit, and between thousands
HEIGHT = 100  # of a chart, in its own units; it is stretched to its place

Number = float | None
Point = tuple[int, int]
STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)  # where a scale may end, times a power of ten


def number(value: Number) -> str:
    """Three digits that count; thousands set apart, as in 12 345."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    if size >= 100 or float(value).is_integer():
        return f"{value:,.0f}".replace(",", NARROW)
    digits = 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def milliseconds(value: Number) -> str:
    """Of milliseconds, in µs, ms or s."""
    if value is None:
        return UNKNOWN
    if 0 < value < 1:
        return _with_unit(value * 1000, "µs")
    return _with_unit(value, "ms") if value < 1000 else _with_unit(value / 1000, "s")


def microseconds(value: Number) -> str:
    """Of microseconds, in µs, ms or s."""
    return milliseconds(None if value is None else value / 1000)


def duration(value: Number) -> str:
    """Of seconds, in its two largest units: 4 min 10 s."""
    if value is None:
        return UNKNOWN
    if value < 1:
        return milliseconds(value * 1000)
    if value < 60:
        return _with_unit(value, "s")
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    while not parts[0][0]:
        parts.pop(0)
    return " ".join(_with_unit(part, unit) for part, unit in parts[:2] if part)


def percent(share: Number) -> str:
    """Of a share, 1 for all of it."""
    return UNKNOWN if share is None else _with_unit(share * 100, "%")


def mebibytes(value: Number) -> str:
    """Of MiB, in KiB, MiB or GiB."""
    if value is None:
        return UNKNOWN
    if 0 < abs(value) < 1:
        return _with_unit(value * 1024, "KiB")
    return _with_unit(value, "MiB") if abs(value) < 1024 else _with_unit(value / 1024, "GiB")


def moment(at: float | str | None) -> str:
    """Of Unix seconds or ISO 8601, in UTC: 28 Nov 03:12:44. Other text as it is."""
    if at is None:
        return UNKNOWN
    try:
        read = datetime.fromisoformat(at) if isinstance(at, str) else _of_unix(at)
    except (ValueError, OverflowError, OSError):
        return str(at)
    return read.astimezone(UTC).strftime("%d %b %H:%M:%S")


def text(value: object, most: int = 300) -> str:
    """What a field holds, as it is or as JSON, cut where it gets long."""
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= most else f"{said[:most]}…"


def ago(at: str, info: Mapping[str, Any]) -> float:
    """Seconds since a time in ISO 8601, by the clock of `/info`; 0 if it is not one."""
    try:
        gone = datetime.fromisoformat(at) - datetime.fromisoformat(info["started_at"])
    except (TypeError, ValueError):
        return 0.0
    return float(info["uptime_seconds"]) - gone.total_seconds()


def top_of(series: Sequence[Sequence[Number]], least: float = 1.0) -> float:
    """Where a chart that has room for all of them ends: a round number."""
    highest = max((value for one in series for value in one if value is not None), default=0)
    highest = max(highest * 1.05, least)  # the line does not touch the edge
    power: float = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in STEPS if step * power >= highest)


def line(values: Sequence[Number], top: float, span: int, at: Sequence[float] | None = None) -> str:
    """The path of a chart's line, `span` wide, now at its right; a gap where nothing is known.

    Args:
        top: the value at its upper edge; what is above is drawn there.
        at: Unix seconds of each value; without them the values are a second apart.
    """
    drawn, run = [], list[Point]()
    for x, y in [*_points(values, top, span, at), (span, None)]:
        if y is not None:
            run.append((x, y))
        elif run:
            # Without a length even a lone point is drawn: the line's ends are round.
            drawn.append(f"M{run[0][0]} {run[0][1]}h0{_steps(run)}")
            run = []
    return "".join(drawn)


def area(values: Sequence[Number], top: float, span: int, at: Sequence[float] | None = None) -> str:
    """As `line`, down to the axis and closed; what is not known counts as nothing."""
    points = [(x, HEIGHT if y is None else y) for x, y in _points(values, top, span, at)]
    if not points:
        return ""
    return f"M{points[0][0]} {HEIGHT}V{points[0][1]}{_steps(points)}V{HEIGHT}z"


def part(share: Number) -> str:
    """The width of a bar that is 100 wide, for a share of 0 to 1; more does not leave it."""
    return f"{min(max(share or 0.0, 0.0), 1.0) * 100:.3g}"


def digest(value: object) -> str:
    """A short name of its own for a row that may move; the same row has the same."""
    return f"{zlib.crc32(repr(value).encode()):08x}"


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)}{NARROW}{unit}"


def _of_unix(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _points(
    values: Sequence[Number], top: float, span: int, at: Sequence[float] | None
) -> list[tuple[int, int | None]]:
    if at is None:
        places = list(range(span - len(values) + 1, span + 1))
    else:
        left = at[-1] - span - 0.5 if at else 0.0
        places = [int(x - left) if x >= left else -1 for x in at]
    scale = HEIGHT / top
    # What leaves the chart stays at its edge. A page has 2000 points and is drawn every second.
    heights = [None if y is None else HEIGHT - int(y * scale + 0.5) for y in values]
    return [
        (x, y if y is None or 0 <= y <= HEIGHT else 0 if y < 0 else HEIGHT)
        for x, y in zip(places, heights, strict=True)
        if x >= 0
    ]


def _steps(points: Sequence[Point]) -> str:
    # From point to point, level ones in one step: a third of what absolute places would take.
    drawn = []
    before = x = points[0][0]  # from there on it was level
    y = points[0][1]
    for to_x, to_y in points:
        if to_y != y:
            if before > x:
                drawn.append(f"h{before - x}")
            between = "" if to_y < y else " "  # a sign sets two numbers apart by itself
            drawn.append(f"l{to_x - before}{between}{to_y - y}")
            x, y = to_x, to_y
        before = to_x
    if before > x:
        drawn.append(f"h{before - x}")
    return "".join(drawn)


FILTERS: Mapping[str, Callable[..., object]] = {
    "number": number,
    "ms": milliseconds,
    "us": microseconds,
    "duration": duration,
    "percent": percent,
    "mib": mebibytes,
    "moment": moment,
    "text": text,
    "ago": ago,
    "top_of": top_of,
    "line": line,
    "area": area,
    "part": part,
    "digest": digest,
}
