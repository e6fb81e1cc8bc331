"""Who may change something on the management port, and a record of who did."""

import hashlib
import hmac
from typing import Any

from pydantic import SecretStr
from starlette.requests import Request

from ..config.groups import Group
from ..config.live import Live
from ..http.problems import Problem
from .audit import Audit
from .documents import Document

SETTING = "APP_MANAGEMENT__TOKEN"


class Access:
    """The bearer token that every change needs; reading needs none.

    A browser sends the header only for a page that knows the token, so that no other
    site can make an operator's browser change anything; `BrowserGuard` refuses it before.

    Args:
        live: `token`, which may be rotated. Empty: nothing can be changed.
    """

    def __init__(self, live: Live[Group], audit: Audit) -> None:
        self._digest = b""  # empty: no token is set
        self._audit = audit
        live.follow(self.update)

    def update(self, *, token: SecretStr, **_: object) -> None:
        """Ask for this one from now on; the one before is good for nothing any more."""
        secret = token.get_secret_value().encode()
        self._digest = _digest(secret) if secret else b""

    @property
    def allowed(self) -> bool:
        """Whether anything can be changed: a token is set."""
        return bool(self._digest)

    def check(self, request: Request) -> None:
        """Raises `Problem`: 403 where no token is set, 401 when the caller has another."""
        if not self._digest:
            self._audit.refused(request, "no token is set")
            raise Problem(403, f"Changes are off: {SETTING} is not set.")
        # Latin-1 is how the server decoded the header: these are the bytes that were sent.
        sent = [value.encode("latin-1") for value in request.headers.getlist("authorization")]
        scheme, _, token = sent[0].partition(b" ") if len(sent) == 1 else (b"", b"", b"")
        same = hmac.compare_digest(_digest(token.strip(b" ")), self._digest)
        if scheme.lower() != b"bearer" or not same:
            self._audit.refused(request, "another token" if sent else "no token")
            detail = f"This needs 'Authorization: Bearer' with the value of {SETTING}."
            raise Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})

    def record(self, event: str, request: Request, **what: Any) -> None:
        """Log who did what, and keep it for `/audit`."""
        self._audit.changed(event, request, what)

    def refuse(self, request: Request, reason: str) -> None:
        """The same for what was refused before anybody asked for the token."""
        self._audit.refused(request, reason)


def open_access(live: Live[Group]) -> tuple[Access, Document]:
    """Who may change something, and what they did."""
    audit = Audit()
    text = "what operators changed here and what was refused, the last first"
    return Access(live, audit), Document("/audit", text, audit.report)


def _digest(token: bytes) -> bytes:
    # All of one length, so that the time of the comparison tells nothing of the token's either.
    return hashlib.sha256(token).digest()
