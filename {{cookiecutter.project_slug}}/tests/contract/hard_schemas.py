"""Schemas that are hard to generate from, each in the words of OpenAPI 3.1 and of 3.0."""

import copy
from typing import Any

from .contracts import INTEGER, NUMBER, STRING, Json, array, obj, ref, with_schemas

NULL = {"type": "null"}
OR_NULL, NULLABLE = {"type": ["string", "null"]}, {"type": "string", "nullable": True}
KIND = {"propertyName": "kind"}
KEYWORDS = ("class", "None", "self", "cls", "from", "import", "async", "def", "lambda", "print")
SHADOWS = ("str", "int", "list", "dict", "bytes", "date", "json", "schema", "copy", "type", "id")
PYDANTIC = ("model_config", "model_fields", "model_dump", "model_post_init", "validate", "fields")
IMPORTED = ("Any", "Field", "Literal", "Annotated", "MISSING", "Model", "root", "__init__")
ODD = ("", "$", "@", "+1", "-1", "1st", "a b", "a-b", "a.b", "_private", "naïve", "日本", "x" * 300)
NAMES = (*KEYWORDS, *SHADOWS, *PYDANTIC, *IMPORTED, *ODD, "fooBar", "foo_bar", "FooBar", "foo-bar")

# By name: as OpenAPI 3.1 says it, and as 3.0 does where that is another way.
SCHEMAS: dict[str, tuple[Any, ...]] = {
    # Recursion
    "Tree": (
        obj({"kids": array(ref("Tree")), "by_name": obj({}, additionalProperties=ref("Tree"))}),
    ),
    "Even": (obj({"next": ref("Odd")}),),
    "Odd": (obj({"next": ref("Even")}, "next"),),
    "Value": (
        {"anyOf": [STRING, {"type": "boolean"}, NULL, array(ref("Value"))]},
        {"anyOf": [STRING, {"type": "boolean"}, array(ref("Value"))], "nullable": True},
    ),
    "Branch": (obj({"t": {"enum": ["b"]}, "all": array(ref("Node")), "one": ref("Node")}, "t"),),
    "Leaf": (obj({"t": {"enum": ["l"]}}, "t"),),
    "Node": ({"oneOf": [ref("Branch"), ref("Leaf")]},),
    "Sum": (obj({"kind": STRING, "of": array(ref("Term")), "last": ref("Term")}, "kind", "of"),),
    "Number": (obj({"kind": STRING, "value": NUMBER}, "kind"),),
    "Term": ({"oneOf": [ref("Sum"), ref("Number")], "discriminator": KIND},),
    # allOf; the base is read while what extends it is
    "Base": (obj({"a": STRING, "heirs": array(ref("Heir"))}),),
    "Heir": ({"allOf": [ref("Base"), obj({"b": INTEGER}, "b")]},),
    "LastHeir": ({"allOf": [ref("Heir"), {"required": ["a"]}], "description": "The last."},),
    "Narrow": ({"allOf": [STRING | {"maxLength": 5}, {"maxLength": 3, "minLength": 2}]},),
    # Unions
    "Cat": (obj({"kind": STRING, "lives": INTEGER}, "kind"),),
    "Dog": (obj({"kind": STRING}, "kind"),),
    "Pet": ({"oneOf": [ref("Cat"), ref("Dog")], "discriminator": KIND},),
    "Car": (obj({"wheels": {"type": "string"}}, "wheels"),),
    "Bus": (obj({"wheels": {"type": "string"}}, "wheels"),),
    "Vehicle": (
        {
            "oneOf": [ref("Car"), ref("Bus")],
            "discriminator": {
                "propertyName": "wheels",
                "mapping": {"four": "#/components/schemas/Car", "4": "Car", "six": "Bus"},
            },
        },
    ),
    "Either": ({"oneOf": [obj({"a": STRING}, "a", additionalProperties=False), STRING]},),
    "OfBoth": ({"anyOf": [STRING | {"maxLength": 3}, INTEGER]},),
    "OneOrMore": (
        obj({"a": {"type": ["string", "array"], "items": STRING, "maxLength": 1}}),
        obj({"a": {"anyOf": [STRING | {"maxLength": 1}, array(STRING)]}}),
    ),
    # Null, everywhere
    "Maybe": (OR_NULL, NULLABLE),
    "MaybeObject": ({"anyOf": [obj({"a": STRING}), NULL]}, obj({"a": STRING}, nullable=True)),
    "MaybeEnum": (
        {"type": ["string", "null"], "enum": ["a", "", None]},
        {"type": "string", "enum": ["a", "", None], "nullable": True},
    ),
    "Nulls": (
        obj(
            {
                "required": OR_NULL,
                "optional": OR_NULL,
                "items": array(OR_NULL),
                "map": obj({}, additionalProperties=OR_NULL),
                "ref": {"anyOf": [ref("Cat"), NULL]},
                "null_ref": {"anyOf": [ref("Maybe"), NULL]},
                "object": ref("MaybeObject"),
                "enum": ref("MaybeEnum"),
                "one": {"anyOf": [{"const": "k"}, NULL]},
                "bounded": {"type": ["integer", "null"], "minimum": 0},
            },
            "required",
        ),
        obj(
            {
                "required": NULLABLE,
                "optional": NULLABLE,
                "items": array(NULLABLE),
                "map": obj({}, additionalProperties=NULLABLE),
                "ref": {"allOf": [ref("Cat")], "nullable": True},
                "null_ref": {"allOf": [ref("Maybe")], "nullable": True},
                "object": ref("MaybeObject"),
                "enum": ref("MaybeEnum"),
                "one": {"enum": ["k"], "nullable": True},
                "bounded": INTEGER | {"nullable": True, "minimum": 0},
            },
            "required",
        ),
    ),
    # Objects
    "Closed": (obj({"a": STRING}, additionalProperties=False),),
    "Open": (obj({"a": STRING}, additionalProperties=True),),
    "Rest": (obj({"a": STRING}, "b", additionalProperties=INTEGER),),
    "Map": (obj({}, additionalProperties={"enum": ["a", "b"]}, minProperties=1, maxProperties=2),),
    "Free": ({"type": "object"},),
    "Empty": (obj({}, additionalProperties=False),),
    "Needs": (obj({"a": STRING}, "a", "b"),),
    "Named": (obj(dict.fromkeys(NAMES, STRING)),),
    "Typed": (obj(dict.fromkeys(SHADOWS, INTEGER) | {"z": STRING, "y": array(STRING)}),),
    "Defaults": (
        obj(
            {
                "text": STRING | {"default": "\"'\\\n"},
                "list": array(STRING, default=["a"]),
                "map": obj({}, additionalProperties=INTEGER, default={"a": 1}),
                "enum": {"type": "string", "enum": ["x", "y"], "default": "y"},
                "free": {"type": "object", "default": {"x": [1]}},
                "models": array(ref("Cat"), default=[]),
            }
        ),
    ),
    # Values
    "Words": ({"enum": ["", " ", "a", "A", "+", "mro", "name", "None", "class", "1", "__x__"]},),
    "Numbers": (INTEGER | {"enum": [2, 3, -1]},),
    "Either2Or3": ({"enum": [2, "a"]},),
    "Fifth": (INTEGER | {"multipleOf": 5},),
    "Half": (
        NUMBER | {"exclusiveMinimum": 0, "maximum": 0.5},
        NUMBER | {"minimum": 0, "exclusiveMinimum": True, "maximum": 0.5},
    ),
    "Quoted": (STRING | {"pattern": "^[\"'\\\\]+$"},),
    "Pair": (array(array(INTEGER, minItems=1), minItems=1, maxItems=2),),
    "Anything": ({},),
    "Documented": (obj({}, description='"""\\ and\n\n more "'),),
}


def hard(version: str) -> Json:
    """All of them in one document."""
    which = 0 if version.startswith("3.1") else -1
    return with_schemas(version, **{name: said[which] for name, said in SCHEMAS.items()})


# What a discriminator means: the values of its property in each variant.
TAGS: dict[str, tuple[str, list[str]]] = {
    **{name: ("kind", [name]) for name in ("Cat", "Dog", "Sum", "Number")},
    "Car": ("wheels", ["four", "4"]),
    "Bus": ("wheels", ["six"]),
}


def meant() -> Json:
    """The components with the discriminators' values in their place, as JSON Schema has them."""
    components: Json = copy.deepcopy(hard("3.1.0")["components"])
    for name, (key, values) in TAGS.items():
        components["schemas"][name]["properties"][key] = {"enum": values}
    return components


_SCALARS = (None, True, 2, 3, 10, -1, 0.5, 0.01, 2.5, "", " ", "a", "A", "k", "abc", "abcd", "\"'")
_MEMBERS: tuple[Any, ...] = (None, 3, "a", "b", [], ["a"], [None], {}, {"a": "b"}, {"kind": "Cat"})
VALUES: list[Any] = [
    *_SCALARS,
    *([one] for one in _SCALARS),
    *([[one], [2]] for one in _SCALARS),
    *({name: one} for name in ("a", "b", "z", *NAMES) for one in (None, 3, "a")),
    *({"a": "a", "b": one} for one in _MEMBERS),
    *(
        {"required": None, name: one}
        for name in SCHEMAS["Nulls"][0]["properties"]
        for one in _MEMBERS
    ),
    *({"required": "a", "bounded": one} for one in (-1, 0, None)),
    *({"kind": kind, "lives": one} for kind in ("Cat", "Dog", "Fox") for one in (1, "a")),
    *({"wheels": wheels} for wheels in ("four", "4", "six", "Car", None)),
    {"kids": [{"kids": []}]},
    {"kids": [{"kids": 1}]},
    {"by_name": {"x": {"kids": [3]}}},
    {"next": {"next": {"next": {}}}},
    {"next": {"next": {"next": {"next": {}}}}},
    {"t": "b", "all": [{"t": "l"}, {"t": "b", "one": {"t": "x"}}]},
    {"t": "b", "all": [{"t": "l"}, {"t": "b", "one": {"t": "l"}}]},
    {"kind": "Sum", "of": [{"kind": "Number", "value": 1}, {"kind": "Sum", "of": []}]},
    {"kind": "Sum", "of": [{"kind": "Number", "value": "1"}]},
    {"kind": "Sum", "of": [], "last": {"kind": "Cat"}},
    {"heirs": [{"b": 1, "a": "x"}]},
    {"heirs": [{"a": "x"}]},
    {"heirs": [{"b": 1, "a": 2}]},
    {"a": "a", "b": 1, "heirs": []},
]
