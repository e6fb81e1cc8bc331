"""What the generated types cannot hold a caller to is refused, with its place and the reason."""

import pytest

from tools.contract.document import Refusal

from .contracts import (
    FORM,
    INTEGER,
    NUMBER,
    STRING,
    Json,
    answer,
    array,
    content,
    document,
    obj,
    operation,
    parameter,
    planned,
    ref,
    with_body,
    with_parameters,
)

X = "/components/schemas/X"
SCHEMAS: list[tuple[Json, str, str]] = [
    *(
        ({"X": {"type": kind, keyword: value}}, f"{X}/{keyword}", "cannot be expressed")
        for kind, keyword, value in (
            ("string", "not", {"const": "a"}),
            ("object", "if", {"required": ["a"]}),
            ("object", "patternProperties", {"^a": STRING}),
            ("object", "propertyNames", {"pattern": "^a"}),
            ("object", "dependentRequired", {"a": ["b"]}),
            ("object", "unevaluatedProperties", False),
            ("array", "prefixItems", [STRING]),
            ("array", "contains", STRING),
            ("array", "minContains", 1),
            ("array", "uniqueItems", True),
            ("array", "unevaluatedItems", False),
            ("string", "contentSchema", {}),
            ("object", "$defs", {"a": STRING}),
            ("string", "$id", "x"),
        )
    ),
    ({"X": obj({"a": array({"not": STRING})})}, f"{X}/properties/a/items/not", "not"),
    ({"X": False}, f"{X}/not", "not"),
    ({"X": {"type": "string", "pattern": "^(?=a)"}}, f"{X}/pattern", "look-around"),
    ({"X": {"type": "string", "pattern": r"(a)\1"}}, f"{X}/pattern", "engine"),
    ({"X": {"oneOf": [INTEGER, NUMBER]}}, f"{X}/oneOf", "overlap"),
    ({"X": {"oneOf": [{}, STRING]}}, f"{X}/oneOf", "overlap"),
    ({"X": {"oneOf": [obj({"a": STRING}), obj({"b": STRING})]}}, f"{X}/oneOf", "overlap"),
    ({"X": {"anyOf": [STRING, INTEGER], "maxLength": 3}}, f"{X}/anyOf", "beside maxLength"),
    ({"X": obj({"a": STRING}, anyOf=[{"required": ["a"]}])}, f"{X}/anyOf", "beside properties"),
    ({"X": {"anyOf": [STRING], "oneOf": [STRING, INTEGER]}}, f"{X}/oneOf", "beside"),
    ({"X": {"type": "string", "anyOf": [STRING, INTEGER]}}, f"{X}/type", "is no string"),
    ({"X": {"allOf": [STRING, INTEGER]}}, f"{X}/allOf", "no type in common"),
    ({"X": {"allOf": [{"pattern": "a"}, {"pattern": "b"}]}}, f"{X}/allOf", "about 'pattern'"),
    ({"X": {"allOf": [{"multipleOf": 2}, {"multipleOf": 3}]}}, f"{X}/allOf", "about 'multipleOf'"),
    (
        {"X": {"allOf": [obj({"a": STRING}, additionalProperties=False), obj({"b": STRING})]}},
        f"{X}/allOf",
        "one part forbids b",
    ),
    (
        {"X": {"allOf": [obj({}, additionalProperties=STRING), obj({"b": INTEGER})]}},
        f"{X}/allOf",
        "typed additionalProperties",
    ),
    (
        {"X": {"allOf": [obj({"a": ref("Y")}), obj({"a": STRING})]}, "Y": STRING},
        f"{X}/allOf",
        "about the property 'a'",
    ),
    ({"X": obj({"a": {"allOf": [ref("X"), obj({"b": STRING})]}})}, X, "a part of"),
    ({"X": obj({}, "a", additionalProperties=False)}, f"{X}/required", "required and forbidden"),
    ({"X": {"enum": [{"a": 1}]}}, f"{X}/enum", "objects and arrays"),
    ({"X": {"const": [1]}}, f"{X}/const", "objects and arrays"),
    ({"X": {"type": "string", "const": 1}}, f"{X}/const", "no value is valid"),
    ({"X": {"enum": [1, 2], "minimum": 3}}, f"{X}/enum", "no value is valid"),
    (
        {"X": {"type": ["string", "integer", "null"], "enum": ["a", None]}},
        f"{X}/type",
        "several types beside null",
    ),
]
CAT, DOG = obj({"kind": STRING}, "kind"), obj({"kind": STRING}, "kind")
TAGGED = {"propertyName": "kind"}
MAPPED = TAGGED | {"mapping": {"z": "Zebra"}}
UNIONS: list[tuple[Json, str, str]] = [
    ({"oneOf": [ref("Cat"), DOG], "discriminator": TAGGED}, "/oneOf/1", "is a \\$ref"),
    ({"oneOf": [ref("Cat"), {"type": "null"}], "discriminator": TAGGED}, "/oneOf/1", "is a \\$ref"),
    (
        {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "sort"}},
        "/discriminator",
        "not an object with the property sort",
    ),
    (
        {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": MAPPED},
        "/discriminator",
        "'z' is none of the variants",
    ),
    (
        obj(
            {
                "a": {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": TAGGED},
                "b": {
                    "oneOf": [ref("Cat"), ref("Dog")],
                    "discriminator": TAGGED | {"mapping": {"c": "Cat"}},
                },
            }
        ),
        "/properties/b/discriminator",
        "another value of kind",
    ),
]
P = "/paths/~1x/get/parameters/0"
PARAMETERS: list[tuple[Json, str, str]] = [
    (parameter(style="deepObject"), "/style", "deepObject is for"),
    (parameter(schema=obj({"a": STRING})), "/schema", "as form text"),
    (parameter(schema=obj({"a": STRING}), explode=False), "/schema", "as form text"),
    (parameter(schema={}), "/schema", "anything at all"),
    (parameter(schema={"anyOf": [STRING, array(STRING)]}), "/schema", "told apart"),
    (parameter(schema=array(array(STRING))), "/schema", "array of arrays"),
    (parameter(schema=array(obj({}))), "/schema", "array of arrays"),
    (parameter(schema={"type": "array"}), "/schema", "array of arrays"),
    (parameter(place="cookie", schema=array(STRING)), "/explode", "explode: false"),
    (
        parameter(style="pipeDelimited", explode=True, schema=array(STRING)),
        "/explode",
        "no agreed spelling",
    ),
    (
        {"name": "p", "in": "query", **content(STRING, "application/xml")},
        "/content",
        "application/xml",
    ),
    (parameter(place="header", schema=obj({})), "/schema", "as simple text"),
]
FORMS: list[tuple[Json, Json, str, str]] = [
    (array(STRING), {}, "/schema", "not an object"),
    ({}, {}, "/schema", "not an object"),
    ({"anyOf": [obj({"a": STRING}), obj({"b": STRING})]}, {}, "/schema", "not an object"),
    ({"type": ["object", "null"]}, {}, "/schema", "not an object"),
    (obj({"a": obj({})}), {}, "/schema/properties/a", "style deepObject"),
    (obj({"a": {}}), {}, "/schema/properties/a", "style deepObject"),
    (obj({"a": array(obj({}))}), {}, "/schema/properties/a", "an array of"),
    (obj({"a": {"anyOf": [STRING, array(STRING)]}}), {}, "/schema/properties/a", "something else"),
    (obj({"a": array(STRING)}), {"style": "form", "explode": False}, "/encoding/a", "explode"),
    (obj({"a": array(STRING)}), {"style": "pipeDelimited"}, "/encoding/a", "only form"),
]
G = "/paths/~1x/get"
SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "k"},
    "token": {"type": "http", "scheme": "bearer"},
    "digest": {"type": "http", "scheme": "digest"},
    "tls": {"type": "mutualTLS"},
}
EVENTS = answer(STRING, "text/event-stream")
OPERATIONS: list[tuple[Json, str, str]] = [
    (operation(responses={"404": answer()}), f"{G}/responses", "how it ends well"),
    ({}, f"{G}/responses", "how it ends well"),
    (operation(security=[{"key": [], "token": []}]), f"{G}/security", "two schemes at once"),
    (operation(security=[{"tls": []}]), "/components/securitySchemes/tls", "only bearer"),
    (operation(security=[{"digest": []}]), "/components/securitySchemes/digest", "only bearer"),
    (operation(security=[{"none": []}]), "/components/securitySchemes", "'none' is not declared"),
    *(
        (operation(responses=responses, **{"x-stream": True}), f"{G}/responses", "a stream")
        for responses in (
            {"204": answer()},
            {"201": EVENTS},
            {"default": EVENTS},
            {"200": EVENTS | {"headers": {"X-A": {"schema": STRING}}}},
            {"200": EVENTS, "202": answer()},
            {"200": answer(STRING, "a/b") | {"content": {"a/b": {}, "c/d": {}}}},
        )
    ),
    *(
        (operation(**{"x-deadline": value}), f"{G}/x-deadline", "positive number")
        for value in ("3s", "3", 0, -1, True, None, [3])
    ),
    (operation(**{"x-priority": "low"}), f"{G}/x-priority", "critical, or left out"),
    (operation(**{"x-key-route": "yes"}), f"{G}/x-key-route", "true or false"),
    (operation(**{"x-stream": 1}), f"{G}/x-stream", "true or false"),
    (
        operation(parameter("X-A", "header"), parameter("x-a", "header")),
        f"{G}/parameters/1",
        "twice",
    ),
    (
        operation(responses={"200": answer(obj({}), FORM)}),
        f"{G}/responses/200/content/application~1x-www-form-urlencoded",
        "no answer",
    ),
    (
        operation(responses={"200": answer(headers={"X-A": content(STRING)})}),
        f"{G}/responses/200/headers/X-A/content",
        "media type",
    ),
    (
        operation(responses={"200": answer(headers={"X-A": {"schema": obj({})}})}),
        f"{G}/responses/200/headers/X-A/schema",
        "as simple text",
    ),
    (
        operation(requestBody={"content": {"a/b": {}, "A/B; v=1": {}}}),
        f"{G}/requestBody/content/A~1B; v=1",
        "twice",
    ),
]


def refused(contract: Json, pointer: str, reason: str) -> None:
    with pytest.raises(Refusal, match=reason) as refusal:
        planned(contract)
    assert refusal.value.pointer == pointer


@pytest.mark.parametrize(("schemas", "pointer", "reason"), SCHEMAS)
def test_schemas(schemas: Json, pointer: str, reason: str) -> None:
    refused(document(schemas=schemas), pointer, reason)


@pytest.mark.parametrize(("union", "pointer", "reason"), UNIONS)
def test_discriminators(union: Json, pointer: str, reason: str) -> None:
    refused(document(schemas={"Cat": CAT, "Dog": DOG, "X": union}), X + pointer, reason)


@pytest.mark.parametrize(("said", "pointer", "reason"), PARAMETERS)
def test_parameters(said: Json, pointer: str, reason: str) -> None:
    refused(with_parameters(said), P + pointer, reason)


@pytest.mark.parametrize("style", ["label", "matrix"])
def test_styles_of_paths(style: str) -> None:
    contract = with_parameters(parameter("p", "path", style=style), path="/{p}")
    refused(contract, "/paths/~1{p}/get/parameters/0/style", style)


@pytest.mark.parametrize(("schema", "encoding", "pointer", "reason"), FORMS)
def test_forms(schema: Json, encoding: Json, pointer: str, reason: str) -> None:
    contract = with_body(schema, FORM, **({"encoding": {"a": encoding}} if encoding else {}))
    where = "/paths/~1x/post/requestBody/content/application~1x-www-form-urlencoded"
    refused(contract, where + pointer, reason)


@pytest.mark.parametrize(("one", "pointer", "reason"), OPERATIONS)
def test_operations(one: Json, pointer: str, reason: str) -> None:
    refused(document({"/x": {"get": one}}, securitySchemes=SCHEMES), pointer, reason)
