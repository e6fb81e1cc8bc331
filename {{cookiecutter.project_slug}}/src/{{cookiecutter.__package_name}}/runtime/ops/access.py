"""Who may change something on the management port, and a record of who did."""

import hmac
from typing import Any

import structlog
from pydantic import SecretStr
from starlette.requests import Request

from ..config.groups import Group
from ..config.live import Live
from ..http.problems import Problem

SETTING = "APP_MANAGEMENT__TOKEN"


class Access:
    """The bearer token that every change needs; reading needs none.

    A browser sends the header only for a page that knows the token, so that no other
    site can make an operator's browser change anything.

    Args:
        live: `token`, which may be rotated. Empty: nothing can be changed.
    """

    def __init__(self, live: Live[Group]) -> None:
        self._token = b""
        self._log = structlog.get_logger().bind(logger="audit")
        live.follow(self.update)

    def update(self, *, token: SecretStr, **_: object) -> None:
        """Ask for this one from now on; the one before is good for nothing any more."""
        self._token = token.get_secret_value().encode()

    def check(self, request: Request) -> None:
        """Raises `Problem`: 403 where no token is set, 401 when the caller has another."""
        if not self._token:
            raise Problem(403, f"Changes are off: {SETTING} is not set.")
        # Latin-1 is how the server decoded the header: these are the bytes that were sent.
        sent = [value.encode("latin-1") for value in request.headers.getlist("authorization")]
        scheme, _, token = sent[0].partition(b" ") if len(sent) == 1 else (b"", b"", b"")
        same = hmac.compare_digest(token.strip(b" "), self._token)
        if scheme.lower() != b"bearer" or not same:
            self.record("change refused", request)
            detail = f"This needs 'Authorization: Bearer' with the value of {SETTING}."
            raise Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})

    def record(self, event: str, request: Request, **what: Any) -> None:
        """Log who did what; a warning, so that no usual level leaves it out."""
        client = request.client.host if request.client else None
        path = request.url.path
        self._log.warning(event, client=client, method=request.method, path=path, **what)
