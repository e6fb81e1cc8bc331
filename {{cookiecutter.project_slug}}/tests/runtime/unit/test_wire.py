"""Values as text: what is written is read back, and nothing else is read."""

import time
from collections.abc import Sequence
from datetime import UTC, date
from enum import Enum, StrEnum
from types import GenericAlias
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import MISSING, AwareDatetime, ConfigDict, Field, ValidationError

from steadfast_service.runtime.openapi.model import Model
from steadfast_service.runtime.openapi.wire import (
    adapter,
    deep_to_json,
    json_to_deep,
    json_to_texts,
    schema_of,
    text_to_json,
)


class Colour(StrEnum):
    RED = "red, or so"
    NONE = ""


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Range(Model):
    model_config = ConfigDict(extra="forbid")
    from_: Annotated[int | MISSING, Field(alias="from")] = MISSING
    to: int | MISSING | None = MISSING
    tags: list[str] | MISSING = MISSING
    below: "Range | MISSING" = MISSING


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(10**40), 10**40),
    float: FLOATS,
    bool: st.booleans(),
    str: TEXT | st.sampled_from(["1", "true", "null", 'a"b', "a,b", "\0", "\u2028", "\U0001f375"]),
    Colour: st.sampled_from(Colour),
    Size: st.sampled_from(Size),
    Literal["a", "b"]: st.sampled_from(["a", "b"]),
    date: st.dates(),
    AwareDatetime: st.datetimes(timezones=st.just(UTC)),
    UUID: st.uuids(),
    int | None: st.integers(-5, 5),
}
TYPED = st.one_of([st.tuples(st.just(type_), values) for type_, values in VALUES.items()])
LISTS = st.one_of(
    [
        st.tuples(st.just(GenericAlias(list, type_)), st.lists(values))
        for type_, values in VALUES.items()
    ]
)


# Between slashes, and the first is empty.
NO_INTEGERS = (
    '/ 1/1 /1\n/1\0/1_0/+1/0x1/1e1/1.0/01/--1/-/null/true/nan/inf/"1"/[1]/1]/1,/1,2/\u0661/\uff11'
)
NO_NUMBERS = (
    "/ 1.5/1.5 /1_0.0/+1.5/.5/5./01.5/1,5/0x1p3/1e/1e999/null/true"
    "/nan/inf/-inf/NaN/Infinity/-Infinity/\u0661.5"
)
NO_BOOLEANS = "/ true/True/TRUE/yes/on/1/0/t/null"


def decode(type_: Any, texts: Sequence[str], style: str = "form", *, explode: bool = True) -> Any:
    checked = adapter(type_)
    schema = schema_of(checked)
    convert = text_to_json(schema, schema.get("$defs", {}), style=style, explode=explode)
    return checked.validate_json(convert(texts), strict=True)


def encode(type_: Any, value: Any, style: str = "form", *, explode: bool = True) -> list[str]:
    plain = adapter(type_).dump_python(value, mode="json")
    return json_to_texts(plain, style=style, explode=explode)


def deep(type_: Any, pairs: Sequence[tuple[str, str]], name: str = "f") -> Any:
    checked = adapter(type_)
    schema = schema_of(checked)
    found = deep_to_json(name, schema, schema.get("$defs", {}))(pairs)
    return None if found is None else checked.validate_json(found, strict=True, by_name=False)


@given(typed=TYPED, style=st.sampled_from(["form", "simple", "json"]), explode=st.booleans())
@example(typed=(int, 2**70), style="form", explode=False)
@example(typed=(float, 1e300), style="form", explode=False)
def test_a_value_comes_back(typed: tuple[Any, Any], style: str, *, explode: bool) -> None:
    type_, value = typed
    assert decode(type_, encode(type_, value, style), style, explode=explode) == value


@given(LISTS, st.sampled_from(["form", "json"]))
def test_a_list_comes_back(typed: tuple[Any, list[Any]], style: str) -> None:
    type_, value = typed
    texts = encode(type_, value, style)
    if texts:  # without a pair there is no parameter
        assert decode(type_, texts, style) == value


@given(LISTS, st.sampled_from([("form", ","), ("spaceDelimited", " "), ("pipeDelimited", "|")]))
def test_a_list_in_one_text_comes_back_or_is_refused(
    typed: tuple[Any, list[Any]], style: tuple[str, str]
) -> None:
    type_, value = typed
    name, separator = style
    plain = adapter(type_).dump_python(value, mode="json")
    if plain == [""] or any(isinstance(one, str) and separator in one for one in plain):
        with pytest.raises(ValueError, match="in it"):
            encode(type_, value, name, explode=False)
    else:
        [text] = encode(type_, value, name, explode=False)
        assert decode(type_, [text], name, explode=False) == value


@pytest.mark.parametrize("explode", [True, False])
@pytest.mark.parametrize("lines", [["1,2,3"], ["1, 2 ,\t3"], ["1", "2,3"], [" 1 ", "2", "3"]])
def test_lines_of_a_header_are_one_list(lines: list[str], *, explode: bool) -> None:
    assert decode(list[int], lines, "simple", explode=explode) == [1, 2, 3]
    assert encode(list[int], [1, 2, 3], "simple", explode=explode) == ["1,2,3"]
    assert decode(list[int], [""], "simple", explode=explode) == []
    assert decode(list[int], ["1,2", "3"], explode=False) == [3]  # no header: the last counts


@pytest.mark.parametrize(
    ("type_", "texts"), [(int, NO_INTEGERS), (float, NO_NUMBERS), (bool, NO_BOOLEANS)]
)
def test_nothing_is_taken_for_a_value(type_: Any, texts: str) -> None:
    for text in (*texts.split("/"), "1" * 5000 if type_ is int else "e"):
        for one in (type_, GenericAlias(list, type_), type_ | None):
            with pytest.raises(ValidationError):
                decode(one, [text])


NO_VALUES: list[tuple[Any, str]] = [
    (Colour, "red"),
    (Size, "3"),
    (Size, "1.0"),
    (Literal["a"], "A"),
    (UUID, "1"),
]
NO_VALUES += [(date, "2024-13-01"), (date, "20240131"), (AwareDatetime, "2024-01-01T00:00:00")]


@pytest.mark.parametrize(("type_", "text"), NO_VALUES)
def test_what_is_no_such_value(type_: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        decode(type_, [text])


@given(
    st.text(max_size=60), st.sampled_from([*VALUES, *(GenericAlias(list, one) for one in VALUES)])
)
def test_no_text_breaks_it(text: str, type_: Any) -> None:
    """Lone surrogates are no text of HTTP: every decoder on the way replaces or refuses them."""
    text = text.encode(errors="replace").decode()
    for style, explode in (("form", True), ("form", False), ("simple", False), ("json", False)):
        try:
            decode(type_, [text], style, explode=explode)
        except ValidationError:
            continue


RANGES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries({"from": st.integers()}, optional={"to": st.integers()}),
    lambda inner: st.fixed_dictionaries(
        {}, optional={"below": inner, "tags": st.lists(TEXT, min_size=1), "from": st.integers()}
    ),
)


@given(RANGES.map(lambda one: one | {"to": 1}), st.sampled_from(["f", "f.g", "\u00e9"]))
def test_a_tree_comes_back(tree: dict[str, Any], name: str) -> None:
    value = Range.model_validate(tree)
    pairs = json_to_deep(name, value.model_dump(mode="json"))
    sent = parse_qsl(urlencode([("other", "1"), *pairs]), keep_blank_values=True)
    assert deep(Range, sent, name).model_dump(exclude_unset=True) == _pruned(tree)


def _pruned(tree: dict[str, Any]) -> dict[str, Any]:
    """Without the empty trees, which have no spelling."""
    pruned = {key: _pruned(one) if key == "below" else one for key, one in tree.items()}
    return {key: one for key, one in pruned.items() if one != {}}


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        ([("f[]", "1"), ("f[]", "2")], [1, 2]),
        ([("f[0]", "1"), ("f[1]", "2")], [1, 2]),
        ([("f", "1")], None),
        ([("f[", "1"), ("f]", "1"), ("ff[0]", "1"), ("f[0", "1"), ("[f]", "1")], "absent"),
    ],
)
def test_brackets_of_lists(pairs: list[tuple[str, str]], value: Any) -> None:
    if value is None:
        with pytest.raises(ValidationError):
            deep(list[int], pairs, "f[]" if pairs[0][0] != "f" else "f")
    else:
        assert deep(list[int], pairs, "f[]") == (None if value == "absent" else value)


NESTS = ["f" + "[below]" * 5000 + "[to]", "f" + "[x]" * 5000, "f" + "[]" * 5000, "f[" + "]" * 5000]


@pytest.mark.parametrize("type_", [Range, dict[str, Any], list[Any], dict[str, int], Range | None])
@pytest.mark.parametrize(
    "pairs",
    [
        *([(name, "1")] for name in NESTS),
        [("f[b]", "1"), ("f[b][c]", "2")],
        [("f[b][c]", "2"), ("f[b]", "1")],
        [("f[to]", "1"), ("f[to][x]", "2"), ("f[to][x][y]", "3")],
        [("f[to][x]", "1")],
        [("f[\0]", "\0"), ("f[\u2028]", '"}{')],
        [(f"f[{number}]", "1") for number in range(5000)],
        [("f[]", "1")] * 5000,
    ],
)
def test_no_brackets_break_it(type_: Any, pairs: list[tuple[str, str]]) -> None:
    try:
        deep(type_, pairs)
    except ValidationError as exc:
        assert exc.error_count() > 0  # noqa: PT017 - either way is right


@pytest.mark.parametrize("name", ["f[#]", "f[a][#]", "f[]", "f#[a]", "f[#][x"])
def test_its_time_grows_with_the_input_only(name: str) -> None:
    took = []
    for count in (2_000, 40_000):
        pairs = [(name.replace("#", str(number)), "1") for number in range(count)]
        began = time.perf_counter()
        deep(dict[str, Any], pairs)
        took.append(time.perf_counter() - began)
    assert took[1] < 10 * 20 * max(took[0], 0.001)
