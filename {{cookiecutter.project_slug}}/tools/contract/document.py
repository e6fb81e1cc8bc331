"""The contract as it is written: loading it, pointing into it, refusing it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

Json = Any
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Refusal(Exception):
    """Something in a contract that cannot be expressed; says where, and why."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer or '/'}: {reason}")
        self.pointer = pointer
        self.reason = reason


class _Loader(yaml.SafeLoader):
    """YAML as JSON: `no` and `on` are words, a date is a string, so is a key, written once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in {key for key in keys if keys.count(key) > 1}:
            raise Refusal("", f"line {node.start_mark.line + 1}: the key {key!r} is written twice")
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                key_node.tag = "tag:yaml.org,2002:str"  # a status is a key: 200
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def parse(text: str) -> Json:
    """The document in YAML or JSON. Raises `Refusal`."""
    # JSON writes what is beyond 16 bits as two escapes, which YAML would leave apart.
    pairs = r"\\u[dD][89abAB]..\\u[dD][c-fC-F].."
    text = re.sub(pairs, lambda one: str(json.loads(f'"{one[0]}"')), text)
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from the safe one
    except yaml.YAMLError as exc:
        raise Refusal("", f"not YAML: {' '.join(str(exc).split())}") from None
    if not isinstance(document, dict):
        raise Refusal("", "not a mapping")
    return document


def load(path: Path) -> Json:
    """Read, parse and validate against OpenAPI's own schema. Raises `Refusal`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise Refusal("", f"cannot read {path}: {exc}") from None
    return validated(parse(text))


def validated(document: Json) -> Json:
    """The document, if it is OpenAPI 3.0 or 3.1 by the specification's own schema."""
    version = str(document.get("openapi", "none"))
    if not version.startswith(("3.0.", "3.1.")):
        raise Refusal("/openapi", f"version {version}; 3.0 and 3.1 are understood")
    validator = OpenAPIV30SpecValidator if version.startswith("3.0.") else OpenAPIV31SpecValidator
    try:
        for pointer, node in walk(document):
            if isinstance(node, dict):
                _grounded(document, node, pointer, frozenset())
    except RecursionError:
        raise Refusal("", "a YAML anchor that contains itself") from None
    for error in validator(document).iter_errors():
        raise Refusal(_place(document, error), " ".join(error.message.split())[:300])
    return document


def _place(document: Json, error: Any) -> str:
    """Where an error stands: the validator counts from the schema, or from its default, alone."""
    path = [*error.absolute_path]
    for pointer, node in walk(document):
        if path and _at(node, path) == error.instance:
            return pointer + pointer_of(path)
        said = node.get("default", ...) if error.validator and isinstance(node, dict) else ...
        if _at(said, path) == error.instance:
            return f"{pointer}/default"
    return pointer_of(path)


def _at(node: Json, path: list[Any]) -> Json:
    try:
        for key in path:
            node = node[key]
    except (KeyError, IndexError, TypeError):
        return ...
    return node


def _grounded(document: Json, node: Json, pointer: str, above: frozenset[str]) -> None:
    """Refuse references to nothing, and what is nothing but itself or a part of itself."""
    parts = [node]
    for keyword in ("allOf", "anyOf", "oneOf"):
        if isinstance(found := node.get(keyword), list):
            parts += [part for part in found if isinstance(part, dict)]
    for part in parts:
        if isinstance(ref := part.get("$ref"), str):
            if ref in above:
                raise Refusal(pointer, f"$ref {ref!r} is defined by itself")
            target = resolve(document, ref, pointer)
            if isinstance(target, dict):
                _grounded(document, target, pointer, above | {ref})


def walk(node: Json, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """Every node with its pointer, examples left out: they are data."""
    yield pointer, node
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in ("example", "examples", "default", "enum", "const"):
                yield from walk(value, f"{pointer}/{escape(key)}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{pointer}/{index}")


def escape(part: object) -> str:
    """One part of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def pointer_of(parts: Any) -> str:
    """The JSON pointer of a path of keys."""
    return "".join(f"/{escape(part)}" for part in parts)


def resolve(document: Json, ref: str, pointer: str) -> Json:
    """What a local reference points to; `pointer` says where it stands."""
    if not ref.startswith("#/"):
        raise Refusal(pointer, f"$ref {ref!r} leaves this file: bundle the contract first")
    node = document
    for part in ref[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
        if isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        elif isinstance(node, dict) and key in node:
            node = node[key]
        else:
            raise Refusal(pointer, f"$ref {ref!r} points to nothing")
    return node


def follow(document: Json, node: Json, pointer: str) -> tuple[Json, str]:
    """`node`, or what it refers to through any number of references, and where that is."""
    seen = set()
    while isinstance(node, dict) and isinstance(ref := node.get("$ref"), str):
        if ref in seen:
            raise Refusal(pointer, f"$ref {ref!r} refers to itself")
        seen.add(ref)
        node, pointer = resolve(document, ref, pointer), ref[1:]
    return node, pointer
