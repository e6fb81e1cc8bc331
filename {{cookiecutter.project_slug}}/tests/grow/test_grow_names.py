"""Which names a dependency or a tag may have, and what a refusal says."""

import keyword
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.grow.dependency import dependency
from tools.grow.names import checked, singular
from tools.grow.refusal import Refusal
from tools.grow.tag import tag

WORD = st.from_regex(r"[a-z][a-z0-9]{1,8}([-_][a-z][a-z0-9]{0,5}){0,2}", fullmatch=True)


def verdict(name: str) -> str | Refusal:
    """The identifier, or why there is none."""
    try:
        return checked(name)
    except Refusal as refusal:
        return refusal


@given(WORD | st.text(max_size=12) | st.sampled_from([*keyword.kwlist, *sys.stdlib_module_names]))
def test_a_name_is_an_identifier_or_refused_in_one_line(name: str) -> None:
    found = verdict(name)
    if isinstance(found, Refusal):
        assert str(found).startswith("NAME=")
        return
    assert found == name.replace("-", "_")
    assert found.isidentifier()
    assert not keyword.iskeyword(found)
    assert found not in sys.stdlib_module_names


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "lower-case"),
        ("x", "lower-case"),
        ("Ledger", "lower-case"),
        ("a--b", "lower-case"),
        ("../up", "lower-case"),
        ("l\u00e4den", "lower-case"),
        ("a" * 31, "lower-case"),
        ("class", "a word of the Python language"),
        ("match", "a word of the Python language"),
        ("filter", "Python's own functions"),
        ("email", "standard library"),
        ("copy", "standard library"),
        ("model_fields", "every group of settings"),
        ("check", "generated code"),
        ("payments", "has it already"),
        ("flags", "is there already"),
    ],
)
def test_a_dependency_is_refused(name: str, why: str) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        dependency(name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("orders", "", ""), "schema Order;"),
        (("orders", "purchase", ""), "has such a tag already"),
        (("items", "", ""), "schema Item;"),
        (("exceptions", "", ""), "exception is a name that generated code"),
        (("fields", "", ""), "field is a name that generated code"),
        (("zebras", "zebras", ""), "needs a name of its own"),
        (("zebras", "class", ""), "a word of the Python language"),
        (("zebras", "", "payments"), "no method find"),
        (("zebras", "", "zoo"), "first: make dependency NAME=zoo"),
    ],
)
def test_a_tag_is_refused(words: tuple[str, str, str], why: str) -> None:
    with pytest.raises(Refusal, match=why):
        tag(*words)


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("refunds", "refund"),
        ("gift_cards", "gift_card"),
        ("entries", "entry"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("branches", "branch"),
        ("houses", "house"),
        ("stock", "stock_item"),
        ("status", "status_item"),
        ("address", "address_item"),
    ],
)
def test_one_of_them(many: str, one: str) -> None:
    assert singular(many) == one


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    growth = tag("zebras")
    assert growth.files  # nothing in the way
    growth.root = tmp_path
    growth.files.clear()
    path = tmp_path / "zebras.py"
    path.write_text("mine\n")
    with pytest.raises(Refusal, match="is there already"):
        growth.new("zebras.py", "")
    assert path.read_text() == "mine\n"
