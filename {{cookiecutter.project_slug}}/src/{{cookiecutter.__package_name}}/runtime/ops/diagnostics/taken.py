"""Takes profiles, one at a time, and keeps the last ones in memory."""

import asyncio
import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from .profile import Kind, Profile, Stack

KEPT: Final = 10
# Of the stacks of one; the lightest beyond it become one.
MAX_BYTES: Final = 768 * 1024
MAX_TEXT: Final = 300  # characters of one frame
FOLDED: Final = ("light stacks, folded together",)
LISTED: Final = 10  # entries of `top` in the list of all
FORMS: Final = ("flame", "speedscope", "collapsed")


class Running(NamedTuple):
    """The one that is taken now; `began` in seconds of `time.monotonic()`."""

    kind: str
    seconds: float
    began: float
    task: "asyncio.Task[Profile]"

    def report(self) -> dict[str, Any]:
        """What the others are told who want to start one."""
        left = self.began + self.seconds - time.monotonic()
        return {"kind": self.kind, "seconds": self.seconds, "seconds_left": round(max(left, 0), 1)}


class Taken(NamedTuple):
    """A finished one."""

    id: str
    profile: Profile

    @property
    def path(self) -> str:
        """Where it is found."""
        return f"/debug/profiles/{self.id}"

    def report(self, listed: int | None = None) -> dict[str, Any]:
        """What JSON says of it.

        Args:
            listed: how many entries of `top`; all by default.
        """
        it = self.profile
        return {
            "id": self.id,
            "kind": it.kind,
            "at": it.at.isoformat(timespec="milliseconds"),
            "seconds": it.seconds,
            "samples": it.samples,
            "cost": it.cost,
            "top": it.top[:listed],
            "links": {form: f"{self.path}/{form}" for form in FORMS},
            **it.more,
        }


class Profiles:
    """All kinds of them.

    Attributes:
        running: the one that is taken now.
    """

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.running: Running | None = None
        self.kinds: Mapping[str, Kind] = {kind.name: kind for kind in kinds}
        self._taken: OrderedDict[str, Taken] = OrderedDict()
        self._closed = False

    def start(self, kind: str, seconds: float, rate: int) -> "asyncio.Task[Profile]":
        """Begin one. Cancel the task to end it; it is kept by `keep` alone.

        Raises:
            RuntimeError: another one runs.
        """
        if self.running is not None:
            raise RuntimeError("another profile runs")
        task = asyncio.create_task(self.kinds[kind].take(seconds, rate), name=f"{kind} profile")
        self.running = Running(kind, seconds, time.monotonic(), task)
        task.add_done_callback(self._ended)
        if self._closed:
            task.cancel()
        return task

    async def keep(self, profile: Profile) -> Taken:
        """For those who ask later; the oldest goes."""
        stacks = await asyncio.to_thread(bounded, profile.stacks)
        taken = Taken(secrets.token_hex(4), replace(profile, stacks=stacks))
        self._taken[taken.id] = taken
        if len(self._taken) > KEPT:
            self._taken.popitem(last=False)
        return taken

    def get(self, id_: str) -> Taken | None:
        """One of those that are kept."""
        return self._taken.get(id_)

    def remove(self, id_: str) -> bool:
        """Forget it; whether there was one."""
        return self._taken.pop(id_, None) is not None

    def report(self) -> dict[str, Any]:
        """What runs, what could, and what is kept, the newest first."""
        return {
            "running": self.running.report() if self.running else None,
            "kinds": [
                {"kind": kind.name, "text": kind.text, "cost": kind.cost}
                for kind in self.kinds.values()
            ],
            "profiles": [one.report(LISTED) for one in reversed(self._taken.values())],
        }

    def close(self) -> None:
        """End the one that runs; later ones end at once."""
        self._closed = True
        if self.running is not None:
            self.running.task.cancel()

    def _ended(self, _: "asyncio.Task[Profile]") -> None:
        self.running = None


def bounded(stacks: Sequence[tuple[Stack, float]]) -> list[tuple[Stack, float]]:
    """The heaviest of them in less than 1 MiB; the sum stays the same."""
    kept: list[tuple[Stack, float]] = []
    texts: dict[str, str] = {}
    size, folded = 0, 0.0
    for stack, weight in sorted(stacks, key=lambda one: -one[1]):
        frames = [one[:MAX_TEXT] for one in stack]
        new = {one for one in frames if one not in texts}
        grown = size + 150 + 8 * len(frames) + sum(100 + sys.getsizeof(one) for one in new)
        if grown > MAX_BYTES:
            folded += weight
            continue
        size = grown
        texts.update({one: one for one in new})
        kept.append((tuple(texts[one] for one in frames), weight))
    if folded:
        kept.append((FOLDED, folded))
    return kept
