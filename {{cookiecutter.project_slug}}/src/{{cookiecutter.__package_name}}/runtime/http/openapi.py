"""`/openapi.json` as it is: every error a problem, and the routes' own listing."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from ..openapi.describe import Description
from .docs import Docs
from .operations import OperationRoute
from .problems import MEDIA_TYPE

Json = dict[str, Any]
PROBLEM: Json = {
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


def publish(app: FastAPI) -> None:
    """Serve `/openapi.json` and `/docs`. Last, so that no request looks at them before its own."""
    generate = app.openapi
    app.openapi = lambda: app.openapi_schema or _completed(app, generate())  # type: ignore[method-assign]
    # Not FastAPI's own pages: their scripts come from another host.
    app.openapi_url, app.docs_url, app.redoc_url = "/openapi.json", None, None
    app.setup()
    app.router.routes.extend(Docs(app.title).routes())


def _completed(app: FastAPI, schema: Json) -> Json:
    """FastAPI knows nothing of the operations' types, and of errors that are never sent."""
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    contexts = list(iter_route_contexts(app.routes))
    operations = [
        route.served.operation
        for context in contexts
        if isinstance(route := context.original_route, OperationRoute)
    ]
    description = Description(operations)
    schemas |= description.schemas
    if description.security_schemes:
        components.setdefault("securitySchemes", {}).update(description.security_schemes)
    described = set()
    for context in contexts:
        route = context.original_route
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in context.methods or ():
            place = (context.path_format, method)
            if place in described:  # a route before it answers in its place
                continue
            described.add(place)
            operation = schema["paths"][context.path_format][method.lower()]
            if isinstance(route, OperationRoute):
                _describe(operation, description.operations[route.served.operation.id])
            else:
                schemas.setdefault("Problem", PROBLEM)
                _add_problems(context.path_format or "", operation)
    app.openapi_schema = schema
    return schema


def _describe(operation: Json, declared: Json) -> None:
    """What FastAPI found are the dependencies' parameters and needs: they are added to."""
    own = {(one["in"], one["name"].lower()) for one in declared.get("parameters", ())}
    added = [
        one
        for one in operation.get("parameters", ())
        if (one["in"], one["name"].lower()) not in own
    ]
    parameters = [*added, *declared.get("parameters", ())]
    # Alternatives, and the dependencies' needs beside each of them.
    needs = [
        one | other
        for one in operation.get("security") or [{}]
        for other in declared.get("security") or [{}]
    ]
    operation |= declared
    if parameters:
        operation["parameters"] = parameters
    if needs != [{}]:
        operation["security"] = needs


def _add_problems(path: str, operation: Json) -> None:
    operation["responses"].pop("422", None)
    for status in (*_statuses(path, operation), "default"):
        operation["responses"].setdefault(status, _ANSWER)


def _statuses(path: str, operation: Json) -> Iterator[str]:
    if "{" in path:
        yield "404"
    if "requestBody" in operation or operation.get("parameters"):
        yield "422"


def list_routes(app: FastAPI) -> Iterator[str]:
    """`METHODS path` of every route, with the limits that it declares."""
    for route in iter_route_contexts(app.routes):
        methods = ",".join(sorted(route.methods or ()))
        limits = "".join(f"  {name}={value}" for name, value in _limits(route.original_route))
        yield f"{methods:<10} {route.path}{limits}"


def _limits(route: BaseRoute) -> Iterator[tuple[str, Any]]:
    if isinstance(route, OperationRoute):
        operation = route.served.operation
        said = {
            "x-deadline": operation.deadline,
            "x-key-route": operation.key_route,
            "x-priority": "critical" if operation.critical else None,
            "x-stream": operation.stream,
        }
        yield from ((name, value) for name, value in said.items() if value)
    else:
        extra = getattr(route, "openapi_extra", None) or {}
        yield from ((name, value) for name, value in extra.items() if name.startswith("x-"))
