"""Custom resources: the schema of a CustomResourceDefinition, as strict as the API server's."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema.protocols import Validator

from .keywords import FORMATS, KubernetesValidator
from .kubernetes import Kind
from .model import Manifest

# Their schemas say nothing about fields: the structure does.
VERBATIM = ("allOf", "anyOf", "oneOf", "not")
COPIED = (
    *VERBATIM,
    *("enum", "format", "maxItems", "maxLength", "maxProperties", "maximum", "minItems"),
    *("minLength", "minProperties", "minimum", "multipleOf", "required", "type", "uniqueItems"),
    *("x-kubernetes-list-map-keys", "x-kubernetes-list-type"),
)
IDENTITY = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Custom:
    """One version of a custom kind.

    Attributes:
        served: the API server answers for it.
        deprecated: it still does, with a warning.
        namespaced: its objects live in a namespace.
    """

    validator: Validator
    served: bool
    deprecated: bool
    namespaced: bool


def definitions(crds: Iterable[Manifest]) -> dict[Kind, Custom]:
    """All versions of all kinds that these define."""
    found = {}
    for crd in crds:
        spec = crd["spec"]
        for version in spec["versions"]:
            schema = structural(version["schema"]["openAPIV3Schema"])
            # `kind`, `apiVersion` and `metadata` belong to every object; metadata is checked apart.
            schema["properties"] = {**schema.get("properties", {}), **IDENTITY, "metadata": {}}
            found[spec["group"], version["name"], spec["names"]["kind"]] = Custom(
                KubernetesValidator(schema, format_checker=FORMATS),
                version["served"],
                version.get("deprecated", False),
                spec["scope"] == "Namespaced",
            )
    return found


def structural(schema: Mapping[str, Any]) -> dict[str, Any]:
    """This schema as JSON Schema, closed where the API server would drop what it does not know."""
    made = {key: schema[key] for key in COPIED if key in schema}
    if "pattern" in schema and _is_python(schema["pattern"]):
        made["pattern"] = schema["pattern"]
    # Version 3 of OpenAPI has flags here, JSON Schema has numbers of its own.
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(flag) is True:
            made[flag] = made.pop(bound)
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    if "items" in schema:
        made["items"] = structural(schema["items"])
    properties = {name: structural(one) for name, one in schema.get("properties", {}).items()}
    if schema.get("x-kubernetes-embedded-resource"):
        properties = {**properties, **IDENTITY, "metadata": {"type": "object"}}
    if properties:
        made["properties"] = properties
    if "additionalProperties" in schema:
        others = schema["additionalProperties"]
        made["additionalProperties"] = structural(others) if isinstance(others, dict) else others
    elif schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = False
    if schema.get("nullable") and "type" in made:
        types = made["type"] if isinstance(made["type"], list) else [made["type"]]
        made["type"] = [*types, "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    return made


def _is_python(pattern: str) -> bool:
    """Patterns are Go's, nearly all of which are Python's as well."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
