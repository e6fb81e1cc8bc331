"""Contracts as they are written: what is read, and what is refused before it is understood."""

import json
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tools.contract.document import Refusal, escape, follow, load, parse, resolve, validated, walk

from .contracts import INTEGER, STRING, answer, array, document, obj, operation, parameter, ref


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("True", "True"),
        ("true", True),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("12:30:00", "12:30:00"),
        ("0x10", "0x10"),
        ("010", "010"),
        ("0o7", "0o7"),
        ("1_000", "1_000"),
        ("=", "="),
        ("<<", "<<"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("10", 10),
        ("-1", -1),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("~", None),
        ("", None),
        ("null", None),
        ("'null'", "null"),
        ('"200"', "200"),
    ],
)
def test_a_plain_scalar_is_what_json_would_take_it_for(text: str, value: Any) -> None:
    found = parse(f"key: {text}\n")["key"]
    assert (type(found), found) == (type(value), value)


def test_a_key_is_a_string_as_in_json() -> None:
    assert parse("200: a\nno: b\ntrue: c\nnull: d\n") == {
        "200": "a",
        "no": "b",
        "true": "c",
        "null": "d",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 1: the key 'a' is written twice"),
        ("x:\n  k: 1\n  k: 1\n", "line 2: the key 'k' is written twice"),
        ('{"a": 1, "a": 1}', "written twice"),
        ("a: [1\n", "not YAML"),
        ("a: !!python/object:os.system {}\n", "not YAML"),
        ("- 1\n", "not a mapping"),
        ("", "not a mapping"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
    ],
)
def test_what_is_no_document_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        parse(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(string.printable),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    )
)
def test_json_is_read_as_it_is_meant(value: Any) -> None:
    assert parse(json.dumps({"key": value})) == {"key": value}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot read"):
        load(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9\n")
    with pytest.raises(Refusal, match="cannot read"):
        load(tmp_path / "latin.yaml")
    (tmp_path / "good.yaml").write_text(yaml.safe_dump(document()), encoding="utf-8")
    assert load(tmp_path / "good.yaml")["openapi"] == "3.1.0"


@pytest.mark.parametrize("version", ["3.2.0", "2.0", "3.0", "4.0.0", 3.1, None])
def test_other_versions_are_refused(version: Any) -> None:
    with pytest.raises(Refusal) as refused:
        validated(document() | {"openapi": version})
    assert refused.value.pointer == "/openapi"
    assert "3.0 and 3.1 are understood" in refused.value.reason


@pytest.mark.parametrize("other", [{"swagger": "2.0", "info": {}}, {"title": "a letter"}])
def test_what_is_not_openapi_is_refused(other: Any) -> None:
    with pytest.raises(Refusal, match="version none"):
        validated(other)


def schemas(**named: Any) -> Any:
    return document(schemas=named)


A = "/components/schemas/A"


@pytest.mark.parametrize(
    ("contract", "pointer", "reason"),
    [
        (document({"x": {}}), "/paths", "x"),
        (document({"/x": {"get": {}}}, version="3.0.3"), "/paths/~1x/get", "responses"),
        (document({"/x": {"get": {"responses": {"2000": answer()}}}}), "/paths/~1x/get/", "2000"),
        (schemas(A={"type": "text"}), A, "text"),
        (schemas(A=obj({"a": {"minLength": -1}})), A + "/properties/a/minLength", "-1"),
        (schemas(**{"A B": {}}), "/components/schemas", "A B"),
        (document({"/x": {"get": operation(parameter(place="body"))}}), "/paths/~1x/get/p", "body"),
        (document({"/x/{a}": {"get": operation()}}), "", "'a'.*'/x/{a}'"),
        (
            document({p: {"get": operation(operationId="one")} for p in ("/x", "/y")}),
            "",
            "'one' .*not unique",
        ),
        (schemas(A=obj({"a": INTEGER | {"default": "x"}})), A + "/properties/a/default", "'x'"),
        (schemas(B={"type": "object"}, A=obj({"a": array(STRING, default=[1])})), A, "1 is not"),
    ],
)
def test_invalid_documents_are_refused(contract: Any, pointer: str, reason: str) -> None:
    with pytest.raises(Refusal, match=reason) as refused:
        validated(contract)
    assert refused.value.pointer.startswith(pointer)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("#/components/schemas/B", "points to nothing"),
        ("#/components/schemas/A/required/7", "points to nothing"),
        ("#/components/schemas/A/type/x", "points to nothing"),
        ("other.yaml#/B", "leaves this file"),
        ("https://example.org/b.json", "leaves this file"),
        ("B", "leaves this file"),
        ("#B", "leaves this file"),
        ("", "leaves this file"),
        ("#/components/schemas/A/properties/loop", "by itself"),
    ],
)
def test_references_that_lead_nowhere(target: str, reason: str) -> None:
    with pytest.raises(Refusal, match=reason) as refused:
        validated(schemas(A=obj({"loop": {"$ref": target}}, "loop")))
    assert refused.value.pointer == "/components/schemas/A/properties/loop"


@pytest.mark.parametrize(
    "looping",
    [
        {"A": ref("A")},
        {"A": ref("B"), "B": ref("A")},
        {"A": {"allOf": [ref("A"), obj({"a": STRING})]}},
        {"A": {"allOf": [ref("B")]}, "B": {"allOf": [ref("A")]}},
        {"A": {"anyOf": [ref("B"), STRING]}, "B": {"oneOf": [ref("A"), STRING]}},
        {"A": obj({"k": STRING}, oneOf=[ref("B")]), "B": {"allOf": [ref("A")]}},
    ],
)
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_schema_that_is_a_part_of_itself(looping: Any, version: str) -> None:
    with pytest.raises(Refusal, match="is defined by itself") as refused:
        validated(document(schemas=looping, version=version))
    assert refused.value.pointer.startswith("/components/schemas/")


def test_an_anchor_that_contains_itself() -> None:
    text = "openapi: 3.1.0\ninfo: &a {title: t, version: '1', x-more: *a}\npaths: {}\n"
    with pytest.raises(Refusal, match="contains itself"):
        validated(parse(text))


def test_references_are_followed_through_escapes_and_each_other() -> None:
    contract = document(
        {"/a~b/{id}": {"parameters": [parameter("id", "path")]}},
        parameters={"One": {"$ref": "#/paths/~1a~0b~1%7Bid%7D/parameters/0"}},
    )
    assert resolve(contract, "#/paths/~1a~0b~1%7Bid%7D/parameters/0", "")["name"] == "id"
    node, pointer = follow(contract, {"$ref": "#/components/parameters/One"}, "/here")
    assert (node["in"], pointer) == ("path", "/paths/~1a~0b~1%7Bid%7D/parameters/0")
    loop = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}
    with pytest.raises(Refusal, match="refers to itself"):
        follow(loop, {"$ref": "#/a"}, "/here")


def test_examples_are_data() -> None:
    shown = {"$ref": "somewhere/else.yaml"}
    contract = document(schemas={"A": {"type": "object", "examples": [shown], "default": {}}})
    assert validated(contract) is contract
    assert ("/components/schemas/A/examples", [shown]) not in list(walk(contract))


@given(st.lists(st.text("ab~/01{}", max_size=4), min_size=1, max_size=3))
def test_a_pointer_leads_back(keys: list[str]) -> None:
    node: Any = "here"
    for key in reversed(keys):
        node = {key: node}
    assert resolve(node, "#/" + "/".join(map(escape, keys)), "") == "here"
