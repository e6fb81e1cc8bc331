"""The OpenAPI description of operations, from the very types that check them.

Not from the contract's text: so a comparison of the two finds what the types do not hold to.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from .operation import Answer, Operation, Parameter
from .wire import adapter

Json = dict[str, Any]
Key = tuple[str, ...]


class Description:
    """Operations by id, and the components that they refer to."""

    def __init__(self, operations: Iterable[Operation[Any]]) -> None:
        operations = tuple(operations)
        types = {key: type_ for one in operations for key, type_ in _types(one)}
        mode: Literal["validation"] = "validation"
        inputs = [(key, mode, adapter(type_)) for key, type_ in types.items()]
        schemas, definitions = TypeAdapter.json_schemas(
            inputs, ref_template="#/components/schemas/{model}"
        )
        self._schemas = {key: schema for (key, _), schema in schemas.items()}
        self.schemas: Json = definitions.get("$defs", {})
        self.security_schemes: Json = {
            need.scheme.name: dict(need.scheme.definition)
            for one in operations
            for need in one.security
        }
        self.operations = {one.id: self._operation(one) for one in operations}

    def _operation(self, operation: Operation[Any]) -> Json:
        out: Json = {}
        if operation.parameters:
            out["parameters"] = [self._parameter(operation, one) for one in operation.parameters]
        if (body := operation.body) is not None:
            out["requestBody"] = {
                **({"description": body.description} if body.description else {}),
                "required": body.required,
                "content": {
                    media: {"schema": self._schemas[operation.id, "body", media]}
                    | _encoding(media, body.styles)
                    for media in body.content
                },
            }
        out["responses"] = {
            status: self._answer(operation, status, answer)
            for status, answer in operation.answers.items()
        }
        if operation.security:
            needs = [{need.scheme.name: list(need.scopes)} for need in operation.security]
            out["security"] = [*needs, {}] if operation.optional_security else needs
        if operation.deadline is not None:
            out["x-deadline"] = operation.deadline
        if operation.key_route:
            out["x-key-route"] = True
        if operation.critical:
            out["x-priority"] = "critical"
        if operation.stream:
            out["x-stream"] = True
        return out

    def _parameter(self, operation: Operation[Any], one: Parameter) -> Json:
        schema = dict(self._schemas[operation.id, one.location, one.name])
        if one.default is not None:
            schema["default"] = one.default
        out: Json = {"name": one.name, "in": one.location, "required": one.required}
        if one.description:
            out["description"] = one.description
        if one.deprecated:
            out["deprecated"] = True
        if one.style == "json":
            return out | {"content": {"application/json": {"schema": schema}}}
        return out | {"style": one.style, "explode": one.explode, "schema": schema}

    def _answer(self, operation: Operation[Any], status: str, answer: Answer) -> Json:
        out: Json = {"description": answer.description}
        if answer.headers:
            out["headers"] = {
                one.name: {
                    **({"description": one.description} if one.description else {}),
                    "required": one.required,
                    "schema": self._schemas[operation.id, status, "header", one.name],
                }
                for one in answer.headers
            }
        if answer.content:
            out["content"] = {
                media: {"schema": self._schemas[operation.id, status, media]}
                for media in answer.content
            }
        return out


def _encoding(media: str, styles: Mapping[str, str]) -> Json:
    deep = {name for name, style in styles.items() if style == "deepObject"}
    if "form" not in media or not deep:
        return {}
    return {"encoding": {name: {"style": "deepObject", "explode": True} for name in sorted(deep)}}


def _types(operation: Operation[Any]) -> Iterable[tuple[Key, Any]]:
    for one in operation.parameters:
        yield (operation.id, one.location, one.name), one.type
    if operation.body is not None:
        for media, type_ in operation.body.content.items():
            yield (operation.id, "body", media), type_
    for status, answer in operation.answers.items():
        for media, type_ in answer.content.items():
            yield (operation.id, status, media), type_
        for header in answer.headers:
            yield (operation.id, status, "header", header.name), header.type


def document(operations: Iterable[Operation[Any]]) -> Json:
    """A whole OpenAPI document of the operations, and of nothing else."""
    operations = tuple(operations)
    description = Description(operations)
    paths: Json = {}
    for one in operations:
        about: Json = {"operationId": one.id, "tags": [one.tag]}
        if one.deprecated:
            about["deprecated"] = True
        paths.setdefault(one.path, {})[one.method.lower()] = about | description.operations[one.id]
    return {
        "openapi": "3.1.0",
        "info": {"title": "described", "version": "0"},
        "paths": paths,
        "components": {
            "schemas": description.schemas,
            "securitySchemes": description.security_schemes,
        },
    }
