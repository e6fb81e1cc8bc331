"""Contracts in a normal form, in which equal meanings are equal values.

Descriptions, examples and names of schemas are gone; what is left decides which requests
and answers are valid. `drift` and `breaking` compare it.
"""

from typing import Any

from ..contract import Contract, Operation, is_form, is_json
from ..document import Json
from ..spelling import KINDS, NOTES

NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def normal(contract: Contract) -> Json:
    """The whole contract."""
    paths: Json = {}
    for one in contract.operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    schemas = {name: canonical(node) for name, node in contract.schemas.components.items()}
    used = {scheme for one in contract.operations for way in one.security for scheme in way}
    return {
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                name: {k: v for k, v in scheme.items() if k != "description"}
                for name, scheme in contract.security_schemes.items()
                if name in used
            },
        },
    }


def _operation(one: Operation) -> Json:
    out: Json = {
        "operationId": one.id,
        "tags": [one.tag],
        "deprecated": one.deprecated,
        "security": _security(one.security),
        "parameters": [
            {
                "name": parameter.name,
                "in": parameter.location,
                "required": parameter.required,
                "style": parameter.style,
                "explode": parameter.explode,
                "schema": canonical(parameter.schema),
            }
            for parameter in sorted(one.parameters, key=lambda it: (it.location, it.name))
        ],
        "responses": {
            answer.status: {
                "headers": {
                    header.name: {
                        "required": header.required,
                        "schema": canonical(header.schema),
                    }
                    for header in answer.headers
                },
                "content": _content(answer.content),
            }
            for answer in one.answers
        },
    }
    if one.body:
        out["requestBody"] = {
            "required": one.body_required,
            "content": _content(one.body),
            "encoding": {k: v for k, v in one.body_encoding.items() if v == "deepObject"},
        }
    return out | {key: value for key, value in one.extensions.items() if value is not False}


def _security(ways: list[Json]) -> list[Json]:
    """Any of these, in whatever order; nothing to show is no security."""
    ordered = sorted(({name: sorted(way[name]) for name in sorted(way)} for way in ways), key=repr)
    return ordered if any(ordered) else []


def _content(content: Json) -> Json:
    """A body that is neither JSON nor a form is text or bytes, whatever its schema adds."""
    return {
        media: {"schema": canonical(schema) if is_json(media) or is_form(media) else {}}
        for media, schema in content.items()
    }


def canonical(schema: Json) -> Json:
    """One prepared schema in the form that equal ones share."""
    if "$ref" in schema:
        return {k: v for k, v in schema.items() if k in ("$ref", "default")}
    out = {k: v for k, v in schema.items() if k not in NOTES or k == "default"}
    if "const" in out:
        out["enum"] = [out.pop("const")]
    for key in ("anyOf", "oneOf"):
        if key in out:
            return _union(out, key)
    if "properties" in out:
        out["properties"] = {name: canonical(node) for name, node in out["properties"].items()}
    if "required" in out:
        out["required"] = sorted(out["required"])
    if isinstance(out.get("additionalProperties"), dict):
        out["additionalProperties"] = canonical(out["additionalProperties"])
    if out.get("additionalProperties") in (True, {}):
        del out["additionalProperties"]
    if "items" in out:
        out["items"] = canonical(out["items"])
    return _by_kind(out)


def _union(out: Json, key: str) -> Json:
    """Variants in an order of their own, unions inside unions opened."""
    variants: list[Json] = []
    for variant in out.pop(key):
        one = canonical(variant)
        variants += one["anyOf"] if one.keys() == {"anyOf"} else [one]
    distinct = [one for i, one in enumerate(variants) if one not in variants[:i]]
    default = {"default": out["default"]} if "default" in out else {}
    if len(distinct) == 1:
        return distinct[0] | default
    ordered = sorted(distinct, key=repr)
    if "discriminator" in out:
        return {"oneOf": ordered, "discriminator": out["discriminator"]["propertyName"]} | default
    return {"anyOf": ordered} | default


def _by_kind(out: Json) -> Json:
    """One type each, with the keywords that are about it."""
    default = {"default": out.pop("default")} if "default" in out else {}
    if "enum" in out:
        return _enum(out) | default
    kind = out.get("type")
    kinds: list[Any] = kind if isinstance(kind, list) else [kind]
    if kind is None:
        return out | default
    variants = []
    for one in kinds:
        kept = {key: out[key] for key in KINDS.get(one, ()) if key in out}
        variants.append({"type": one} | kept)
    if len(variants) == 1:
        return variants[0] | default
    return {"anyOf": sorted(variants, key=repr)} | default


def _enum(out: Json) -> Json:
    """Values by type, in one order: an enum that may be null is the enum, or null."""
    kind = out.get("type")
    kinds = [kind] if isinstance(kind, str) else list(kind or ())
    values = [*out["enum"], *([None] if "null" in kinds and None not in out["enum"] else [])]
    by_kind: dict[str, list[Any]] = {}
    for value in values:
        by_kind.setdefault(NAMES.get(type(value), "object"), []).append(value)
    variants: list[Json] = []
    for name in sorted(by_kind):
        ordered = sorted(by_kind[name], key=repr)
        variants.append({"type": "null"} if name == "null" else {"type": name, "enum": ordered})
    if len(variants) == 1:
        return variants[0]
    return {"anyOf": sorted(variants, key=repr)}


def resolved(schema: Json, schemas: dict[str, Json]) -> Json:
    """Behind its references; a default beside a reference stays."""
    default = {"default": schema["default"]} if "default" in schema else {}
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
        default = {"default": schema["default"]} | default if "default" in schema else default
    return schema | default
