"""`/debug/threads`: what every thread does."""

import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..documents import Content, Document
from .stacks import thread_stack

NANOSECONDS = 1e9


def threads_document() -> Document:
    """What is shown; the one that has used most of the processor first."""
    return Document("/debug/threads", "what every thread does", _read, every=5)


def _read() -> Content:
    known = {thread.ident: thread for thread in threading.enumerate()}
    threads = [
        {**_identity(known.get(ident), ident), "stack": [one.text for one in thread_stack(frame)]}
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 - the only way
    ]
    return {"threads": sorted(threads, key=lambda one: -(one["cpu_seconds"] or 0.0))}


def _identity(thread: threading.Thread | None, ident: int) -> Mapping[str, Any]:
    """Of a thread, or of one that was not started by Python's own module."""
    if thread is None:
        return {"name": "unknown", "id": ident, "daemon": None, "cpu_seconds": None}
    native = thread.native_id
    return {
        "name": thread.name,
        "id": native or ident,
        "daemon": thread.daemon,
        "cpu_seconds": native and _cpu_seconds(native),
    }


def _cpu_seconds(native: int) -> float | None:
    # Not the thread's own clock: asking for that of a thread which has ended is a crash.
    with suppress(OSError, ValueError, IndexError):
        spent = Path(f"/proc/self/task/{native}/schedstat").read_text().split()[0]
        return round(int(spent) / NANOSECONDS, 3)
    return None
