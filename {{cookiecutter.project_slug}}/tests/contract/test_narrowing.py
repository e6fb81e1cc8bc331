"""The proof that a schema accepts no less than another: case by case."""

from typing import Any

import pytest

from tools.contract.compare.narrowing import Side, narrowed

from .schema_strategies import REF


def found(old: Any, new: Any) -> list[str]:
    return [str(reason) for reason in narrowed(Side(old), Side(new))]


STRING, INTEGER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "null"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def tagged(tag: str, *required: str, **properties: Any) -> dict[str, Any]:
    parts = {"kind": {"enum": [tag]}, **properties}
    return {"type": "object", "properties": parts, "required": ["kind", *required]}


def needing(value: Any, name: str) -> dict[str, Any]:
    return {"properties": {name: value}, "required": [name]}


NARROWED: list[tuple[Any, Any, list[str]]] = [
    (True, STRING, ["/: anything -> string"]),
    (STRING, False, ["/: string -> nothing"]),
    ({"type": "number"}, INTEGER, ["/: number -> integer"]),
    ({"anyOf": [STRING, NULL]}, STRING, ["/: null or string -> string"]),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}, ['/enum: allows "b" -> refuses "b"']),
    ({"enum": [1]}, {"enum": [True]}, ["/: integer -> boolean"]),
    (STRING, {"enum": ["a"]}, ['/enum: string -> only "a"']),
    ({"enum": ["ab"]}, {"maxLength": 1}, ['/maxLength: "ab" -> maxLength 1']),
    (STRING, {"pattern": "^a"}, ['/pattern: no pattern -> pattern "^a"']),
    (
        {"type": "integer", "minimum": 1},
        {"type": "integer", "minimum": 1, "maximum": 9},
        ["/maximum: no maximum -> maximum 9"],
    ),
    (
        {"type": "number", "minimum": 0.5},
        {"type": "number", "exclusiveMinimum": 0.5},
        ["/exclusiveMinimum: minimum 0.5 -> exclusiveMinimum 0.5"],
    ),
    (
        {"type": "integer", "multipleOf": 2},
        {"type": "integer", "multipleOf": 4},
        ["/multipleOf: multipleOf 2 -> multipleOf 4"],
    ),
    (
        {"type": "array", "items": STRING},
        {"type": "array", "items": INTEGER, "uniqueItems": True},
        [
            "/uniqueItems: no uniqueItems -> uniqueItems true",
            "/items: string -> integer",
        ],
    ),
    (
        {"anyOf": [STRING, NULL]},
        {"anyOf": [NULL, {"type": "string", "maxLength": 5}]},
        ["/anyOf/0/maxLength: no maxLength -> maxLength 5"],
    ),
    (
        {"type": "array"},
        {"type": "array", "items": INTEGER, "maxItems": 3},
        ["/maxItems: no maxItems -> maxItems 3", "/items: anything -> integer"],
    ),
    (
        {"type": "object", "additionalProperties": STRING},
        {"type": "object", "additionalProperties": INTEGER},
        ["/additionalProperties: string -> integer"],
    ),
    (closed(a=STRING), closed(), ["/properties/a: allowed -> refused"]),
    (
        {"type": "object"},
        closed(),
        ["/additionalProperties: other properties allowed -> refused"],
    ),
    (
        closed(a=STRING),
        {**closed(a=STRING, b=STRING), "required": ["a", "b"]},
        ["/properties/a: optional -> required", "/properties/b: absent -> required"],
    ),
    (
        {"oneOf": [tagged("cat"), tagged("dog", name=STRING)]},
        {"oneOf": [tagged("dog", "name", name=STRING), tagged("cat")]},
        ["/oneOf/1/properties/name: optional -> required"],
    ),
    (
        {"oneOf": [tagged("cat"), tagged("dog")]},
        {"oneOf": [tagged("cat"), tagged("cow")]},
        ['/oneOf/1: variant object kind "dog" -> no such variant'],
    ),
    (
        {"oneOf": [STRING, INTEGER]},
        {"oneOf": [STRING, INTEGER, {"type": "number"}]},
        ["/oneOf/1: matches one variant -> may match several"],
    ),
    (
        {"type": "object", "required": ["a"]},
        {"type": "object", "minProperties": 2},
        ["/minProperties: no minProperties -> minProperties 2"],
    ),
    (
        needing(INTEGER, "a"),
        {"oneOf": [needing(INTEGER, "a"), needing(STRING, "a")]},
        # Whatever is no object matches both.
        [
            "/: matches one variant -> may match several",
            "/enum: allows false, true -> refuses false, true",
        ],
    ),
    (
        {**closed(a={}), "anyOf": [{"properties": {"b": STRING}}]},
        {"properties": {"a": INTEGER}},
        ["/anyOf/0/properties/a: anything -> integer"],
    ),
    (
        {"anyOf": [INTEGER, {"type": "number", "minimum": 0}]},
        {"oneOf": [INTEGER, {"type": "number", "minimum": 0}]},
        [f"/anyOf/{i}: matches one variant -> may match several" for i in (0, 1)],
    ),
    (
        {"enum": [["a", 1]]},
        {"type": "array", "items": STRING},
        ["/items: integer or string -> string"],
    ),
    ({"enum": [6]}, {"multipleOf": 4}, ["/multipleOf: 6 -> multipleOf 4"]),
    (STRING, {"minLength": 1, "anyOf": [STRING]}, ["/minLength: no minLength -> minLength 1"]),
    (STRING, {"oneOf": [True, True]}, ["/: matches one variant -> may match several"]),
    ({"enum": ["ab"]}, {"pattern": "^b"}, ['/pattern: "ab" -> pattern "^b"']),
    (
        {"minLength": 1, "anyOf": [STRING, NULL]},
        {"anyOf": [{"type": "string", "maxLength": 3}, NULL]},
        ["/anyOf/0/maxLength: no maxLength -> maxLength 3"],
    ),
    (
        {"type": "object", "required": ["c"]},
        {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        ["/: variant object -> no such variant"],
    ),
    (STRING, {"type": "string", "not": {"enum": ["a"]}}, ['/not: no not -> not {"enum": ["a"]}']),
]
SILENT: list[tuple[Any, Any]] = [
    (STRING, {}),
    (False, STRING),
    (INTEGER, {"type": "number"}),
    (STRING, {"anyOf": [NULL, STRING]}),
    ({"enum": ["a", None]}, {"anyOf": [STRING, NULL]}),
    ({"type": "string", "enum": ["a", 1]}, STRING),
    ({"enum": [1.0]}, INTEGER),
    ({"required": ["a"], "anyOf": [{"required": ["b"]}]}, {"required": ["a", "b"]}),
    ({"type": "boolean"}, {"enum": [False, True]}),
    ({"enum": [1]}, {"enum": [1.0, 2]}),
    ({"enum": ["ab", "abc"]}, {"type": "string", "pattern": "^ab", "maxLength": 3}),
    ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
    ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 0.5}),
    (STRING, {"type": "string", "minLength": 0}),
    ({"type": "integer", "multipleOf": 4}, {"type": "integer", "multipleOf": 2}),
    ({"type": "integer", "format": "int32"}, {"type": "integer", "format": "int64"}),
    ({"type": "string", "format": "uuid"}, STRING),
    ({"enum": [{"a": [1, 2]}]}, closed(a={"type": "array", "items": INTEGER, "minItems": 2})),
    (closed(a=STRING), closed(a={}, b=STRING)),
    ({**closed(a=STRING), "required": ["a"]}, {"type": "object", "minProperties": 1}),
    ({"oneOf": [tagged("cat"), tagged("dog")]}, {"oneOf": [tagged(it) for it in ("dog", "cat")]}),
    (
        {"type": "object", "required": ["b", "c"]},
        {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    ),
    ({"anyOf": [tagged("cat")]}, {"oneOf": [tagged("dog"), tagged("cat")]}),
    (
        {},
        {
            "anyOf": [{"type": it} for it in ("object", "array", "string", "number", "boolean")]
            + [NULL]
        },
    ),
]


@pytest.mark.parametrize(("old", "new", "reasons"), NARROWED)
def test_what_is_lost_is_named(old: Any, new: Any, reasons: list[str]) -> None:
    assert found(old, new) == reasons
    assert found({"items": {"anyOf": [{"items": old}]}}, {"items": {"items": new}})


@pytest.mark.parametrize(("old", "new"), SILENT)
def test_what_is_kept_is_not(old: Any, new: Any) -> None:
    assert found(old, new) == []
    assert found({"properties": {"x": old}}, {"properties": {"x": new}}) == []


def test_an_undeclared_property_counts_only_if_asked() -> None:
    old, new = Side({"type": "object"}), Side({"type": "object", "properties": {"a": STRING}})
    assert list(map(str, narrowed(old, new))) == ["/properties/a: anything -> string"]
    assert list(narrowed(old, new, undeclared=False)) == []
    spelt_out = Side({"type": "object", "additionalProperties": True})
    assert len(list(narrowed(spelt_out, new, undeclared=False))) == 1


def test_recursion_ends() -> None:
    def tree(value: Any) -> dict[str, Any]:
        nodes = {"type": "array", "items": {"$ref": REF + "Tree"}}
        return {"Tree": {"type": "object", "properties": {"value": value, "children": nodes}}}

    ref = {"$ref": REF + "Tree"}
    small, large = Side(ref, tree(INTEGER)), Side(ref, tree({"type": "number"}))
    assert list(narrowed(small, large)) == []
    assert list(map(str, narrowed(large, small))) == ["/properties/value: number -> integer"]


def test_what_a_refuted_assumption_seemed_to_prove_is_not_taken_for_proved() -> None:
    def loop(leaf: Any) -> dict[str, Any]:
        parts = {"inner": {"$ref": REF + "Inner"}, "leaf": leaf}
        back = {"type": "object", "properties": {"back": {"$ref": REF + "Outer"}}}
        return {"Outer": {"type": "object", "properties": parts}, "Inner": back}

    outer, inner = {"$ref": REF + "Outer"}, {"$ref": REF + "Inner"}
    either = {"anyOf": [outer, {"type": "object"}]}
    old = Side({"properties": {"a": outer, "b": inner}}, loop(STRING))
    new = Side({"properties": {"a": either, "b": inner}}, loop(INTEGER))
    place = "/properties/b/properties/back/properties/leaf"
    assert list(map(str, narrowed(old, new))) == [f"{place}: string -> integer"]


def test_components_that_all_refer_to_each_other_take_no_time() -> None:
    def mesh(leaf: Any) -> Side:
        names = [f"N{index}" for index in range(12)]
        refs = {name: {"$ref": REF + name} for name in names}
        node = {"type": "object", "properties": {**refs, "leaf": leaf}}
        return Side(refs["N0"], dict.fromkeys(names, node))

    assert len(list(narrowed(mesh(STRING), mesh(INTEGER)))) == 12
    assert list(narrowed(mesh(INTEGER), mesh({"type": "number"}))) == []
