"""The JSON documents of the management port. The console shows these, and reads nothing else."""

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .probes import json_response

Content = Mapping[str, Any]


class Document(NamedTuple):
    """What `GET path` answers.

    `text` says in a line what it is about. `read` is cheap: a page that is open asks for it
    every `every` seconds.
    """

    path: str
    text: str
    read: Callable[[], Content | Awaitable[Content]]
    every: float = 1.0

    async def content(self) -> Content:
        """As it is now."""
        content = self.read()
        return await content if isawaitable(content) else content

    async def show(self, _: Request) -> Response:
        """The handler of its route."""
        return json_response(await self.content())

    def route(self) -> Route:
        """For one that takes no commands."""
        return Route(self.path, self.show)


class Pages(NamedTuple):
    """A document and all routes of what it shows, its own among them."""

    document: Document
    routes: list[Route]
