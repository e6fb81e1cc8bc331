"""The management port and other sites that an operator's browser has open.

Such a site can make the browser send requests here, to addresses that only the browser can
reach. It must not change anything, nor read or frame what is shown.
"""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..http.problems import Problem
from .access import Access

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = frozenset({b"same-origin", b"none"})  # none: typed in, or from a bookmark
# On every answer that does not say something else itself, as the pages of the console do.
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class BrowserGuard:
    """Refuses changes that another site asks for, with 403, whatever token comes with them.

    It is outside of the whole application, so that no route can be forgotten and no answer
    goes without its headers, errors included.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                said = {name.lower() for name, _ in headers}
                headers += [one for one in HEADERS if one[0] not in said]
                message = {**message, "headers": headers}
            await send(message)

        if scope["method"] not in SAFE_METHODS and _cross_site(scope["headers"]):
            self._access.refuse(Request(scope), "another site")
            await Problem(403, "Another site has asked for this change.").send(guarded)
            return
        await self.app(scope, receive, guarded)


def _cross_site(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """What a browser says of where a request comes from; no page can make it say otherwise.

    `Sec-Fetch-Site` decides where there is one: `Host` may be another behind a proxy. Where
    there is none, on plain HTTP and in old browsers, `Origin` has to name this host. Others
    than browsers send neither.
    """
    found: dict[bytes, list[bytes]] = {b"sec-fetch-site": [], b"origin": [], b"host": []}
    for name, value in headers:
        if name in found:
            found[name].append(value.lower())
    if sites := found[b"sec-fetch-site"]:
        return not OURS.issuperset(sites)
    hosts = found[b"host"]
    return any([origin.partition(b"://")[2]] != hosts for origin in found[b"origin"])
