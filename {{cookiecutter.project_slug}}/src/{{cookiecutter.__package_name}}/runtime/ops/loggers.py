"""`/loggers`: from which level on each logger writes; another one for a while."""

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from ..config.groups import Group, Level
from ..http.problems import Problem
from ..observability.levels import AUDIT
from ..observability.logs import Pipeline
from .access import Access
from .commands import command, resource
from .documents import Document, Pages
from .probes import json_response


class Hold(Group):
    """An operator's decision. It always ends by itself, should they forget it."""

    level: Level
    seconds: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = 600


def logger_pages(pipeline: Pipeline, access: Access) -> Pages:
    """What is shown, and the routes.

    Any name can be held, for its module may be loaded later; see `known`.
    """
    levels = pipeline.levels
    document = Document(
        "/loggers", "the levels of all loggers", lambda: {"loggers": levels.reports()}, every=5
    )

    async def show_one(request: Request) -> Response:
        return json_response(levels.report(request.path_params["name"]))

    async def hold(request: Request) -> Response:
        access.check(request)
        wanted = await command(request, Hold)
        name = request.path_params["name"]
        if name == AUDIT:
            raise Problem(403, "What operators do is always written down.")
        levels.hold(name, wanted.level, wanted.seconds)
        report = levels.report(name)
        what = {"name": report["name"], "known": report["known"]}
        access.record("log level held", request, **what, held=wanted.model_dump())
        return json_response(report)

    async def release(request: Request) -> Response:
        access.check(request)
        name = request.path_params["name"]
        if levels.release(name):
            access.record("log level released", request, name=name)
        return json_response(levels.report(name))

    async def clear(request: Request) -> Response:
        access.check(request)
        access.record("log levels released", request, names=levels.release_all())
        return Response(status_code=204)

    routes = [
        resource(document.path, GET=document.show, DELETE=clear),
        resource("/loggers/{name:path}", GET=show_one, PUT=hold, DELETE=release),
    ]
    return Pages(document, routes)
