"""The formats of a profile, over HTTP."""

import asyncio
from typing import Final

import orjson
from starlette.responses import Response

from ...http.problems import Problem
from ..csp import source_of
from .flame import flame_page, script, style
from .formats import collapsed, speedscope
from .taken import FORMS, Taken

KEEP_NOTHING: Final = {"cache-control": "no-store"}


async def file_response(taken: Taken, form: str) -> Response:
    """One format of it; made anew each time, in a thread.

    Raises:
        Problem: 404, there is no such format.
    """
    if form not in FORMS:
        raise Problem(404)
    # Of a large profile it is some MiB of text.
    return await asyncio.to_thread(_response, taken, form)


def _response(taken: Taken, form: str) -> Response:
    profile = taken.profile
    at = profile.at.isoformat(timespec="seconds")
    name = f"{profile.kind} profile of {profile.seconds:g} s, {at}"
    if form == "flame":
        headers = {"content-security-policy": policy(), **KEEP_NOTHING}
        return Response(flame_page(profile, name), 200, headers, "text/html")
    if form == "collapsed":
        return Response(collapsed(profile), 200, KEEP_NOTHING, "text/plain")
    file = f'attachment; filename="{profile.kind}-{taken.id}.speedscope.json"'
    headers = {"content-disposition": file, **KEEP_NOTHING}
    content = orjson.dumps(speedscope(profile, name))
    return Response(content, 200, headers, "application/json")


def policy() -> str:
    """What the flame graph may do: its own style and script, and nothing else at all."""
    return (
        f"default-src 'none'; style-src {source_of(style())}; script-src {source_of(script())}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
