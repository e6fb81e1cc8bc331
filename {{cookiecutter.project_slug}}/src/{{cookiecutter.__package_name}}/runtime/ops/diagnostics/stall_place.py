"""Which line holds the event loop, and for which request: told from the loop thread's stack."""

import asyncio
import linecache
from collections.abc import Sequence
from types import FrameType
from typing import Any, NamedTuple

from ...context import RequestState, current
from ...http.request_context import RequestContext
from ...observability.gc_pauses import GcPauses
from .stacks import Frame, callback_stack, guilty

MAX_CODE = 200  # characters of a source line
MAX_STACK = 40  # frames, the innermost: a record must stay below the 4 KiB that a pipe takes whole


class Place(NamedTuple):
    """Where the loop stands."""

    line: str  # the innermost line of the application
    code: str  # its source
    innermost: str  # the innermost line of all
    stack: list[str]  # outermost first
    task: str | None
    request_id: str | None


class Seen(NamedTuple):
    """What must be read before the loop's thread goes on."""

    stack: Sequence[Frame]
    task: "asyncio.Task[Any] | None"
    state: RequestState | None


def see(frame: FrameType, loop: asyncio.AbstractEventLoop) -> Seen:
    """Look at the loop's thread, which is in `frame`."""
    task = asyncio.current_task(loop)
    return Seen(callback_stack(frame, task), task, _request(frame, task))


def place(seen: Seen) -> Place | None:
    """Where that is; None if it is in no callback, so that nothing of Python holds the loop."""
    stack, task, state = seen
    if not stack:
        return None
    # A collection lets nobody in before its end, which calls this.
    collecting = len(stack) > 1 and stack[-1].code is GcPauses.on_gc.__code__
    if collecting:
        stack = stack[:-1]
    culprit = guilty(stack)
    return Place(
        f"the garbage collector, run in {culprit.text}" if collecting else culprit.text,
        linecache.getline(culprit.code.co_filename, culprit.line).strip()[:MAX_CODE],
        "the garbage collector" if collecting else stack[-1].text,
        [one.text for one in stack[-MAX_STACK:]],
        task.get_name() if task else None,
        state.request_id if state else None,
    )


def _request(frame: FrameType | None, task: "asyncio.Task[Any] | None") -> RequestState | None:
    """The request that the running task belongs to."""
    context = getattr(task, "get_context", None)
    if context is not None:  # since 3.12
        state: RequestState | None = context().get(current)
        return state
    while frame is not None:  # its outermost layer has it in a variable
        if frame.f_code is RequestContext.__call__.__code__:
            return frame.f_locals.get("state")
        frame = frame.f_back
    return None
