"""The router that the contract's generated code builds: a FastAPI router with short ways.

To FastAPI its routes are ordinary ones, with their documentation, dependencies and exception
handlers. Where no dependency was added, a request goes from the lookup to its handler and
the answer to the socket, past what FastAPI would have to find out at every request.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.routing import APIRoute, _EffectiveRouteContext, _IncludedRouter
from fastapi.telemetry._api import _route_selected
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from .. import deadlines
from ..context import current
from ..openapi.operation import Operation
from .answering import Answering, Check, Reply
from .authorization import Authorize
from .credentials import Credentials
from .decoding import Decoder
from .lookup import Found, Lookup
from .problems import Problem

R = TypeVar("R")
Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Bound:
    """An operation and what answers it."""

    operation: Operation[Any]
    handler: Handler


def bind(operation: Operation[R], handler: Callable[..., Awaitable[R]]) -> Bound:
    """Bind a handler to its operation; the type checker holds one to the other's results."""
    return Bound(operation, handler)


def bind_stream(
    operation: Operation[AsyncIterator[bytes]], handler: Callable[..., AsyncIterator[bytes]]
) -> Bound:
    """The same for an operation with `x-stream`."""
    return Bound(operation, handler)


class Endpoint:
    """One bound operation: from the request to the reply."""

    def __init__(self, bound: Bound, *, authorize: Authorize | None, check: bool) -> None:
        operation = bound.operation
        self.operation = operation
        self._handler = bound.handler
        self._decoder = Decoder(operation)
        self._answering = Answering(operation)
        self._check = Check(operation) if check else None
        self._credentials = Credentials(operation, authorize) if operation.security else None
        self._limited = operation.deadline is not None or operation.stream
        asks_nothing = self._decoder.is_empty and self._credentials is None
        self._at_once = asks_nothing and not self._limited and not check

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, path: Mapping[str, str]
    ) -> None:
        """The short way: answer on the socket."""
        if self.operation.stream:
            response = await self.response(scope, receive, path)
            await response(scope, receive, send)
            return
        if self._at_once:
            status, headers, body = self._answering.reply(await self._handler())
        else:
            status, headers, body = await self._reply(scope, receive, path)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def response(self, scope: Scope, receive: Receive, path: Mapping[str, str]) -> Response:
        """The long way: an answer for FastAPI to send. Streams always go it."""
        if self.operation.stream:
            chunks = self._handler(**await self._arguments(scope, receive, path))
            return await _started(chunks, self._answering.stream_media)
        status, headers, body = await self._reply(scope, receive, path)
        response = Response(body, status)
        response.raw_headers = headers
        return response

    async def _reply(self, scope: Scope, receive: Receive, path: Mapping[str, str]) -> Reply:
        arguments = await self._arguments(scope, receive, path)
        if self._check is None:
            return self._answering.reply(await self._handler(**arguments))
        try:
            result = await self._handler(**arguments)
        except Problem as problem:
            self._check.problem(problem)
            raise
        reply = self._answering.reply(result)
        self._check.reply(reply)
        return reply

    async def _arguments(
        self, scope: Scope, receive: Receive, path: Mapping[str, str]
    ) -> dict[str, Any]:
        """What the handler gets, once the caller may call it and the request is valid."""
        if self._limited and (state := current.get()) is not None:
            if self.operation.deadline is not None:
                deadlines.apply(state, self.operation.deadline)
            state.stream = self.operation.stream
        if self._credentials is not None:
            await self._credentials.verify(scope)
        return await self._decoder.decode(scope, receive, path)


async def _started(chunks: AsyncGenerator[bytes], media: str | None) -> Response:
    """A stream whose first part is there: what fails before it is still an error's answer."""
    first = await anext(chunks, None)

    async def parts() -> AsyncGenerator[bytes]:
        async with aclosing(chunks):
            if first is not None:
                yield first
            async for chunk in chunks:
                yield chunk

    return _Stream(parts(), media_type=media)


class _Stream(StreamingResponse):
    """Closes its source when the caller goes, and not when the collector comes around."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert isinstance(self.body_iterator, AsyncGenerator)
        async with aclosing(self.body_iterator):
            await super().__call__(scope, receive, send)


class OperationRoute(APIRoute):
    """What FastAPI sees of an operation."""

    def __init__(self, served: Endpoint) -> None:
        self.served = served
        operation = served.operation

        async def endpoint(request: Request) -> Response:
            return await served.response(request.scope, request.receive, request.path_params)

        super().__init__(
            operation.path,
            endpoint,
            methods=[operation.method],
            name=operation.id,
            operation_id=operation.id,
            tags=[operation.tag],
            summary=operation.summary or None,
            description=operation.description,
            deprecated=operation.deprecated or None,
            response_model=None,
            response_class=Response,
        )


class OperationRouter(APIRouter):
    """The routes of a contract, each found without looking at the others.

    Include it as any other: `app.include_router(router, prefix=..., dependencies=...)`.

    Args:
        bound: every operation of the contract.
        authorize: verifies what callers show; needed if an operation asks for it.
        check: hold every answer to the contract, for tests and development.
    """

    def __init__(
        self, *bound: Bound, authorize: Authorize | None = None, check: bool = False
    ) -> None:
        super().__init__()
        self.operations = tuple(one.operation for one in bound)
        # Marked `x-key-route`, `x-priority: critical` and `x-stream`.
        self.key_routes = [one.route for one in self.operations if one.key_route]
        self.critical_routes = [one.route for one in self.operations if one.critical]
        self.stream_routes = [one.route for one in self.operations if one.stream]
        places: Lookup[None] = Lookup()
        for one in self.operations:
            places.add(one.method, one.path, None)  # refuses two that are one
        self.routes.extend(
            OperationRoute(Endpoint(one, authorize=authorize, check=check)) for one in bound
        )
        # By the inclusion, whose prefix and dependencies count.
        self._lookups: dict[int, tuple[_IncludedRouter, Lookup[_EffectiveRouteContext]]] = {}

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """There is nothing here but the contract."""
        raise TypeError(f"{path} is not in the contract: give it a router of its own")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Find the route and keep it for `handle`."""
        fastapi_scope = scope.get("fastapi", {})
        included = fastapi_scope.get("included_router")
        if included is None:
            return super().matches(scope)
        found = self._lookup(included).find(get_route_path(scope))
        if found is None:
            return Match.NONE, {}
        fastapi_scope["operation"] = found
        return (Match.FULL if scope["method"] in found.methods else Match.PARTIAL), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; the long way where FastAPI has dependencies to solve."""
        fastapi_scope = scope.get("fastapi", {})
        found: Found[_EffectiveRouteContext] | None = fastapi_scope.pop("operation", None)
        if found is None:
            await super().handle(scope, receive, send)
            return
        selected = found.method(scope["method"])
        if selected is None:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(found.methods))})
        context, path = selected
        route = context.original_route
        assert isinstance(route, OperationRoute)
        scope["route"], scope["path_params"], scope["endpoint"] = route, path, route.endpoint
        fastapi_scope["effective_route_context"] = context
        if scope.get("fastapi.telemetry") is not None:
            _route_selected(scope=scope, path=context.path_format)
        if context.dependencies:
            assert context.app is not None
            await context.app(scope, receive, send)
        else:
            await route.served.serve(scope, receive, send, path)

    def _lookup(self, included: _IncludedRouter) -> Lookup[_EffectiveRouteContext]:
        known = self._lookups.get(id(included))
        if known is not None:
            return known[1]
        lookup: Lookup[_EffectiveRouteContext] = Lookup()
        for context in included.effective_route_contexts():
            for method in context.methods:
                lookup.add(method, context.path, context)
        self._lookups[id(included)] = included, lookup
        return lookup
