"""Two kinds of pictures as SVG: bars with their spread, and lines over growing amounts.

Drawn by hand, because two kinds are all there is: nothing to install, the same bytes from the
same figures, and colours that follow the reader's light or dark scheme.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

WIDTH = 760
# That hold on light and on dark, and to colour-blind eyes (Okabe and Ito).
COLOURS = ("#009e73", "#d55e00", "#0072b2", "#cc79a7", "#e69f00", "#56b4e9")
STYLE = """<style>
svg { font: 13px system-ui, sans-serif; }
.ground { fill: #fff; } text { fill: #444; } .title { font-size: 15px; font-weight: 600; }
.grid { stroke: #8884; } .bar { fill: #7a8899; } .ours { fill: #009e73; }
.spread { stroke: #222; stroke-width: 1.5; } .line { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #16181d; } text { fill: #bbb; } .spread { stroke: #eee; }
}
</style>"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        values: one per round; the bar is their median, the stroke over it all of them.
        ours: in the colour of this service.
    """

    name: str
    values: Sequence[float]
    ours: bool = False


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars from zero."""
    left, right, top, step = 270, 70, 44, 28
    most = max(max(row.values) for row in rows)
    scale = (WIDTH - left - right) / most
    parts = []
    for number, row in enumerate(rows):
        y = top + number * step
        middle = median(row.values)
        kind = "bar ours" if row.ours else "bar"
        low, high = (left + scale * end for end in (min(row.values), max(row.values)))
        parts += [
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(row.name)}</text>',
            f'<rect class="{kind}" x="{left}" y="{y}" width="{scale * middle:.1f}" height="19"/>',
            f'<path class="spread" d="M{low:.1f},{y + 9.5}H{high:.1f}"/>',
            f'<text x="{high + 6:.1f}" y="{y + 14}">{short(middle)}</text>',
        ]
    return _document(title, top + len(rows) * step + 8, parts)


def lines(
    title: str, amounts: Sequence[int], series: Mapping[str, Sequence[float]], of: str
) -> str:
    """Lines over amounts that are evenly spaced, from zero up; `of` says what the amounts are."""
    left, right, top, height = 70, 24, 66, 210
    highest = max(max(values) for values in series.values())
    most = _round_up(highest)
    across = (WIDTH - left - right) / max(len(amounts) - 1, 1)

    def y(value: float) -> float:
        return top + height * (1 - value / most)

    parts = [*_grid(left, right, most, y)]
    for number, (name, values) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [(left + across * at, y(value)) for at, value in enumerate(values)]
        path = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<path class="line" stroke="{colour}" d="M{path}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        legend = left + 190 * number
        parts.append(f'<rect x="{legend}" y="38" width="12" height="12" rx="2" fill="{colour}"/>')
        parts.append(f'<text x="{legend + 18}" y="49">{escape(name)}</text>')
    for at, amount in enumerate(amounts):
        x, anchor = left + across * at, "end" if at == len(amounts) - 1 else "middle"
        text = f'<text x="{x:.1f}" y="{top + height + 20}" text-anchor="{anchor}">{amount}</text>'
        parts.append(text)
    parts.append(f'<text x="{left}" y="{top + height + 42}">{escape(of)}</text>')
    return _document(title, top + height + 54, parts)


def _grid(left: int, right: int, most: float, y: Callable[[float], float]) -> Iterator[str]:
    for share in (0, 0.25, 0.5, 0.75, 1):
        at = y(most * share)
        yield f'<path class="grid" d="M{left},{at:.1f}H{WIDTH - right}"/>'
        label = short(most * share)
        yield f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{label}</text>'


def _document(title: str, height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    about = f"<title>{escape(title)}</title>"
    ground = f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>'
    name = f'<text class="title" x="16" y="26">{escape(title)}</text>'
    return "\n".join([head, about, STYLE, ground, name, *parts, "</svg>", ""])


def short(value: float) -> str:
    """A figure of three digits at most: 12.3 k, 456, 7.9."""
    if value >= 10_000:
        return f"{value / 1000:.3g} k"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _round_up(value: float) -> float:
    """The next 1, 2, 4, 6, 8 or 10 times a power of ten: a quarter of it is a round figure too."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if value <= step * power * 1.0001)
