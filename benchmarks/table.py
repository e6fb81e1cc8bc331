"""Rounds to a table that reads well in a terminal and in Markdown: median, spread, verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

INFORMATION = "for information"  # the note of a row that is held against nothing


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured in several rounds.

    Attributes:
        values: one per round, in `unit`; a ratio has none.
        target: `<= 0.6` or `>= 0.8`, held against the median.
        note: what the last column says where there is no target.
    """

    what: str
    values: Sequence[float]
    unit: str = ""
    target: str = ""
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row's columns."""
        several = self.values if len(self.values) > 1 else [*self.values] * 2
        low, _, high = quantiles(several, n=4, method="inclusive")
        middle = f"{_short(median(self.values))} {self.unit}".rstrip()
        spread = f"{_short(low)} .. {_short(high)}"
        return self.what, middle, spread, str(len(self.values)), self.verdict() or self.note

    def verdict(self) -> str:
        """The target and whether the median reaches it; empty without a target."""
        if not self.target:
            return ""
        sign, bound = self.target.split()
        middle = median(self.values)
        met = middle <= float(bound) if sign == "<=" else middle >= float(bound)
        return f"{self.target} {'met' if met else 'MISSED'}"


def _short(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}"


def table(title: str, rows: Sequence[Row], last: str = "target") -> str:
    """The whole table; the spread is the middle half of the rounds (first to third quartile)."""
    head = (title, "median", "spread", "rounds", last)
    cells = [head, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    rule = tuple("-" * width for width in widths)
    lines = [_line(line, widths) for line in (head, rule, *cells[1:])]
    return "\n".join(["", *lines])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *numbers, last = (
        cell.ljust(width) if at in (0, len(widths) - 1) else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {first} | {' | '.join(numbers)} | {last} |"
