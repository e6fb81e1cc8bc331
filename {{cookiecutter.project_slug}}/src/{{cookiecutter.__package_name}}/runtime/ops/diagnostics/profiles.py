"""`/debug/profiles`: where processor time, waiting and memory go, for some seconds."""

import asyncio
from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from ...config.groups import Group
from ...config.live import Live
from ...http.problems import Problem
from ...shutdown import Closing
from ..access import Access
from ..commands import command, resource, wrong
from ..documents import Document, Pages
from ..probes import json_response
from .cpu import ProcessorTime
from .growth import HeapGrowth
from .heap import HeapTypes
from .profile import Profile
from .taken import KEPT, Profiles, Taken
from .wall import WaitingTime

CALLER_GONE = 499  # nobody reads it


class Wanted(Group):
    """What a caller asks for."""

    kind: Literal["cpu", "wall", "heap", "growth"]
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10
    rate: Annotated[int, Field(ge=1, le=1000)] = 100


class Limit:
    """`profile_limit`, as it is now: seconds."""

    def __init__(self, live: Live[Group]) -> None:
        self.seconds = 0.0
        live.follow(self.update)

    def update(self, *, profile_limit: float, **_: object) -> None:
        """From now on; one that runs goes on."""
        self.seconds = profile_limit


def open_profiles(closing: Closing, access: Access, live: Live[Group]) -> Pages:
    """What is shown, and the routes."""
    limit = Limit(live)
    profiles = Profiles([ProcessorTime(), WaitingTime(), HeapTypes(), HeapGrowth()])
    closing.add("profiles", profiles.close)
    document = Document(
        "/debug/profiles",
        "profiles that were taken, and what one costs",
        lambda: {"limit_seconds": limit.seconds, **profiles.report()},
    )

    async def take(request: Request) -> Response:
        access.check(request)
        wanted = await command(request, Wanted)
        seconds = wanted.seconds if profiles.kinds[wanted.kind].lasts else 0.0
        if seconds > limit.seconds:
            raise wrong("seconds", f"at most {limit.seconds:g}, as profile_limit says")
        if (running := profiles.running) is not None:
            report = running.report()
            left = report["seconds_left"]
            detail = f"A {running.kind} profile runs, for another {left:g} s; one at a time."
            raise Problem(409, detail, headers={"Retry-After": f"{left + 1:.0f}"}, running=report)
        access.record("profile started", request, **wanted.model_dump())
        task = profiles.start(wanted.kind, seconds, wanted.rate)
        profile = await _unless_gone(request, task)
        if profile is None:
            access.record("profile ended early", request, kind=wanted.kind)
            return Response(status_code=CALLER_GONE)
        taken = await profiles.keep(profile)
        response = json_response(taken.report(), 201)
        response.headers["location"] = taken.path
        return response

    def found(request: Request) -> Taken:
        taken = profiles.get(request.path_params["id"])
        if taken is None:
            raise Problem(404, f"There is no such profile; the last {KEPT} are kept.")
        return taken

    async def show_one(request: Request) -> Response:
        return json_response(found(request).report())

    async def show_file(request: Request) -> Response:
        # Not before somebody looks: what it loads costs every start some milliseconds.
        from .profile_files import file_response

        return await file_response(found(request), request.path_params["form"])

    async def remove(request: Request) -> Response:
        access.check(request)
        id_ = found(request).id
        profiles.remove(id_)
        access.record("profile removed", request, id=id_)
        return Response(status_code=204)

    routes = [
        resource(document.path, GET=document.show, POST=take),
        resource("/debug/profiles/{id}", GET=show_one, DELETE=remove),
        resource("/debug/profiles/{id}/{form}", GET=show_file),
    ]
    return Pages(document, routes)


async def _unless_gone(request: Request, task: "asyncio.Task[Profile]") -> Profile | None:
    """The finished profile; None if the caller has left, which ends it.

    Raises:
        Problem: 503, the service has ended it.
    """
    gone = asyncio.create_task(_gone(request), name="caller of a profile leaves")
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            return None
        try:
            return task.result()
        except asyncio.CancelledError:
            raise Problem(503, "The service is about to end.") from None
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.wait({gone})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
