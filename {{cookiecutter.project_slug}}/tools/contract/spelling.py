"""Small pieces of schemas that are written in more than one way."""

import json
import re
from collections.abc import Callable

from jsonschema import Draft202012Validator
from pydantic_core import SchemaError, SchemaValidator, core_schema

from .document import Json, Refusal

# What describes a schema and decides nothing about values.
NOTES = ("title", "description", "deprecated", "default", "examples", "readOnly", "writeOnly")
BOUNDS = (
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
)
SILENT = ("example", "xml", "externalDocs", "$comment", "contentEncoding", "contentMediaType")
KNOWN = frozenset(
    {
        *NOTES,
        *BOUNDS,
        *SILENT,
        *("$ref", "type", "nullable", "enum", "const", "format", "pattern", "discriminator"),
        *("properties", "required", "additionalProperties", "items", "allOf", "anyOf", "oneOf"),
    }
)
Resolve = Callable[[Json], Json]
INTEGERS = {"int32": 31, "int64": 63}
# Those that become a type of their own. By JSON Schema a format is a note; the others stay one.
FORMATS = ("date-time", "date", "time", "uuid", "ipv4", "ipv6", "binary")
IMPLIED = dict.fromkeys(("properties", "additionalProperties", "required"), "object") | {
    "items": "array"
}


KINDS = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("items", "minItems", "maxItems"),
    "object": (
        *("properties", "required", "additionalProperties"),
        *("minProperties", "maxProperties"),
    ),
}
KINDS["integer"] = KINDS["number"]


def is_known(keyword: str, value: Json) -> bool:
    """Whether a schema's keyword can be expressed, or left out."""
    says_nothing = keyword.startswith("x-") or (keyword == "uniqueItems" and value is False)
    return keyword in KNOWN or says_nothing


def apart(schema: Json) -> Json:
    """Several types as one variant each, with the keywords that are about it, where it has any."""
    kinds = schema.get("type")
    if not isinstance(kinds, list):
        return schema
    others = [kind for kind in kinds if kind != "null"]
    if len(others) == 1:  # a class of its own, which null cannot be a part of
        return nullable(schema | {"type": others[0]})
    notes = {k: v for k, v in schema.items() if k in NOTES}
    if schema.keys() - {*NOTES, "type"} and "enum" not in schema:
        about = {kind: {k: schema[k] for k in KINDS.get(kind, ()) if k in schema} for kind in kinds}
        return notes | {"anyOf": [{"type": kind} | about[kind] for kind in kinds]}
    return schema


def nullable(schema: Json) -> Json:
    """The same, or null."""
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "object" and not schema.keys() & {"const", "enum"}:
        return schema | {"type": [kind, "null"]}
    notes = {k: v for k, v in schema.items() if k in NOTES}
    bare = {k: v for k, v in schema.items() if k not in NOTES}
    if not bare:
        return schema
    return notes | {"anyOf": [bare, {"type": "null"}]}


def types(node: Json, out: Json, pointer: str, *, old: bool) -> None:
    """The type, said or implied, and the values; `old` is OpenAPI 3.0."""
    if "const" in node:
        out["const"] = node["const"]
    if "enum" in node:
        out["enum"] = list(node["enum"])
        if node.get("nullable") and old and None in out["enum"]:
            out["enum"].remove(None)
    implied = next((type_ for key, type_ in IMPLIED.items() if key in node), None)
    kind = node.get("type", implied)
    if isinstance(kind, list) and len(kind) == 1:
        kind = kind[0]
    if kind is not None:
        out["type"] = kind
    if kind == "array" and "items" not in node:
        out["items"] = {}
    if isinstance(kind, list) and "enum" in out and "null" in kind and None in out["enum"]:
        if len(kind) != 2:
            raise Refusal(f"{pointer}/type", "an enum of several types beside null")
        out["enum"] = [value for value in out["enum"] if value is not None]


def text(node: Json, out: Json, pointer: str) -> None:
    """The format that becomes a type, and the pattern."""
    if node.get("format") in FORMATS and "enum" not in node and "const" not in node:
        out["format"] = node["format"]
    if "contentMediaType" in node and "contentEncoding" not in node:
        out["format"] = "binary"
    if "pattern" in node:
        out["pattern"] = ascii_classes(node["pattern"])
        if not is_pattern(out["pattern"]):
            reason = "the pattern is not one that pydantic's engine knows (no look-around)"
            raise Refusal(f"{pointer}/pattern", reason)


def bounds(node: Json, out: Json) -> None:
    """Exclusive bounds as numbers; those that a format means."""
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(flag := out.get(exclusive), bool):  # the spelling of 3.0
            del out[exclusive]
            if flag and inclusive in out:
                out[exclusive] = out.pop(inclusive)
    if bits := INTEGERS.get(node.get("format", "")):
        out["minimum"] = max(out.get("minimum", -(2**bits)), -(2**bits))
        out["maximum"] = min(out.get("maximum", 2**bits - 1), 2**bits - 1)


def chosen(out: Json, pointer: str) -> tuple[Json, list[Json]]:
    """An enum, or a const as one, of the values that are valid beside its keywords; the others."""
    key = "const" if "const" in out else "enum"
    values = [out["const"]] if key == "const" else out["enum"]
    if any(isinstance(value, dict | list) for value in values):
        raise Refusal(f"{pointer}/{key}", "objects and arrays by their value")
    beside = {k: v for k, v in out.items() if k in (*BOUNDS, "type", "pattern", "enum")}
    valid = Draft202012Validator(beside).is_valid
    kept = list({json.dumps(value): value for value in values if valid(value)}.values())
    if not kept:
        raise Refusal(f"{pointer}/{key}", "no value is valid by what stands beside it")
    bare = {k: v for k, v in out.items() if k not in (*BOUNDS, "pattern", "const")}
    said = {"type": "null"} if kept == [None] else {"enum": kept}
    return bare | said, [value for value in values if not valid(value)]


def is_pattern(pattern: str) -> bool:
    """Whether pydantic's engine takes it."""
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return False
    return True


def ascii_classes(pattern: str) -> str:
    """`\\d` and `\\w` as ECMA-262 means them; the engine's own would take every script's."""
    sets = {"d": "0-9", "w": "A-Za-z0-9_"}
    inside = False

    def one(match: "re.Match[str]") -> str:
        nonlocal inside
        text = match[0]
        if text in "[]":
            inside = text == "["
        elif text[0] == "\\" and text[1].lower() in sets and (text[1].islower() or not inside):
            body = sets[text[1].lower()]
            return body if inside else f"[{'' if text[1].islower() else '^'}{body}]"
        return text

    return re.sub(r"\\.|[\[\]]", one, pattern)


def kinds_of(schema: Json, resolve: Resolve) -> set[str]:
    """The JSON types that a prepared schema allows; none when it allows all. Never null."""
    schema = resolve(schema)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            found = [kinds_of(variant, resolve) for variant in schema[keyword]]
            return set().union(*found)
    kind = schema.get("type", [])
    kinds = {kind} if isinstance(kind, str) else set(kind)
    if not kinds:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        names = {str: "string", bool: "boolean", int: "integer", float: "number"}
        kinds = {names.get(type(value), "null") for value in values}
    return {"number" if kind == "integer" else kind for kind in kinds} - {"null"}


def is_flat(schema: Json, resolve: Resolve) -> bool:
    """Whether the items of an array, or of an array or null, are simple."""
    schema = resolve(schema)
    for variant in schema.get("anyOf", ()):
        if kinds_of(variant, resolve) == {"array"}:
            return is_flat(variant, resolve)
    items = kinds_of(schema.get("items", {}), resolve)
    return bool(items) and not items & {"array", "object"}


def check_text(
    schema: Json, resolve: Resolve, location: str, style: str, explode: bool, where: str
) -> None:
    """Refuse what has no agreed spelling as text."""
    kinds = kinds_of(schema, resolve)
    if style == "json":
        return
    if style == "deepObject":
        if len(kinds & {"object", "array"}) == 1:
            return
        raise Refusal(f"{where}/style", "deepObject is for an object or for an array")
    if "object" in kinds or not kinds:
        raise Refusal(f"{where}/schema", f"an object or anything at all, as {style} text")
    if "array" in kinds and kinds != {"array"}:
        raise Refusal(f"{where}/schema", "an array or something else cannot be told apart")
    if kinds == {"array"}:
        if location == "cookie" and explode:
            raise Refusal(f"{where}/explode", "a cookie that is repeated; say explode: false")
        if style.endswith("Delimited") and explode:
            raise Refusal(f"{where}/explode", f"{style} with explode has no agreed spelling")
        if not is_flat(schema, resolve):
            raise Refusal(f"{where}/schema", "an array of arrays or of objects, as text")
