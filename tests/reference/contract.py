"""What the example's contract says of headers and problems."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .markdown import code, prose
from .source import Source

METHODS = ("get", "put", "post", "delete", "patch")


def document(of: Source) -> Mapping[str, Any]:
    """The whole contract."""
    text = of.service.joinpath("contract", "openapi.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


def headers(of: Source) -> Iterator[tuple[str, str, str, str]]:
    """Name, direction, operation and description of each header."""
    whole = document(of)
    for name, operation in _operations(whole):
        for one in operation.get("parameters", ()):
            if one.get("in") == "header":
                yield code(one["name"]), "request", name, prose(one.get("description", ""))
        for status, response in operation["responses"].items():
            for header, one in _resolved(whole, response).get("headers", {}).items():
                yield code(header), f"response {status}", name, prose(one.get("description", ""))


def answers(of: Source) -> Iterator[tuple[str, str, str]]:
    """Operation, status and description of each answer that is a problem."""
    whole = document(of)
    for name, operation in _operations(whole):
        for status, response in operation["responses"].items():
            one = _resolved(whole, response)
            if "application/problem+json" in one.get("content", {}):
                yield name, status, prose(one["description"])


def types(of: Source) -> Iterator[tuple[str, str]]:
    """Each type of problem that a caller may branch on."""
    for schema in document(of)["components"]["schemas"].values():
        for part in schema.get("allOf", ()):
            constant = part.get("properties", {}).get("type", {}).get("const")
            if constant:
                yield code(constant), prose(schema["description"])


def members(of: Source, *schemas: str) -> Iterator[tuple[str, str, str]]:
    """The members of problems: name, schema, type."""
    known = document(of)["components"]["schemas"]
    for schema in schemas:
        parts = [known[schema], *known[schema].get("allOf", ())]
        for part in parts:
            for name, one in part.get("properties", {}).items():
                said = one.get("type", "")
                values = ", ".join(code(value) for value in one.get("enum", ()))
                yield code(name), code(schema), " ".join(filter(None, [code(said), values]))


def _operations(whole: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, item in whole["paths"].items():
        for method in METHODS:
            if method in item:
                yield code(f"{method.upper()} {path}"), item[method]


def _resolved(whole: Any, one: Mapping[str, Any]) -> Mapping[str, Any]:
    """The component that a reference points to."""
    if "$ref" in one:
        for part in one["$ref"].removeprefix("#/").split("/"):
            whole = whole[part]
        return dict(whole)
    return one
