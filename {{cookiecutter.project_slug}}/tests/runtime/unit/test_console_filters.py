"""The numbers and charts of the console."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.ops.console.filters import FILTERS

KNOWN = st.floats(0, 1e6, allow_nan=False)
SERIES = st.lists(st.none() | KNOWN, max_size=300)


def shown(name: str, *args: object) -> str:
    """What a template gets, with plain spaces for narrow ones."""
    return str(FILTERS[name](*args)).replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("number", 0, "0"),
        ("number", 1_203_344, "1 203 344"),
        ("number", 99.94, "99.9"),
        ("number", 4.0, "4"),
        ("number", 0.25, "0.25"),
        ("number", 0.0004, "0"),
        ("ms", 0.41, "410 µs"),
        ("ms", 12.34, "12.3 ms"),
        ("ms", 4212.7, "4.21 s"),
        ("us", 38.14, "38.1 µs"),
        ("us", 2010.3, "2.01 ms"),
        ("duration", 0.25, "250 ms"),
        ("duration", 59.5, "59.5 s"),
        ("duration", 60, "1 min"),
        ("duration", 3_605, "1 h"),
        ("duration", 90_060, "1 d 1 h"),
        ("percent", 0.0479, "4.79 %"),
        ("percent", 1, "100 %"),
        ("mib", 0.5, "512 KiB"),
        ("mib", 142.3, "142 MiB"),
        ("mib", 1536, "1.5 GiB"),
        ("moment", 0, "01 Jan 00:00:00"),
        ("moment", "2026-11-28T03:12:44.123+01:00", "28 Nov 02:12:44"),
        ("moment", "<script>", "<script>"),
        ("moment", 1e300, "1e+300"),
        ("part", 0.375, "37.5"),
        ("part", 7, "100"),
        ("part", None, "0"),
    ],
)
def test_numbers_are_written_for_people(name: str, value: object, text: str) -> None:
    assert shown(name, value) == text


@pytest.mark.parametrize("name", ["number", "ms", "us", "duration", "percent", "mib", "moment"])
def test_what_is_not_known_is_a_dash(name: str) -> None:
    assert shown(name, None) == "\N{EN DASH}"


def points(path: str) -> list[tuple[int, int]]:
    """Where a path goes, as a browser follows it."""
    x = y = 0
    places: list[tuple[int, int]] = []
    for command, rest in re.findall(r"([MVhlz])([-\d ]*)", path):
        numbers = [int(one) for one in re.findall(r"-?\d+", rest)]
        if command == "M":
            x, y = numbers
        elif command == "V":
            y = numbers[0]
        elif command == "h":
            x += numbers[0]
        elif command == "l":
            x, y = x + numbers[0], y + numbers[1]
        places.append((x, y))
    return places


def test_a_line_ends_now_and_leaves_gaps() -> None:
    path = shown("line", [0, None, 10, 10, 5], 10, 5)
    assert path == "M1 100h0M3 0h0h1l1 50"
    assert points(path) == [(1, 100), (1, 100), (3, 0), (3, 0), (4, 0), (5, 50)]


def test_a_line_takes_its_times() -> None:
    path = shown("line", [4, 0, 8], 8, 300, [1_000.0, 1_240.4, 1_300.0])
    assert points(path)[0] == points(path)[1] == (0, 50)
    assert points(path)[2:] == [(240, 100), (300, 0)]


def test_what_is_older_than_the_chart_is_left_out() -> None:
    assert shown("line", [1, 2], 2, 60, [0.0, 100.0]) == "M60 0h0"
    assert shown("area", [1, 2], 2, 60, [0.0, 100.0]) == "M60 100V0V100z"


@pytest.mark.parametrize("name", ["line", "area"])
@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_a_chart_of_nothing_draws_no_line(name: str, values: list[None]) -> None:
    drawn = shown(name, values, 1, 60)
    assert all(y == 100 for _, y in points(drawn))


@given(SERIES)
def test_a_line_stays_in_its_chart(values: list[float | None]) -> None:
    top = FILTERS["top_of"]([values])
    for name in ("line", "area"):
        drawn = str(FILTERS[name](values, top, 300))
        assert re.fullmatch(r"[MVhlz\d -]*", drawn)  # nothing that would need to be escaped
        assert all(0 <= x <= 300 and 0 <= y <= 100 for x, y in points(drawn))
    known = [value for value in values if value is not None]
    assert isinstance(top, float)
    assert max(known, default=0) <= top <= max(12 * max(known, default=0), 1)


@given(st.floats(1e-3, 1e9))
def test_a_scale_ends_at_a_round_number(highest: float) -> None:
    top = FILTERS["top_of"]([[highest]], 1e-6)
    assert isinstance(top, float)
    mantissa = top / 10 ** math.floor(math.log10(top) + 1e-9)
    assert any(math.isclose(mantissa, step) for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10))


def test_the_same_row_has_the_same_name() -> None:
    rows = [["waiting", "work", ["a.py:1 in x"]], ["waiting", "work", ["a.py:2 in x"]]]
    assert len({shown("digest", row) for row in [*rows, *rows]}) == 2


def test_how_long_ago_is_by_the_clock_of_the_service() -> None:
    info = {"started_at": "2026-11-28T03:00:00+00:00", "uptime_seconds": 7_200.0}
    assert FILTERS["ago"]("2026-11-28T04:30:00.000+00:00", info) == 1_800
    for strange in ("a while", "2026-11-28T04:30:00"):  # the second has no zone
        assert FILTERS["ago"](strange, info) == 0
