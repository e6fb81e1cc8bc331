"""The page at `/`, its static files, and the stream that keeps it alive."""

from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
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
        return await page_response(page)

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


async def page_response(page: Page) -> Response:
    """The whole page, of which a browser shows the first part while the rest is made."""
    frame = await page.frame()

    async def parts() -> AsyncIterator[str]:
        yield frame.before
        yield await page.content()
        yield frame.after

    return StreamingResponse(parts(), headers=frame.headers, media_type="text/html")
