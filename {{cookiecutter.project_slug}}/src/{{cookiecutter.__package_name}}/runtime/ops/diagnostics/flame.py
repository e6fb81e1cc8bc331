"""A flame graph as one page that needs nothing else, and can be read without its script.

The widest box is on top and what it called below it. Names in it may come from anywhere:
every text is escaped here, and the page's policy lets no script run but its own.
"""

import importlib.resources
from collections.abc import Iterable, Iterator
from html import escape
from string import Template
from typing import Final, NamedTuple

from .formats import printable
from .profile import Profile, Stack

FOLDER: Final = "static"
ROW: Final = 18  # pixels
# Boxes that nobody could see, and more than a browser moves easily.
MIN_SHARE: Final = 0.0003
MAX_BOXES: Final = 4_000
PACKAGE: Final = f"{__name__.partition('.')[0]}/"


class Node:
    """A function at one place of the tree, with all that it called."""

    __slots__ = ("called", "weight")

    def __init__(self) -> None:
        self.weight = 0.0
        self.called: dict[str, Node] = {}


class Box(NamedTuple):
    """Shares of the whole, and the row."""

    text: str
    left: float
    share: float
    weight: float
    depth: int


def flame_page(profile: Profile, name: str) -> str:
    """The page.

    Args:
        name: its title.
    """
    boxes = layout(profile.stacks)
    height = ROW * (1 + max((box.depth for box in boxes), default=0))
    cost = profile.cost
    return Template(_file("flame.html")).substitute(
        name=escape(name),
        samples=f"{profile.samples:,}",
        cost=escape(f"{cost['text']} Measured: {cost.get('overhead_ms', 0):g} ms."),
        height=height,
        boxes="".join(_svg(box, profile.unit) for box in boxes),
        rows="".join(_rows(profile)),
        style=style(),
        script=script(),
    )


def style() -> str:
    """What the page's policy allows, to the byte."""
    return _file("flame.css")


def script() -> str:
    """The same of its script."""
    return _file("flame.js")


def layout(stacks: Iterable[tuple[Stack, float]]) -> list[Box]:
    """The boxes, those of one caller from the widest on; outer ones before inner ones."""
    root = Node()
    for stack, weight in stacks:
        root.weight += weight
        node = root
        for frame in stack:
            node = node.called.setdefault(frame, Node())
            node.weight += weight
    boxes = list(_boxes(root)) if root.weight > 0 else []
    if len(boxes) > MAX_BOXES:
        # What called a box is at least as wide, so that it stays too; of equal ones the outer.
        widest = sorted(range(len(boxes)), key=lambda n: (-boxes[n].share, boxes[n].depth))
        boxes = [boxes[n] for n in sorted(widest[:MAX_BOXES])]
    return boxes


def _boxes(root: Node) -> Iterator[Box]:
    # No recursion: stacks are deep.
    waiting = [("all", root, 0.0, 0)]
    while waiting:
        text, node, left, depth = waiting.pop()
        yield Box(text, left, node.weight / root.weight, node.weight, depth)
        inner = sorted(node.called.items(), key=lambda one: -one[1].weight)
        row = []
        for name, called in inner:
            share = called.weight / root.weight
            if share >= MIN_SHARE:
                row.append((name, called, left, depth + 1))
            left += share
        waiting += reversed(row)


def _svg(box: Box, unit: str) -> str:
    text = escape(printable(box.text))
    where, found, function = text.partition(" in ")
    label = f"{function} {where}" if found else text
    return (
        f'<svg class="{_kind(box)}" x="{100 * box.left:.5f}%" y="{ROW * box.depth}"'
        f' width="{100 * box.share:.5f}%" height="{ROW - 1}">'
        f"<title>{text}: {box.share:.1%}, {_value(box.weight, unit)}</title>"
        f'<rect width="100%" height="100%"/><text x="3" y="13">{label}</text></svg>\n'
    )


def _kind(box: Box) -> str:
    if ".py:" not in box.text:
        return "root"
    if not box.text.startswith(PACKAGE):
        return "library"
    return "machinery" if box.text.startswith(f"{PACKAGE}runtime/") else "ours"


def _rows(profile: Profile) -> Iterator[str]:
    for one in profile.top:
        name = escape(printable(str(one["name"])))
        where = escape(printable(str(one["where"])))
        task = f"<br><small>{escape(printable(one['task']))}</small>" if "task" in one else ""
        yield (
            f"<tr><td><code>{name}</code>{task}</td><td><code>{where}</code></td>"
            f'<td class="n">{one["share"]:.1%}</td>'
            f'<td class="n">{_value(one["value"], profile.unit)}</td></tr>\n'
        )


def _value(weight: float, unit: str) -> str:
    return f"{weight:,.0f} {unit}" if unit == "bytes" else f"{weight:,.3f} {unit}"


def _file(name: str) -> str:
    return (importlib.resources.files(__package__) / FOLDER / name).read_text(encoding="utf-8")
