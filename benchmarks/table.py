"""Rounds to one line of the table: median, spread, target."""

from collections.abc import Sequence
from statistics import median

HEAD = f"{'what':<58} {'median':>9} {'spread':>17}  target"


def line(what: str, values: Sequence[float], unit: str = "", target: str = "") -> str:
    """One row; `target` is `<= 0.6` or `>= 0.8` and gets a verdict."""
    middle = median(values)
    spread = f"{min(values):.3f} .. {max(values):.3f}"
    verdict = ""
    if target:
        sign, bound = target.split()
        met = middle <= float(bound) if sign == "<=" else middle >= float(bound)
        verdict = f"{target} {'met' if met else 'MISSED'}"
    return f"{what:<58} {middle:>6.3f} {unit:<2} {spread:>17}  {verdict}"
