"""What the pages that take commands share: one route for a path, one way to read a body."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..http.problems import Problem, invalid, located
from ..openapi.strict_json import read_json

Handler = Callable[[Request], Awaitable[Response]]
M = TypeVar("M", bound=BaseModel)


def resource(path: str, **handlers: Handler) -> Route:
    """One route for all methods of a path, so that its 405 names every one of them."""

    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await handlers[method](request)

    return Route(path, answer, methods=list(handlers))


async def command(request: Request, kind: type[M]) -> M:
    """The JSON body, read strictly.

    Raises:
        Problem: 415 for another media type, 400 for no JSON, 422 with the place of each error.
    """
    media_type = request.headers.get("content-type", "")
    if media_type.partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "This takes application/json.")
    body = await request.body()
    try:
        read: M = read_json(TypeAdapter(kind), body)
    except ValidationError as exc:
        raise invalid(located(exc, ("body",), body), media_type) from None
    return read


def wrong(field: str, reason: str) -> Problem:
    """422 for a field that is of the right type, and all the same nothing we can use."""
    error = {"type": "value_error", "loc": ("body", field), "msg": reason, "input": None}
    return invalid([error], None)
