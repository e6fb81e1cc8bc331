"""The page at `/`, its static files, and the stream that keeps it alive."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ...http.problems import Problem
from ...shutdown import Closing
from ..documents import Document
from .headers import NOT_KEPT
from .page import Page
from .stream import Stream


def open_console(closing: Closing, documents: Mapping[str, Document]) -> list[Route]:
    """The routes.

    Args:
        documents: by path; what the page shows.
    """
    page = Page(documents)
    stream = Stream(page)
    closing.task("console warm-up", page.warm_up())
    closing.add("console", stream.close)

    async def whole(_: Request) -> Response:
        return HTMLResponse(await page.whole(), headers=NOT_KEPT)

    async def fragment(request: Request) -> Response:
        section = page.sections.get(request.path_params["name"])
        if section is None:
            raise Problem(404, f"No such section; there are: {', '.join(page.sections)}.")
        await page.refresh(section, at_once=True)
        return HTMLResponse(await page.section(section), headers=NOT_KEPT)

    async def events(_: Request) -> Response:
        return stream.response()

    async def static(request: Request) -> Response:
        return (await page.assets()).respond(request)

    return [
        Route("/", whole),
        Route("/console/events", events),
        Route("/console/sections/{name}", fragment),
        Route("/console/static/{version}/{name}", static),
    ]
