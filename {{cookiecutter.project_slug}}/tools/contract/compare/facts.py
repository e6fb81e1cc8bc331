"""What can be read off one schema: which types, values and bounds it allows.

Where a schema says more than these functions understand, they answer for a larger set of values,
never for a smaller one.
"""

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from .parts import APART, Schema, key, merged, plain, resolved, without

Kinds: TypeAlias = frozenset[str]

_TYPES = ("null", "boolean", "number", "string", "array", "object")
_NUMBER = frozenset({"integer", "number"})
_ALL = _NUMBER.union(_TYPES)  # "number" stands for those that are not whole
_STRING, _ARRAY, _MAP = (frozenset({name}) for name in ("string", "array", "object"))
BOUNDS: dict[tuple[str, ...], Kinds] = {
    ("minimum", "exclusiveMinimum"): _NUMBER,
    ("maximum", "exclusiveMaximum"): _NUMBER,
    ("minLength",): _STRING,
    ("maxLength",): _STRING,
    ("minItems",): _ARRAY,
    ("maxItems",): _ARRAY,
    ("minProperties",): _MAP,
    ("maxProperties",): _MAP,
}
ABOUT: dict[str, Kinds] = {
    "multipleOf": _NUMBER,
    "pattern": _STRING,
    "format": _STRING | _NUMBER,
    "uniqueItems": _ARRAY,
}
# What has a rule of its own; any other keyword must stay as it was.
COMPARED = frozenset(
    {"type", "enum", "items", "properties", "additionalProperties", "required"}
).union(*BOUNDS)


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if value == math.floor(value) else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def kinds(schema: Schema, table: Mapping[str, Schema], seen: Kinds = frozenset()) -> Kinds:
    """The types that a value may have."""
    schema = plain(schema)
    found = _ALL
    if "type" in schema:
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        found = frozenset(types) | (_NUMBER if "number" in types else frozenset())
    if "enum" in schema:
        found &= {kind(value) for value in schema["enum"]}
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            found &= frozenset().union(*(kinds(v, table, seen) for v in schema[keyword]))
    if ref := schema.get("$ref"):
        found &= frozenset() if ref in seen else kinds(table[ref], table, seen | {ref})
    return found


def said(found: Kinds) -> str:
    if found == _ALL:
        return "anything"
    return " or ".join(sorted(found - ({"integer"} if "number" in found else set()))) or "nothing"


def named(schema: Schema) -> str:
    """A few words for a schema."""
    schema = plain(schema)
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return ", ".join(map(key, schema["enum"])) or "nothing"
    tags = [
        f"{name} {key(part['enum'][0])}"
        for name, part in schema.get("properties", {}).items()
        if isinstance(part, dict) and len(part.get("enum", ())) == 1
    ]
    return " ".join([str(schema.get("type", "anything")), *tags])


def variants(schema: dict[str, Any], found: Kinds) -> list[tuple[str, dict[str, Any]]]:
    """Schemas that together allow what this one does, each with its place; none if it is one."""
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            rest, options = without(schema, keyword), schema[keyword]
            parts = []
            for index, option in enumerate(options):
                others = [other for place, other in enumerate(options) if place != index]
                mark = {APART: others} if keyword == "oneOf" else {}
                part = merged(merged(rest, mark), plain(option))
                parts.append((f"/{keyword}/{index}", part))
            return parts
    if "enum" in schema or isinstance(schema.get("type"), str):
        return []
    types = [name for name in _TYPES if name in found] + ["integer"] * (
        found & _NUMBER == {"integer"}
    )
    return [("", {**schema, "type": name}) for name in types]


def values(schema: dict[str, Any]) -> list[Any]:
    """All values that it may allow, where they can be told; else none."""
    few = {"boolean": [False, True], "null": [None]}.get(schema.get("type", ""), [])
    return list(schema.get("enum", few))


def of_value(value: Any) -> dict[str, Any]:
    """The tightest schema for one value."""
    known: dict[str, Any] = {"type": kind(value), "enum": [value]}
    if isinstance(value, str):
        return {**known, "minLength": len(value), "maxLength": len(value)}
    if isinstance(value, list):
        unique = len(set(map(key, value))) == len(value)
        size = {"minItems": len(value), "maxItems": len(value), "uniqueItems": unique}
        return {**known, **size, "items": {"enum": value}}
    if isinstance(value, dict):
        parts = {name: {"enum": [part]} for name, part in value.items()}
        size = {"minProperties": len(value), "maxProperties": len(value)}
        closed = {"required": list(value), "additionalProperties": False}
        return {**known, **size, **closed, "properties": parts}
    if _NUMBER & {known["type"]}:
        return {**known, "minimum": value, "maximum": value, "multipleOf": value}
    return known


def bound(schema: dict[str, Any], names: tuple[str, ...], found: Kinds) -> tuple[float, bool]:
    """The bound that these keywords set, the larger the tighter, and whether it is excluded."""
    sign = -1 if names[0].startswith("max") else 1
    stated = [
        (sign * schema[name], name.startswith("exclusive")) for name in names if name in schema
    ]
    if names[0] in ("minLength", "minItems", "minProperties"):
        stated.append((0, False))
    if names[0] == "minProperties":
        stated.append((len(set(schema.get("required", ()))), False))
    value, excluded = max(stated, default=(-math.inf, False))
    if found == {"integer"} and math.isfinite(value):
        return (math.floor(value) + 1 if excluded else math.ceil(value)), False
    return value, excluded


def divides(divisor: float, schema: dict[str, Any], found: Kinds) -> bool:
    """Whether all numbers of the schema are multiples of the divisor."""
    steps = [schema["multipleOf"]] if "multipleOf" in schema else []
    steps += [1] if found == {"integer"} else []
    return any(Fraction(str(it)) % Fraction(str(divisor)) == 0 for it in steps)


def matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:  # JavaScript's dialect has forms that Python's lacks
        return False


def child(schema: dict[str, Any], name: str) -> Schema:
    """What the property may be, at most."""
    others = {} if "patternProperties" in schema else schema.get("additionalProperties", {})
    return schema.get("properties", {}).get(name, others)


def apart(one: Schema, other: Schema, table: Mapping[str, Schema], depth: int = 6) -> bool:
    """Whether no value is valid under both, as far as types, enums and tags tell."""
    one, other = plain(one), plain(other)
    if not kinds(one, table) & kinds(other, table):
        return True
    if not depth:
        return False
    if "$ref" in one or "$ref" in other:
        return apart(resolved(one, table), resolved(other, table), table, depth - 1)
    for this, that in ((one, other), (other, one)):
        options = variants(this, kinds(this, table))
        if options and all(apart(option, that, table, depth - 1) for _, option in options):
            return True
    if "enum" in one and "enum" in other:
        return not set(map(key, one["enum"])) & set(map(key, other["enum"]))
    if kinds(one, table) & kinds(other, table) != {"object"}:
        return False
    return any(
        apart(child(one, name), child(other, name), table, depth - 1)
        for name in {*one.get("required", ()), *other.get("required", ())}
    )


def stated(schema: dict[str, Any], *names: str) -> str:
    found = [f"{name} {key(schema[name])}" for name in names if name in schema]
    return ", ".join(found) or f"no {names[0]}"
