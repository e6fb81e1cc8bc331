"""Profiles as files: hostile names, sums that stay, bounds."""

import re
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.ops.diagnostics.flame import (
    MAX_BOXES,
    flame_page,
    layout,
)
from steadfast_service.runtime.ops.diagnostics.formats import (
    collapsed,
    speedscope,
)
from steadfast_service.runtime.ops.diagnostics.profile import (
    Profile,
    Stack,
)
from steadfast_service.runtime.ops.diagnostics.taken import (
    FOLDED,
    bounded,
)

from ...support.speedscope import assert_speedscope

HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "</title><script>alert(1)</script>",
            "x.py:1 in </svg><img src=x onerror=alert(1)>",
            'x.py:2 in " onload="alert(1)',
            "a;b 3\nc;d 4",
            "$style ${script} " + "{" * 2 + " 1 }}",
            "\x1b]0;title\x07\x00\ud800",
        ]
    ),
)
STACKS = st.lists(
    st.tuples(
        st.lists(HOSTILE, min_size=1, max_size=5).map(tuple), st.floats(min_value=1e-3, max_value=9)
    ),
    max_size=8,
)


def profile(stacks: list[tuple[Stack, float]], **fields: Any) -> Profile:
    top = [
        {"name": s[-1], "where": s[0], "task": s[0], "share": 0.5, "value": w} for s, w in stacks
    ]
    at = datetime(2026, 1, 2, tzinfo=UTC)
    given_ = {"kind": "cpu", "unit": "seconds", "cost": {"text": "<b>"}} | fields
    return Profile(at=at, seconds=1, samples=3, top=top, stacks=stacks, **given_)


class Tags(HTMLParser):
    """Which elements and attributes a page has, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.titles: list[str] = []
        self._in_title = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        self.found.append(f"{tag} {' '.join(name for name, _ in attrs)}".strip())

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.titles.append(data)
            self._in_title = False


@given(STACKS)
def test_no_name_becomes_an_element_of_the_page(stacks: list[tuple[Stack, float]]) -> None:
    page = flame_page(profile(stacks), "a name")
    page.encode()
    empty = Tags(flame_page(profile([]), "a name")).found
    tags = Tags(page)
    boxes = [one for one in tags.found if one == "svg class x y width height"]
    assert len(boxes) == len(layout(stacks))
    plain = {"svg class x y width height", "title", "rect width height", "text x y"}
    rows = {"tr", "td", "td class", "code", "br", "small"}
    assert set(tags.found) <= set(empty) | plain | rows
    assert page.count("<script>") == 1
    assert len(tags.titles) == len(boxes) + 1


@given(STACKS)
def test_collapsed_is_one_line_per_stack(stacks: list[tuple[Stack, float]]) -> None:
    text = collapsed(profile(stacks))
    text.encode()
    lines = text.split("\n")[:-1]
    assert lines == text.splitlines()
    assert len(lines) == len(stacks)
    for line, (stack, weight) in zip(lines, stacks, strict=True):
        frames, _, whole = line.rpartition(" ")
        assert frames.count(";") == len(stack) - 1
        assert int(whole) == round(weight * 1e6)


@given(STACKS, st.sampled_from(["seconds", "bytes"]))
def test_speedscope_can_read_it(stacks: list[tuple[Stack, float]], unit: str) -> None:
    content = speedscope(profile(stacks, unit=unit), "a name")
    assert_speedscope(content)
    (only,) = content["profiles"]
    assert only["endValue"] == sum(only["weights"])


def test_speedscope_tells_file_line_and_name_apart() -> None:
    content = speedscope(profile([(("thread a in b", "orders/api.py:41 in Orders.place"), 1)]), "")
    assert content["shared"]["frames"] == [
        {"name": "thread a in b"},
        {"name": "Orders.place", "file": "orders/api.py", "line": 41},
    ]


@given(STACKS)
def test_a_box_lies_within_its_caller(stacks: list[tuple[Stack, float]]) -> None:
    boxes = layout(stacks)
    callers: dict[int, Any] = {}
    for box in boxes:
        callers[box.depth] = box
        if box.depth:
            caller = callers[box.depth - 1]
            assert caller.left - 1e-9 <= box.left
            assert box.left + box.share <= caller.left + caller.share + 1e-9
    for depth in {box.depth for box in boxes}:
        row = sorted((box.left, box.share) for box in boxes if box.depth == depth)
        assert all(one[0] + one[1] <= two[0] + 1e-9 for one, two in pairwise(row))


def test_a_large_graph_is_cut_to_its_widest_boxes() -> None:
    stacks = [((f"a{n}", *(f"f{n}.{m}" for m in range(100))), 1.0 + n % 7) for n in range(300)]
    boxes = layout(stacks)
    assert 0 < len(boxes) <= MAX_BOXES
    assert boxes[0].text == "all"
    assert boxes[0].share == 1
    assert len(re.findall("<rect", flame_page(profile(stacks), ""))) == len(boxes)


def test_the_lightest_stacks_are_folded() -> None:
    stacks: list[tuple[Stack, float]] = [
        ((f"thread {n}" * 30, *(f"{n}/{m}.py:1 in f" for m in range(50))), float(n))
        for n in range(2000)
    ]
    kept = bounded(stacks)
    assert sum(weight for _, weight in kept) == sum(weight for _, weight in stacks)
    assert kept[0][1] == 1999
    assert kept[-1][0] == FOLDED
    texts = {frame for stack, _ in kept for frame in stack}
    size = sum(map(sys.getsizeof, texts)) + sum(sys.getsizeof(stack) for stack, _ in kept)
    assert size < 2**20
    few = stacks[:10]
    assert sorted(bounded(few)) == sorted((stack, weight) for stack, weight in few)
