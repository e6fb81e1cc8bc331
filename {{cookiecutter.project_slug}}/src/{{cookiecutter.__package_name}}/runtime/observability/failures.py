"""The last requests that failed or were slow, with their stories.

They are read without a token, and each is what a caller sent and what a handler logged. So
they hold what the log holds and nothing else, masked as there, and they are bounded.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..instants import iso
from ..masking import masked
from .excerpts import excerpt, fields_of

KEPT = 50
# A record with the stack of an exception has 3 to 6 KB.
LINE_BYTES = 8_192
# 50 of these are 1.6 MB, and 4 ms of the event loop for who reads them all.
STORY_BYTES = 32_768
PATH, METHOD = 1_000, 30  # characters


class Failure(NamedTuple):
    """One request. `story` is what it logged, each record a line of JSON, oldest first."""

    at: float  # Unix time of its end
    method: str
    path: str
    route: str
    status: int
    seconds: float
    slow: bool
    client: str | None
    request_id: str
    trace_id: str
    story: Sequence[bytes]


class Failures:
    """A bounded memory of them."""

    def __init__(self) -> None:
        self._kept: deque[Failure] = deque(maxlen=KEPT)

    def add(self, failure: Failure) -> None:
        """Keep it; the oldest goes when there is no room. Of a long story the end is kept."""
        if sum(map(len, failure.story)) > STORY_BYTES or len(failure.path) > PATH:
            path = excerpt(failure.path, PATH)
            failure = failure._replace(path=path, story=_end(failure.story))
        self._kept.append(failure)

    def report(self) -> Mapping[str, Any]:
        """All of them in what JSON can say, newest first."""
        return {"kept": KEPT, "failures": [_report(one) for one in reversed(self._kept)]}


def _end(story: Sequence[bytes]) -> Sequence[bytes]:
    room, kept = STORY_BYTES, []
    for line in reversed(story):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]


def _report(failure: Failure) -> Mapping[str, Any]:
    return {
        "at": iso(failure.at),
        "method": excerpt(failure.method, METHOD),
        "path": masked(excerpt(failure.path, PATH + 50)),  # with the mark of what was cut
        "route": failure.route,
        "status": failure.status,
        "duration_ms": round(failure.seconds * 1000, 2),
        "slow": failure.slow,
        "client": failure.client,
        "request_id": failure.request_id,
        "trace_id": failure.trace_id,
        "story": [fields_of(line) for line in failure.story],
    }
