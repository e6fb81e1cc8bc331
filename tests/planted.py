"""Goes into a copy of a generated service: what must be found by name, and what must not run.

`test_console_planted.py` puts it there; it is no part of any service, and is imported nowhere else.
"""

import os
import time
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

SCRIPT = os.environ["PLANTED"]


def hot_spot(seconds: float) -> int:
    """Burn the processor."""
    turns, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        turns += 1
    return turns


async def burn(_: Request) -> Response:
    """A handler that is a hot spot."""
    return Response(str(hot_spot(0.02)))


async def block(_: Request) -> Response:
    """A handler that holds the event loop."""
    time.sleep(1)  # noqa: ASYNC251 - the planted fault
    return Response()


async def fail(request: Request) -> Response:
    """A handler that logs what it was sent, and fails."""
    log = structlog.get_logger().bind(logger=SCRIPT)
    log.warning(SCRIPT, agent=request.headers["user-agent"], held={SCRIPT: [SCRIPT]})
    raise RuntimeError(SCRIPT)


async def swell(_: Request) -> Response:
    """One of many that fail, each at length."""
    raise RuntimeError("and so on, " * 500 + "the end")


def plant(api: Any) -> None:
    """Add the routes."""
    api.add_api_route("/planted/burn", burn)
    api.add_api_route("/planted/block", block)
    api.add_api_route("/planted/<script>planted=1</script>/{rest:path}", fail)
    for number in range(60):
        api.add_api_route(f"/planted/swell/{number}", swell)
