"""What Consul's and Nacos's sources share: how often they ask, and what they quote."""

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlencode

import httpx

from .remote import Address


class Pace:
    """A token bucket: a server that answers at once for ever must keep nobody busy.

    Args:
        burst: how many answers may follow each other at once: no change of an operator waits.
        per_second: how many after that.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        burst: int = 20,
        per_second: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gap = 1 / per_second
        self._slack = (burst - 1) * self._gap
        self._clock = clock
        self._due = 0.0

    async def turn(self) -> None:
        """Wait until the next request may go out."""
        now = self._clock()
        self._due = max(self._due, now - self._slack)
        early = self._due - now
        self._due += self._gap
        if early > 0:
            await asyncio.sleep(early)


def located(address: Address) -> str:
    """Where it is, with the namespace and the like: what is kept of one is not another's."""
    return f"{address.where}?{urlencode(address.query)}" if address.query else address.where


def said(response: httpx.Response, *secrets: str) -> str:
    """What an answer says in words, in brackets; empty where it is a page or a document.

    Args:
        secrets: what must not be quoted, should a proxy send back what it was sent.
    """
    if not response.headers.get("Content-Type", "").startswith("text/plain"):
        return ""
    line = "".join(filter(str.isprintable, response.text.strip().partition("\n")[0]))
    for secret in filter(None, secrets):
        line = line.replace(secret, "***")
    return f" ({line[:200]})" if line else ""
