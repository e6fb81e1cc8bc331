"""Layer 6: delay or abort on purpose, to see what the callers do. Off unless switched on."""

import asyncio
import random
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import Problem

HEADER = b"x-injected-fault"


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do to which requests.

    Attributes:
        percentage: share of the matching requests, 0 to 100.
        path_prefix: which requests match.
        delay: seconds to wait before the request goes on; its deadline runs meanwhile.
        abort_status: answer with this status instead; 0 lets the request go on.
    """

    percentage: float = 0.0
    path_prefix: str = "/api/"
    delay: float = 0.0
    abort_status: int = 0


class FaultInjection:
    """Injects `fault`; every injected fault is logged and marked in a response header."""

    def __init__(self, app: ASGIApp, *, fault: Fault) -> None:
        self.app = app
        self._fault = fault
        self._log = structlog.get_logger().bind(logger="faults")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._fault
        if (
            fault.percentage == 0
            or scope["type"] != "http"
            or not scope["path"].startswith(fault.path_prefix)
            or random.random() * 100 >= fault.percentage  # noqa: S311 - no secret depends on it
        ):
            await self.app(scope, receive, send)
            return
        self._log.warning("fault injected", delay=fault.delay, abort_status=fault.abort_status)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        mark = (HEADER, f"delay={fault.delay:g};abort={fault.abort_status}".encode())

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), mark]
            await send(message)

        if fault.abort_status:
            await Problem(fault.abort_status, "An injected fault.").send(send_marked)
        else:
            await self.app(scope, receive, send_marked)
