"""Contracts that mean the same are the same, however they are written."""

from pathlib import Path
from typing import Any

import pytest

from tools.contract.compare.drift import differences
from tools.contract.reader import read
from tools.contract.running import described

from .contracts import (
    INTEGER,
    NUMBER,
    STRING,
    Json,
    array,
    content,
    document,
    obj,
    operation,
    ref,
    understood,
    with_schemas,
)

NULL = {"type": "null"}
NULLABLE = {"anyOf": [STRING, NULL]}
SAME: list[tuple[Json, Json]] = [
    ({"const": "a"}, {"enum": ["a"]}),
    ({"type": "string", "const": "a"}, {"enum": ["a"]}),
    ({"type": "string", "enum": ["a", "b"]}, {"enum": ["b", "a", "b"]}),
    ({"type": ["string", "integer"]}, {"anyOf": [INTEGER, STRING]}),
    (
        {"type": ["string", "integer"], "maxLength": 3},
        {"anyOf": [INTEGER, STRING | {"maxLength": 3}]},
    ),
    ({"type": ["string", "null"]}, NULLABLE),
    ({"enum": ["a", None]}, {"anyOf": [NULL, {"const": "a"}]}),
    ({"type": ["string", "null"], "enum": ["a", None]}, {"enum": [None, "a"]}),
    ({"anyOf": [NULLABLE, INTEGER]}, {"anyOf": [INTEGER, NULL, STRING]}),
    ({"anyOf": [NULLABLE, NULL]}, NULLABLE),
    ({"anyOf": [STRING]}, STRING),
    ({"oneOf": [STRING, INTEGER]}, {"anyOf": [INTEGER, STRING]}),
    ({"allOf": [STRING]}, STRING),
    (
        {"allOf": [obj({"a": STRING}, "a"), obj({"b": STRING})]},
        obj({"b": STRING, "a": STRING}, "a"),
    ),
    (
        {"allOf": [STRING | {"maxLength": 5}, {"maxLength": 3, "minLength": 1}]},
        STRING | {"minLength": 1, "maxLength": 3},
    ),
    ({"allOf": [obj({"a": STRING}), {"required": ["a"]}]}, obj({"a": STRING}, "a")),
    (obj({"a": STRING, "b": STRING}, "a", "b"), obj({"b": STRING, "a": STRING}, "b", "a")),
    (obj({"a": STRING}), {"properties": {"a": STRING}}),
    (obj({"a": STRING}), obj({"a": STRING}, additionalProperties=True)),
    (obj({}, additionalProperties={}), {"type": "object"}),
    (obj({"a": INTEGER | {"default": 1}}, "a"), obj({"a": INTEGER}, "a")),
    (
        obj({}, "a", additionalProperties=STRING),
        obj({"a": STRING}, "a", additionalProperties=STRING),
    ),
    (array({}), {"type": "array"}),
    (array(STRING, uniqueItems=False), array(STRING)),
    (STRING | {"format": "email"}, STRING),
    (STRING | {"title": "t", "description": "d", "example": "e", "x-more": 1}, STRING),
    (STRING | {"pattern": r"^\d[\w-]$"}, STRING | {"pattern": "^[0-9][A-Za-z0-9_-]$"}),
    (INTEGER | {"format": "int32"}, INTEGER | {"minimum": -(2**31), "maximum": 2**31 - 1}),
    (ref("Two"), ref("Three")),
    (ref("Two"), obj({"n": INTEGER})),
    ({"$ref": "#/components/schemas/Two/properties/n"}, INTEGER),
    (array(ref("Loop")), array(obj({"next": ref("Loop")}))),
]
SPELLINGS: list[tuple[Json, Json]] = [
    (STRING | {"nullable": True}, {"type": ["string", "null"]}),
    (obj({"a": STRING}, nullable=True), {"anyOf": [obj({"a": STRING}), NULL]}),
    ({"allOf": [ref("Two")], "nullable": True}, {"anyOf": [ref("Two"), NULL]}),
    ({"type": "string", "enum": ["a", None], "nullable": True}, {"enum": ["a", None]}),
    (array(STRING | {"nullable": True}), array(NULLABLE)),
    (NUMBER | {"minimum": 0, "exclusiveMinimum": True}, NUMBER | {"exclusiveMinimum": 0}),
    (NUMBER | {"maximum": 9, "exclusiveMaximum": False}, NUMBER | {"maximum": 9}),
    (ref("Two", description="ignored"), ref("Two")),
]
SHARED: Json = {"Two": obj({"n": INTEGER}), "Three": ref("Two"), "Loop": obj({"next": ref("Loop")})}


def with_x(schema: Json, version: str = "3.1.0") -> Json:
    return with_schemas(version, X=schema, **SHARED)


def found(one: Json, other: Json) -> list[str]:
    return differences(understood(one), understood(other))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_other_words_are_no_difference(one: Json, other: Json) -> None:
    assert found(with_x(one), with_x(other)) == []
    assert found(with_x(other), with_x(one)) == []


@pytest.mark.parametrize(("old", "new"), SPELLINGS)
def test_both_versions_of_openapi_say_the_same(old: Json, new: Json) -> None:
    assert found(with_x(old, "3.0.3"), with_x(new)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"token": []}, {}], [{}, {"token": []}]),
        ([{"token": ["b", "a"]}], [{"token": ["a", "b"]}]),
        ([{}], []),
    ],
)
def test_the_order_of_security_is_no_difference(one: Any, other: Any) -> None:
    schemes = {"token": {"type": "openIdConnect", "openIdConnectUrl": "https://example.org"}}
    sides = (
        document({"/x": {"get": operation(security=security)}}, securitySchemes=schemes)
        for security in (one, other)
    )
    assert found(*sides) == []


@pytest.mark.parametrize("name", ["Other", "two"])
def test_names_of_components_are_no_difference(name: str) -> None:
    body = {"post": operation(requestBody=content(ref("Two")))}
    renamed = {"post": operation(requestBody=content(ref(name)))}
    one, two = document({"/x": body}, SHARED), {name: SHARED["Two"]}
    assert found(one, document({"/x": renamed}, two)) == []


def test_unions_of_recursive_schemas_end() -> None:
    def grown(leaf: Json) -> Json:
        either = {"oneOf": [ref("Node"), ref("Leaf")]}
        node = obj(
            {"t": {"const": "n"}, "left": either, "right": either, "all": array(either)}, "t"
        )
        return with_schemas(Node=node, Leaf=obj({"t": {"const": "l"}, "value": leaf}, "t"))

    assert found(grown(STRING), grown(STRING)) == []
    assert len(found(grown(STRING), grown(INTEGER))) in (1, 2)


def test_components_that_all_refer_to_each_other_take_no_time() -> None:
    def mesh(leaf: Json) -> Json:
        names = [f"N{index}" for index in range(12)]
        node = obj({**{name: ref(name) for name in names}, "leaf": leaf})
        return with_schemas(**dict.fromkeys(names, node))

    assert found(mesh(STRING), mesh(STRING)) == []
    assert found(mesh(STRING), mesh(INTEGER))


def test_the_service_has_no_drift() -> None:
    said = described("steadfast_service")
    contract = read(Path("contract/openapi.yaml"))
    assert differences(contract, understood(said)) == []
    del said["paths"][next(iter(said["paths"]))]
    assert differences(contract, understood(said))
