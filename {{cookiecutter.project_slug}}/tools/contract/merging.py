"""Schemas taken together: `allOf` as one schema, `oneOf` as variants that exclude each other."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

from .document import Json, Refusal
from .spelling import NOTES

LOWEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
HIGHEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


def merge(one: Json, other: Json, pointer: str) -> Json:
    """The schema of what is valid under both. Raises `Refusal` where it takes more than that."""
    out = dict(one)
    for key, value in other.items():
        out[key] = _both(key, out[key], value, pointer) if key in out else value
    for closed, open_ in ((one, other), (other, one)):
        missing = set(open_.get("properties", {})) - set(closed.get("properties", {}))
        if closed.get("additionalProperties") is False and missing:
            reason = f"one part forbids {', '.join(sorted(missing))}, which another part declares"
            raise Refusal(pointer, reason)
        if missing and isinstance(closed.get("additionalProperties"), dict):
            raise Refusal(pointer, "a part with typed additionalProperties beside other properties")
    return out


def _both(key: str, one: Any, other: Any, pointer: str) -> Any:
    """The value of one keyword that both parts have."""
    if one == other or key in NOTES:
        return one
    if key == "properties":
        return _properties(one, other, pointer)
    if key == "required":
        return list(dict.fromkeys([*one, *other]))
    if key in LOWEST:
        return min(one, other)
    if key in HIGHEST:
        return max(one, other)
    if key == "enum":
        return [item for item in one if item in other]
    if key == "type":
        return _types(one, other, pointer)
    if key == "additionalProperties" and bool in (type(one), type(other)):
        return False if False in (one, other) else other if one is True else one
    raise Refusal(pointer, f"the parts disagree about {key!r}")


def _properties(one: Json, other: Json, pointer: str) -> Json:
    out = dict(one)
    for name, schema in other.items():
        if not out.get(name):  # what is only required says nothing else
            out[name] = schema
        elif schema and out[name] != schema:
            if "$ref" in out[name] or "$ref" in schema:
                raise Refusal(pointer, f"the parts disagree about the property {name!r}")
            out[name] = merge(out[name], schema, pointer)
    return out


def _types(one: Any, other: Any, pointer: str) -> Any:
    ours, theirs = ([x] if isinstance(x, str) else x for x in (one, other))
    both = [kind for kind in ours if kind in theirs]
    if not both:
        raise Refusal(pointer, "the parts have no type in common, so that nothing is valid")
    return both[0] if len(both) == 1 else both


def disjoint(variants: list[Json], resolve: Callable[[Json], Json]) -> bool:
    """Whether no value can be two of these; False where that is not plain to see."""
    return all(_apart(resolve(a), resolve(b), resolve) for a, b in combinations(variants, 2))


def without_null(schema: Json, resolve: Callable[[Json], Json]) -> Json:
    """The variant without null; an enum of nothing where that is all it was."""
    schema = resolve(schema)
    kind = schema.get("type")
    if kind == "null":
        return {"enum": []}
    if isinstance(kind, list):
        return schema | {"type": [one for one in kind if one != "null"]}
    if "anyOf" in schema:
        return schema | {"anyOf": [without_null(one, resolve) for one in schema["anyOf"]]}
    return schema


def _apart(a: Json, b: Json, resolve: Callable[[Json], Json]) -> bool:
    for one, other in ((a, b), (b, a)):
        if "anyOf" in one or "oneOf" in one:
            variants = one.get("anyOf") or one["oneOf"]
            return all(_apart(resolve(variant), other, resolve) for variant in variants)
    values = _values(a), _values(b)
    if values[0] is not None and values[1] is not None:
        return not [value for value in values[0] if value in values[1]]
    kinds = _kinds(a), _kinds(b)
    if not kinds[0] or not kinds[1]:
        return False
    common = kinds[0] & kinds[1]
    if {"integer", "number"} <= kinds[0] | kinds[1]:
        common |= {"number"}
    if not common:
        return True
    return common == {"object"} and _objects_apart(a, b, resolve)


def _objects_apart(a: Json, b: Json, resolve: Callable[[Json], Json]) -> bool:
    for one, other in ((a, b), (b, a)):
        known = one.get("properties", {})
        for name in other.get("required", ()):
            if name not in known and one.get("additionalProperties") is False:
                return True
            if name in known and name in one.get("required", ()):
                theirs = other.get("properties", {}).get(name, {})
                if _apart(resolve(known[name]), resolve(theirs), resolve):
                    return True
    return False


def _values(schema: Json) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None


def _kinds(schema: Json) -> set[str]:
    kind = schema.get("type", [])
    kinds = {kind} if isinstance(kind, str) else set(kind)
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    if not kinds and (values := _values(schema)) is not None:
        kinds = {names.get(type(value), "object") for value in values}
    return kinds
