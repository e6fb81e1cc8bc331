"""Where Python code stands: the stack of a thread, and the whole chain that a task awaits."""

import asyncio
import functools
import gc
import os
import re
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, CoroutineType, FrameType
from typing import Any, NamedTuple

# A chain that is deeper than this is a recursion, and its first frames tell which.
MAX_DEPTH = 200
# What runs for these cannot be asked of them, but the garbage collector knows.
HIDING = frozenset({"async_generator_asend", "async_generator_athrow", "coroutine_wrapper"})
# What a path is shortened to is what follows the last of these.
ROOT = re.compile(r"/(?:(?:lib/python3\.\d+t?/)?site-packages|src|lib/python3\.\d+t?)/")
# asyncio's functions that call callbacks: what is outside of them is how the process started.
RUNNERS = frozenset({"run", "run_until_complete", "run_forever", "_run_once", "_run"})
_ASYNCIO = os.path.dirname(asyncio.__file__)  # noqa: PTH120 - only compared with strings
_PACKAGE = str(Path(__file__).parents[3])
_MACHINERY = str(Path(__file__).parents[2])
_LIBRARY = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib"))
_INSTALLED = tuple(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))


class Frame(NamedTuple):
    """One function that has not returned, and the line that it is at."""

    code: CodeType
    line: int

    @property
    def file(self) -> str:
        """Its path from the package on, without the machine's folders."""
        return short(self.code.co_filename)

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.file}:{self.line} in {self.code.co_name}"


@functools.lru_cache(maxsize=4096)  # a process has fewer files
def short(path: str) -> str:
    """A path from the package or the standard library's module on."""
    *_, rest = ROOT.split(path)
    return rest if rest != path else "/".join(path.rsplit("/", 2)[-2:])


def line_of(code: CodeType, instruction: int) -> int:
    """The line of an instruction, `f_lasti` of a frame; 0 where it has none."""
    for start, end, line in code.co_lines():
        if start <= instruction < end:
            return line or 0
    return 0


def thread_stack(frame: FrameType | None) -> list[Frame]:
    """From the frame that a thread is in, outermost first."""
    frames: list[Frame] = []
    while frame is not None and len(frames) < MAX_DEPTH:
        frames.append(Frame(frame.f_code, frame.f_lineno or 0))
        frame = frame.f_back
    frames.reverse()
    return frames


def await_chain(task: "asyncio.Task[Any]") -> list[Frame]:
    """The coroutines that a task is in, outermost first.

    `Task.get_stack` has only the outermost of a task that waits.
    """
    return [Frame(frame.f_code, frame.f_lineno or 0) for frame in await_frames(task)]


def await_frames(task: "asyncio.Task[Any]") -> list[FrameType]:
    """The same, with what they hold: let go of them before the task goes on."""
    frames: list[FrameType] = []
    awaited: Any = task.get_coro()
    while awaited is not None and len(frames) < MAX_DEPTH:
        if type(awaited) is CoroutineType:  # nearly all are
            frame, following = awaited.cr_frame, awaited.cr_await
        else:
            frame, following = _step(awaited)
        if frame is not None:
            frames.append(frame)
        awaited = following
    return frames


def callback_stack(frame: FrameType, task: "asyncio.Task[Any] | None") -> Sequence[Frame]:
    """The part of a thread's stack that the loop called: a task, or another callback."""
    frames = callback_frames(frame, task)
    return [Frame(one.f_code, one.f_lineno or 0) for one in frames]


def callback_frames(frame: FrameType, task: "asyncio.Task[Any] | None") -> Sequence[FrameType]:
    """The same, with what they hold.

    Args:
        frame: the one that the loop's thread is in.
        task: the one that runs.
    """
    outermost = getattr(task.get_coro(), "cr_frame", None) if task is not None else None
    frames: list[FrameType] = []
    step: FrameType | None = frame
    while step is not None and not (task is None and runs_callbacks(step.f_code)):
        frames.append(step)
        if step is outermost:
            break
        step = step.f_back
    frames.reverse()
    if task is None and (step is None or all(map(_selects, frames))):
        return []
    return frames


def _selects(frame: FrameType) -> bool:
    return frame.f_code.co_filename.endswith("/selectors.py")


def runs_callbacks(code: CodeType) -> bool:
    """Whether this is asyncio's loop itself; uvloop's is right inside of it, and has no frames."""
    return code.co_name in RUNNERS and code.co_filename.startswith(_ASYNCIO)


def guilty(stack: Sequence[Frame]) -> Frame:
    """The innermost frame of the application; else the innermost of what is installed.

    The machinery is in between in every stack: it is not guilty of what it calls.
    """
    for frame in reversed(stack):
        path = frame.code.co_filename
        if path.startswith(_PACKAGE) and not path.startswith(_MACHINERY):
            return frame
        if not path.startswith((_PACKAGE, *_LIBRARY, *_INSTALLED, "<")):
            return frame
    for frame in reversed(stack):
        path = frame.code.co_filename
        if path.startswith((_PACKAGE, *_INSTALLED)) or not path.startswith((*_LIBRARY, "<")):
            return frame
    return stack[-1]


def _step(awaited: Any) -> tuple[FrameType | None, Any]:
    """The frame of something awaited, and what it waits for itself."""
    if hasattr(awaited, "cr_frame"):
        return awaited.cr_frame, awaited.cr_await
    if hasattr(awaited, "gi_frame"):
        return awaited.gi_frame, awaited.gi_yieldfrom
    if hasattr(awaited, "ag_frame"):
        return awaited.ag_frame, awaited.ag_await
    if type(awaited).__name__ in HIDING:
        return None, next(iter(gc.get_referents(awaited)), None)
    return None, None
