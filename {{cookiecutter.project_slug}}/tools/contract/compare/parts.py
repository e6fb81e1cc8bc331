"""Taking schemas apart and putting them together, and the few types that this goes by."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Schema: TypeAlias = Any  # a dict, or a bool

APART = "x-apart"  # on a variant of a oneOf: the other variants, which its values do not match
_REF = "#/components/schemas/"
_OBJECT = ("properties", "additionalProperties", "patternProperties")
_NOTES = {
    *("title", "description", "$comment", "default", "deprecated", "example", "examples"),
    *("readOnly", "writeOnly", "contentEncoding", "contentMediaType"),
    *("discriminator", "externalDocs", "xml"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """A schema and the components that it refers to."""

    schema: Schema
    components: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """One place where a value may be refused. The pointer goes through references."""

    pointer: str
    rule: str
    accepts: str
    refuses: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.accepts} -> {self.refuses}"


def key(value: Any) -> str:
    """Equal for equal JSON values: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def step(name: str) -> str:
    """One step of a JSON pointer, without blanks, so that a pointer is one word."""
    return "/" + re.sub(r"\s", "%20", name.replace("~", "~0").replace("/", "~1"))


def linked(old: Side, new: Side) -> tuple[Schema, Schema, dict[str, Schema]]:
    """Both schemas and one table of what they refer to.

    Only components that changed, or refer to one that did, get a name per side. So equal schemas
    mean the same.
    """
    shared = old.components.keys() & new.components.keys()
    same = {name for name in shared if key(old.components[name]) == key(new.components[name])}
    while changed := {name for name in same if not _references(old.components[name]) <= same}:
        same -= changed

    def marked(node: Any, side: str) -> Any:
        if isinstance(node, list):
            return [marked(item, side) for item in node]
        if not isinstance(node, dict):
            return node
        it = {name: marked(value, side) for name, value in node.items()}
        ref = it.get("$ref")
        if isinstance(ref, str) and ref.removeprefix(_REF) not in same:
            it["$ref"] = side + ref
        return it

    table = {
        ("" if name in same else mark) + _REF + name: marked(schema, mark)
        for mark, side in (("old", old), ("new", new))
        for name, schema in side.components.items()
    }
    return marked(old.schema, "old"), marked(new.schema, "new"), table


def _references(schema: Schema) -> set[str]:
    return set(re.findall(rf'"\$ref": "{_REF}([^"]*)"', json.dumps(schema)))


def plain(schema: Schema) -> dict[str, Any]:
    """True allows anything, False no value at all."""
    if isinstance(schema, bool):
        return {} if schema else {"enum": []}
    return dict(schema)


def without(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != keyword}


def limits(schema: dict[str, Any]) -> set[str]:
    """The keywords that can refuse a value."""
    return {name for name in schema if name not in _NOTES and not name.startswith("x-")}


def resolved(schema: dict[str, Any], table: Mapping[str, Schema]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    return merged(plain(table[schema["$ref"]]), without(schema, "$ref"))


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """A schema for whatever is valid under both."""
    both = {**base, **over}
    for name in ("required", APART):
        if name in base and name in over:
            both[name] = [*base[name], *over[name]]
    if any(name in base for name in _OBJECT) and any(name in over for name in _OBJECT):
        # additionalProperties means those that its own schema does not declare.
        both = {name: v for name, v in both.items() if name in over or name not in _OBJECT}
    return both
