"""A drill as an SVG: request rate by outcome, what failed, latency, and the fault over them."""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from .records import Kind, Records, quantile_of
from .stage import Picture

WIDTH, LEFT, RIGHT = 960, 64, 16
TOP, HEIGHT, GAP = 64, 120, 34
SLICES = 120  # points along the time, at least a fifth of a second each
# Colours that hold on light and on dark, and to colour-blind eyes (Okabe and Ito).
COLOURS = {
    Kind.OK: "#009e73",
    Kind.REFUSED: "#e69f00",
    Kind.LATE: "#56b4e9",
    Kind.FAILED: "#d55e00",
    Kind.LEFT: "#999999",
}
STYLE = """<style>
svg { background: #fff; font: 12px system-ui, sans-serif; }
text { fill: #444; } .title { font-size: 16px; font-weight: 600; fill: #111; }
.grid { stroke: #8884; } .fault { fill: #d55e00; opacity: .13; }
.mark { fill: #d55e00; font-weight: 600; } .p50 { stroke: #0072b2; } .p99 { stroke: #cc79a7; }
.line { fill: none; stroke-width: 1.6; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181d; } text { fill: #aaa; } .title { fill: #eee; }
  .fault { opacity: .25; } .p50 { stroke: #56b4e9; }
}
</style>"""


class Axis:
    """Seconds of the drill, in slices, to the width of the picture."""

    def __init__(self, records: Records) -> None:
        self.begin = min((record.intended for record in records), default=0.0)
        end = max((record.ended for record in records), default=1.0)
        self.slice = max((end - self.begin) / SLICES, 0.2)
        self.count = max(math.ceil((end - self.begin) / self.slice), 1)

    def x(self, at: float) -> float:
        """Where this moment is."""
        share = (at - self.begin) / (self.slice * self.count)
        return LEFT + min(max(share, 0), 1) * (WIDTH - LEFT - RIGHT)

    def index(self, at: float) -> int:
        """In which slice this moment is."""
        return min(int((at - self.begin) / self.slice), self.count - 1)

    def middle(self, index: int) -> float:
        """Where a slice is drawn."""
        return self.x(self.begin + (index + 0.5) * self.slice)


def draw(picture: Picture) -> str:
    """The picture as one SVG document."""
    records = picture.records
    axis = Axis(records)
    rates = {kind: _rates(records.kinds(kind), axis) for kind in Kind}
    wrong: dict[Kind, list[float]] = {kind: rates[kind] for kind in Kind if kind is not Kind.OK}
    height = TOP + 3 * HEIGHT + 2 * GAP + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        STYLE,
        f'<text class="title" x="{LEFT}" y="24">{escape(picture.title)}</text>',
        *_legend(kind for kind in Kind if any(rates[kind])),
    ]
    for number, span in enumerate(picture.faults):
        begin, end = axis.x(span.begin), axis.x(span.end)
        bottom = 3 * HEIGHT + 2 * GAP
        y = TOP - 6 - 15 * (number % 2)  # labels of faults in a row would run into each other
        size = f'width="{max(end - begin, 1):.1f}" height="{bottom}"'
        parts += (
            f'<rect class="fault" x="{begin:.1f}" y="{TOP}" {size}/>',
            f'<text class="mark" x="{begin + 4:.1f}" y="{y}">{escape(span.label)}</text>',
        )
    parts += _areas("requests/s", rates, axis, TOP)
    parts += _areas("without success/s", wrong, axis, TOP + HEIGHT + GAP)
    parts += _latencies(records, axis, TOP + 2 * (HEIGHT + GAP))
    parts += _seconds(axis, height - 12)
    return "\n".join([*parts, "</svg>", ""])


def _rates(records: Records, axis: Axis) -> list[float]:
    """Requests per second, by the slice in which they were due."""
    counts = [0.0] * axis.count
    for record in records:
        counts[axis.index(record.intended)] += 1 / axis.slice
    return counts


def _legend(kinds: Iterator[Kind]) -> Iterator[str]:
    x = WIDTH - RIGHT
    for kind in reversed(list(kinds)):
        x -= 7 * len(kind) + 26
        yield f'<rect x="{x}" y="14" width="11" height="11" rx="2" fill="{COLOURS[kind]}"/>'
        yield f'<text x="{x + 16}" y="24">{kind}</text>'


def _areas(name: str, series: dict[Kind, list[float]], axis: Axis, top: float) -> Iterator[str]:
    """Stacked areas, on a scale that fits their sum."""
    sums = [sum(values) for values in zip(*series.values(), strict=True)]
    most = _round_up(1.1 * max(sums, default=0))
    yield from _frame(name, top, [(0, "0"), (0.5, f"{most / 2:g}"), (1, f"{most:g}")])
    base = [0.0] * axis.count
    for kind, values in series.items():
        if not any(values):
            continue
        upper = [low + value for low, value in zip(base, values, strict=True)]
        there = _points(upper, axis, lambda value: top + HEIGHT * (1 - value / most))
        back = _points(base, axis, lambda value: top + HEIGHT * (1 - value / most))
        path = "L".join([*there, *reversed(back)])
        yield f'<path d="M{path}Z" fill="{COLOURS[kind]}" opacity=".85"/>'
        base = upper


def _latencies(records: Records, axis: Axis, top: float) -> Iterator[str]:
    """Two lines over a logarithmic scale: a fault changes latencies by orders of magnitude."""
    slices: list[list[float]] = [[] for _ in range(axis.count)]
    for record in records.kinds(Kind.OK):
        slices[axis.index(record.intended)].append(record.latency)
    highest = max((max(values) for values in slices if values), default=0.01)
    low, high = -3, max(math.ceil(math.log10(max(highest, 1e-3))), -1)
    marks = [((power - low) / (high - low), _time(10.0**power)) for power in range(low, high + 1)]
    yield from _frame("latency of answers", top, marks)

    def y(value: float) -> float:
        share = (math.log10(max(value, 10.0**low)) - low) / (high - low)
        return top + HEIGHT * (1 - share)

    for name, quantile in (("p50", 0.5), ("p99", 0.99)):
        runs: list[list[str]] = [[]]
        for index, values in enumerate(slices):
            if values:
                at = f"{axis.middle(index):.1f},{y(quantile_of(values, quantile)):.1f}"
                runs[-1].append(at)
            elif runs[-1]:
                runs.append([])
        for run in filter(None, runs):
            yield f'<path class="line {name}" d="M{"L".join(run)}"/>'
        x = WIDTH - RIGHT - (78 if name == "p50" else 28)
        yield f'<path class="line {name}" d="M{x - 16},{top - 8}h12"/>'
        yield f'<text x="{x}" y="{top - 4}">{name}</text>'


def _frame(name: str, top: float, marks: Sequence[tuple[float, str]]) -> Iterator[str]:
    yield f'<text x="{LEFT}" y="{top + 14}" dx="4" opacity=".8">{name}</text>'
    for share, label in marks:
        y = top + HEIGHT * (1 - share)
        yield f'<path class="grid" d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _seconds(axis: Axis, y: float) -> Iterator[str]:
    whole = axis.slice * axis.count
    step = _round_up(whole / 8)
    at = 0.0
    while at <= whole:
        x = axis.x(axis.begin + at)
        yield f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{at:g} s</text>'
        at += step


def _points(values: Sequence[float], axis: Axis, y: Callable[[float], float]) -> list[str]:
    return [f"{axis.middle(index):.1f},{y(value):.1f}" for index, value in enumerate(values)]


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power * 1.0001)


def _time(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"
