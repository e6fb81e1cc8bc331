"""`/openapi.json` as it is: every error a problem, and the routes' own listing."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from .problems import MEDIA_TYPE

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
    },
    "required": ["type", "title", "status"],
}
_ANSWER = {
    "description": "A problem",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def install(app: FastAPI) -> None:
    """Replace FastAPI's own error schemas, which this service never sends, by the problem."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        schema = generate()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas["Problem"] = PROBLEM
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                for status in _statuses(path, operation):
                    operation["responses"].setdefault(status, _ANSWER)
                operation["responses"].setdefault("default", _ANSWER)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _statuses(path: str, operation: dict[str, Any]) -> Iterator[str]:
    if "{" in path:
        yield "404"
    if "requestBody" in operation or operation.get("parameters"):
        yield "422"


def list_routes(app: FastAPI) -> Iterator[str]:
    """`METHODS path` of every route, with the limits that it declares."""
    for route in iter_route_contexts(app.routes):
        methods = ",".join(sorted(route.methods or ()))
        extra = getattr(route.original_route, "openapi_extra", None) or {}
        limits = "".join(f"  {k}={v}" for k, v in extra.items() if k.startswith("x-"))
        yield f"{methods:<10} {route.path}{limits}"
