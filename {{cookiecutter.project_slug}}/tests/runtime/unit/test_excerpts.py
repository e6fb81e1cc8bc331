"""What is kept of what came from outside is bounded, and says where it was cut."""

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steadfast_service.runtime.observability.excerpts import (
    excerpt,
    fields_of,
    shortened,
)

LIMIT = 1_000
short = st.text(max_size=3)
texts = short | st.builds(lambda text, times: text * times, short, st.integers(0, 900))
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, trees, max_size=8))
@example({"event": "\0" * 2_000})
@example({"\0" * 2_000: "x", "event": "e"})
@example({str(number): "x" * 400 for number in range(50)})
@example({"nested": [[[["x" * 2_000]]]]})
def test_a_line_is_an_object_within_its_limit(fields: dict[str, Any]) -> None:
    line = orjson.dumps(fields)
    short = shortened(line, LIMIT)
    assert len(short) <= LIMIT
    read = fields_of(short)
    if len(line) <= LIMIT:
        assert short == line
    else:
        assert read["cut"]["bytes"] == len(line)


def test_an_exception_keeps_its_end_and_the_small_fields_stay() -> None:
    stack = "Traceback\n" + "  File x\n" * 2_000 + "LookupError: no such order"
    record = {"level": "error", "event": "failed", "exception": stack, "service": "orders"}
    read = fields_of(shortened(orjson.dumps(record), LIMIT))
    assert (read["level"], read["event"], read["service"]) == ("error", "failed", "orders")
    assert read["exception"].startswith("Traceback\n")
    assert read["exception"].endswith("LookupError: no such order")
    assert read["cut"]["fields_left_out"] == 0


@pytest.mark.parametrize("line", [b"no json", b'"text"', b"[1]", b"\xff"])
def test_a_line_of_another_form_is_text(line: bytes) -> None:
    assert "event" in fields_of(line)
    assert len(shortened(line * 2_000, LIMIT)) <= LIMIT


def test_any_text_can_be_said_in_json() -> None:
    assert orjson.loads(orjson.dumps(excerpt("a\ud800b", 10))) == "a?b"
    assert excerpt("x" * 10, 10) == "x" * 10
    assert "90 characters" in excerpt("x" * 100, 10)
