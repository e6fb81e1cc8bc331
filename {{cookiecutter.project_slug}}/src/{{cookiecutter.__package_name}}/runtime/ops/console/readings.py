"""The documents as the page has read them."""

import asyncio
import contextvars
import time
from typing import Any

import orjson
import structlog

from ..documents import Document
from ..probes import json_response

# Seconds: a health check that hangs must not keep the rest of the page waiting for it, even
# less where there is something to show, though it is older.
PATIENCE = 0.5
SHORT_PATIENCE = 0.1


class Reading:
    """One document, as it was when it was read last.

    Attributes:
        content: what a client of its path would have got, None before the first time.
        error: why that is not what it is now, empty when it is.
        version: another number whenever the two are others.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.content: Any = None
        self.error = "no answer yet"
        self.version = 0
        self._body = b""
        self._at = 0.0
        self._running: asyncio.Task[None] | None = None
        self._log = structlog.get_logger().bind(logger="console")

    @property
    def name(self) -> str:
        """What templates call it."""
        return self.document.path.rpartition("/")[2]

    async def refresh(self, *, at_once: bool = False) -> None:
        """Read it again if it is due, or in any case.

        One read at a time, whoever asks. One that takes long goes on; until it ends the
        page shows what was there before.
        """
        # A bit before its time: the clock that asks ticks once a second, never exactly.
        due = at_once or time.monotonic() - self._at > self.document.every * 0.9
        if self._running is None and due:
            # In a context of its own: what it logs is not about who happened to ask.
            self._running = asyncio.create_task(
                self._read(), name=f"console {self.document.path}", context=contextvars.Context()
            )
        if self._running is not None:
            patience = PATIENCE if self.content is None else SHORT_PATIENCE
            await asyncio.wait((self._running,), timeout=patience)

    async def _read(self) -> None:
        try:
            # By way of JSON: what is shown is what the document says, and nothing but that.
            body, error = bytes(json_response(await self.document.content()).body), ""
        except Exception as exc:  # noqa: BLE001 - the other documents are still worth reading
            body, error = self._body, f"{type(exc).__name__}: {exc}".splitlines()[0][:200]
            if error != self.error:
                self._log.exception("console document failed", path=self.document.path)
        finally:
            self._at = time.monotonic()
            self._running = None
        if body != self._body or error != self.error:
            self.content = orjson.loads(body) if body else None
            self._body, self.error = body, error
            self.version += 1
