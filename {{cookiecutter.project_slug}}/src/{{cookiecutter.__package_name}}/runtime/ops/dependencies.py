"""`/dependencies`: what this service calls, how that goes; a breaker held by an operator."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from ..config.groups import Group
from ..http.problems import Problem
from .access import Access
from .commands import command, resource
from .documents import Document, Pages
from .probes import json_response

State = Literal["open", "closed"]


class Dependency(Protocol):
    """What the page needs to know of one."""

    def report(self) -> Mapping[str, Any]:
        """State, counts, latencies, last transitions, in what JSON can say."""

    def force(self, state: State, seconds: float) -> None:
        """Hold the breaker there, whatever the calls say, for so long."""

    def release(self) -> None:
        """Let the calls decide again."""


class Force(Group):
    """An operator's decision. It always ends by itself, should they forget it."""

    state: State
    seconds: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)]


def dependency_pages(dependencies: Mapping[str, Dependency], access: Access) -> Pages:
    """What is shown, and the routes."""

    def found(request: Request) -> tuple[str, Dependency]:
        name = request.path_params["name"]
        if name not in dependencies:
            raise Problem(404, f"No such dependency; known: {', '.join(dependencies)}.")
        return name, dependencies[name]

    document = Document(
        "/dependencies",
        "what this service calls, and how that goes",
        lambda: {"dependencies": {name: one.report() for name, one in dependencies.items()}},
    )

    async def show_one(request: Request) -> Response:
        _, one = found(request)
        return json_response(one.report())

    async def force(request: Request) -> Response:
        access.check(request)
        name, one = found(request)
        wanted = await command(request, Force)
        one.force(wanted.state, wanted.seconds)
        access.record("breaker forced", request, dependency=name, **wanted.model_dump())
        return json_response(one.report())

    async def release(request: Request) -> Response:
        access.check(request)
        name, one = found(request)
        one.release()
        access.record("breaker released", request, dependency=name)
        return json_response(one.report())

    routes = [
        resource(document.path, GET=document.show),
        resource("/dependencies/{name}", GET=show_one),
        resource("/dependencies/{name}/force", POST=force, DELETE=release),
    ]
    return Pages(document, routes)
