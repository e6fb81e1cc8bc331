"""Values as text: how parameters and form fields are spelled in HTTP.

Text becomes JSON text first, by the kinds of value that the type allows, and the type's own
strict JSON validation decides then. So a number in a query is held to the same rules as a
number in a body, and nothing is coerced: `1e1`, `+1` and `0x1` are no integers, `yes` is no
boolean.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic_core import to_json

ToJson = Callable[[Any], bytes]
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}
# Deeper brackets are part of the last key: no caller decides how deep a recursion goes.
_MAX_DEPTH = 32


def adapter(type_: Any) -> TypeAdapter[Any]:
    """Pydantic's validator and serialiser of a type; NaN and infinity are not JSON."""
    try:
        return TypeAdapter(type_, config=ConfigDict(allow_inf_nan=False))
    except PydanticUserError:  # a model has a configuration of its own
        return TypeAdapter(type_)


def schema_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The type's JSON schema; references lead into its own `$defs`."""
    return adapter.json_schema(ref_template="{model}")


def is_bytes(type_: TypeAdapter[Any]) -> bool:
    """Whether a body that is neither JSON nor a form is `bytes`; it is `str` otherwise."""
    schema = schema_of(type_)
    return _resolved(schema, schema.get("$defs", {})).get("format") == "binary"


def files(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """What a form's field holds: `one` file, a `list` of them, or none and so nothing."""
    schema = _resolved(schema, defs)
    if schema.get("type") == "array":
        return "list" if files(schema.get("items", {}), defs) else ""
    return "one" if schema.get("format") == "binary" else ""


def text_to_json(
    schema: Mapping[str, Any], defs: Mapping[str, Any], *, style: str, explode: bool
) -> Callable[[Sequence[str]], bytes]:
    """From the texts that were sent under one name to the JSON text of their value."""
    schema = _resolved(schema, defs)
    if style == "json":
        return lambda texts: texts[-1].encode()
    if schema.get("type") == "array":
        one = _scalar(schema.get("items", {}), defs)
        separator = _SEPARATORS.get(style, ",")

        def exploded(texts: Sequence[str]) -> bytes:
            return b"[" + b",".join([one(text) for text in texts]) + b"]"

        def listed(texts: Sequence[str]) -> bytes:
            return exploded(texts[-1].split(separator) if texts[-1] else ())

        def header(texts: Sequence[str]) -> bytes:
            # Lines of one name are one list, and blanks after its commas mean nothing.
            whole = ",".join(texts).strip(" \t")
            return exploded([text.strip(" \t") for text in whole.split(",")] if whole else ())

        if style == "simple":
            return header
        return exploded if explode else listed
    scalar = _scalar(schema, defs)
    return lambda texts: scalar(texts[-1])


def header_reader(type_: Any) -> Callable[[str], Any]:
    """From a response header's text to its value. The reader raises `ValidationError`."""
    known = adapter(type_)
    schema = schema_of(known)
    convert = text_to_json(schema, schema.get("$defs", {}), style="simple", explode=False)
    return lambda text: known.validate_json(convert([text]), strict=True)


def deep_to_json(
    name: str, schema: Mapping[str, Any], defs: Mapping[str, Any]
) -> Callable[[Sequence[tuple[str, str]]], bytes | None]:
    """From all pairs of a query or form: those that spell `name[key][key]=text`, as JSON."""
    prefix = name.removesuffix("[]") + "["
    shaped = _shape(schema, defs, {})
    # Beside an object something simple may be meant: `created=5` or `created[gt]=5`.

    def deep(pairs: Sequence[tuple[str, str]]) -> bytes | None:
        tree: dict[str, Any] = {}
        for key, text in pairs:
            if key.startswith(prefix) and key.endswith("]"):
                node = tree
                *parents, last = key[len(prefix) : -1].split("][", _MAX_DEPTH)
                for part in parents:
                    child = node.setdefault(part, {})
                    if not isinstance(child, dict):
                        break
                    node = child
                else:
                    # Empty brackets append; a repeated key wins, as everywhere else.
                    node[last or str(len(node))] = text
            elif key == name and not tree:
                return shaped(text)
        return shaped(tree) if tree else None

    return deep


def _shape(schema: Mapping[str, Any], defs: Mapping[str, Any], made: dict[str, ToJson]) -> ToJson:
    """A tree of text in the shape that the schema gives it; `made` ends its own recursion."""
    if (name := schema.get("$ref")) is not None:
        if name not in made:
            made[name] = orjson.dumps
            made[name] = _shape(defs[name], defs, made)

        def known_by_then(tree: Any) -> bytes:
            return made[name](tree)

        return known_by_then
    scalar = _scalar(schema, defs)
    for variant in schema.get("anyOf") or schema.get("oneOf") or ():
        if _resolved(variant, defs).get("type") in ("object", "array"):
            nested = _shape(variant, defs, made)
            return lambda tree: nested(tree) if isinstance(tree, dict) else scalar(tree)
    if schema.get("type") == "array":
        each = _shape(schema.get("items", {}), defs, made)
        return lambda tree: (
            b"[" + b",".join([each(value) for value in tree.values()]) + b"]"
            if isinstance(tree, dict)
            else orjson.dumps(tree)
        )
    if schema.get("type") == "object":
        known = {
            name: _shape(node, defs, made) for name, node in schema.get("properties", {}).items()
        }
        extra = schema.get("additionalProperties")
        other = _shape(extra, defs, made) if isinstance(extra, dict) else orjson.dumps

        def members(tree: Any) -> bytes:
            if not isinstance(tree, dict):
                return orjson.dumps(tree)
            parts = [
                orjson.dumps(key) + b":" + known.get(key, other)(value)
                for key, value in tree.items()
            ]
            return b"{" + b",".join(parts) + b"}"

        return members
    return lambda tree: scalar(tree) if isinstance(tree, str) else orjson.dumps(tree)


def _scalar(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> ToJson:
    kinds = _kinds(schema, defs)
    if not kinds & {"integer", "number", "boolean"}:
        return orjson.dumps

    def to_json(text: str) -> bytes:
        if ("integer" in kinds and _INTEGER.fullmatch(text)) or (
            "number" in kinds and _NUMBER.fullmatch(text)
        ):
            return text.encode()
        if "boolean" in kinds and text in ("true", "false"):
            return text.encode()
        return orjson.dumps(text)

    return to_json


def _kinds(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> set[str]:
    schema = _resolved(schema, defs)
    if variants := schema.get("anyOf") or schema.get("oneOf"):
        return set().union(*(_kinds(variant, defs) for variant in variants))
    if "type" in schema:
        return {schema["type"]}
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return {names.get(type(value), "null") for value in values}


def _resolved(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = defs[schema["$ref"]]
    variants = schema.get("anyOf", ())
    real = [variant for variant in variants if variant.get("type") != "null"]
    return _resolved(real[0], defs) if len(real) == 1 else schema


def json_to_texts(value: Any, *, style: str, explode: bool) -> list[str]:
    """The other way: a value, as Python's plain JSON types, as the texts that spell it.

    Raises `ValueError` for a list that nobody could tell from another one.
    """
    if style == "json":
        return [to_json(value).decode()]
    if not isinstance(value, list):
        return [] if value is None else [_text(value)]
    texts = [_text(item) for item in value]
    if explode and style != "simple":
        return texts
    separator = _SEPARATORS.get(style, ",")
    if texts == [""] or any(separator in text for text in texts):
        raise ValueError(f"a text that is empty or has {separator!r} in it, in a {style} list")
    return [separator.join(texts)]


def json_to_deep(name: str, value: Any) -> list[tuple[str, str]]:
    """A tree of values as `name[key][key]=text` pairs."""
    name = name.removesuffix("[]")
    if isinstance(value, dict):
        return [
            pair for key, node in value.items() for pair in json_to_deep(f"{name}[{key}]", node)
        ]
    if isinstance(value, list):
        return [pair for i, node in enumerate(value) for pair in json_to_deep(f"{name}[{i}]", node)]
    return [] if value is None else [(name, _text(value))]


def _text(value: Any) -> str:
    if value is None:
        raise ValueError("null has no spelling as text")
    return value if isinstance(value, str) else to_json(value).decode()
