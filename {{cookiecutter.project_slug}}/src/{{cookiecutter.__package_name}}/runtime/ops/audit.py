"""What operators changed here and what was refused: in the log, and the last of it in memory."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from starlette.requests import Request

from ..instants import iso
from ..masking import masked, masked_tree
from ..observability.excerpts import excerpt, fields_of, shortened
from ..observability.levels import AUDIT

REFUSED = "change refused"
CHANGES, REFUSALS = 30, 20  # kept: whoever is refused again and again pushes no change out
# Whoever guesses tokens must fill neither the log nor the disk that it goes to: so many
# refusals are told one by one, and then one a second; the others are counted.
BURST, PER_SECOND = 20, 1.0
WHAT_BYTES = 4_096
PATH = 500  # characters


class Audit:
    """Both records of it. Tokens are in neither, nor anything else of what was refused."""

    def __init__(self) -> None:
        self._log = structlog.get_logger().bind(logger=AUDIT)
        self._changes: deque[dict[str, Any]] = deque(maxlen=CHANGES)
        self._refusals: deque[dict[str, Any]] = deque(maxlen=REFUSALS)
        self._count = 0
        self._untold = 0  # refusals, since the last that was told
        self._spare, self._filled = float(BURST), time.monotonic()

    def changed(self, event: str, request: Request, what: Mapping[str, Any]) -> None:
        """Somebody who may has done this."""
        self._changes.append(self._tell(event, request, what))

    def refused(self, request: Request, reason: str) -> None:
        """Somebody else has tried."""
        self._count += 1
        now = time.monotonic()
        self._spare = min(self._spare + (now - self._filled) * PER_SECOND, BURST)
        self._filled = now
        if self._spare < 1:
            self._untold += 1
            return
        self._spare -= 1
        what: dict[str, Any] = {"reason": reason}
        if self._untold:
            what["untold_before"], self._untold = self._untold, 0
        self._refusals.append(self._tell(REFUSED, request, what))

    def report(self) -> Mapping[str, Any]:
        """The last of both in what JSON can say, newest first."""
        both = sorted((*self._changes, *self._refusals), key=lambda one: one["at"], reverse=True)
        return {
            "kept": CHANGES + REFUSALS,
            "entries": [{**one, "at": iso(one["at"])} for one in both],
            "refused": self._count,
        }

    def _tell(self, event: str, request: Request, what: Mapping[str, Any]) -> dict[str, Any]:
        client = request.client.host if request.client else None
        path = masked(excerpt(request.url.path, PATH))
        # A warning, so that no usual level leaves it out.
        self._log.warning(event, client=client, method=request.method, path=path, **what)
        return {
            "at": time.time(),
            "event": event,
            "client": client,
            "method": request.method,
            "path": path,
            "what": masked_tree(fields_of(shortened(orjson.dumps(what, default=str), WHAT_BYTES))),
        }
