"""Growth by stack, also where somebody else traces; and the names of the functions in it."""

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from steadfast_service.runtime.ops.diagnostics.function_names import (
    FunctionNames,
)
from steadfast_service.runtime.ops.diagnostics.growth import HeapGrowth

SOURCE = """\
import functools
BEFORE = bytes(10)

def one(): return bytes(1)

class Shelf:
    label = bytes(2)

    @functools.cache
    def put(self):
        sizes = [len(bytes(size))
                 for size in range(3)]
        later = lambda: bytes(
            4)
        def inner():
            return bytes(5)
        return sizes, later, inner
"""
NAMES = {
    2: "<module>",
    4: "one",
    7: "Shelf",
    11: "Shelf.put",
    12: "Shelf.put",
    14: "Shelf.put",
    16: "Shelf.put.<locals>.inner",
    17: "Shelf.put",
    99: "?",
}


@pytest.fixture
def tracing() -> Iterator[None]:
    tracemalloc.start(1)
    yield
    tracemalloc.stop()


async def test_somebody_elses_tracing_goes_on(tracing: None) -> None:
    before = bytes(3_000_000)
    profile = await HeapGrowth().take(0.01, 100)
    assert tracemalloc.is_tracing()
    # What was there before is not in it.
    assert sum(one["value"] for one in profile.top) < len(before)


async def test_nothing_is_traced_after_it() -> None:
    profile = await HeapGrowth().take(0.01, 100)
    assert not tracemalloc.is_tracing()
    assert profile.kind == "growth"
    assert profile.seconds >= 0.01
    assert not [stack for stack, _ in profile.stacks if "growth.py" in " ".join(stack)]


def _by_hand(path: Path) -> str:
    """A file that no module was made from."""
    return str(path)


def _imported(path: Path) -> str:
    sys.path.insert(0, str(path.parent))
    try:
        __import__(path.stem)
    finally:
        sys.path.remove(str(path.parent))
    return str(path)


@pytest.mark.parametrize("known", [_by_hand, _imported])
def test_a_line_has_the_name_of_its_function(tmp_path: Path, known: Callable[[Path], str]) -> None:
    path = tmp_path / f"shelf_{known.__name__}.py"
    path.write_text(SOURCE, encoding="utf-8")
    names, file = FunctionNames(), known(path)
    assert {line: names.at(file, line) for line in NAMES} == NAMES
    sys.modules.pop(path.stem, None)


def test_what_is_no_source_has_no_names(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def (:\n", encoding="utf-8")
    names = FunctionNames()
    for file in (str(broken), str(tmp_path / "none.py"), "<frozen abc>", "<string>"):
        assert names.at(file, 1) in {"?", "<module>"}
