"""The management port and other sites that an operator's browser has open.

Such a site can make the browser send requests here, to addresses that only the browser can
reach. It must not change anything, nor read or frame what is shown; neither must one whose
name is made to stand for such an address (DNS rebinding), which to the browser is this host.
"""

from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..config.groups import Group
from ..config.live import Live
from ..http.problems import Problem
from .access import Access

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Nobody can register a name below these.
PRIVATE = (".cluster.local", ".internal", ".local", ".localhost", ".svc")
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

    What comes under a public name that is not one of `hosts` is 421, reading included.
    It is outside of the whole application, so that no route can be forgotten and no answer
    goes without its headers, errors included.

    Args:
        for_machines: paths that are answered under whatever name a machine's configuration has.
    """

    def __init__(
        self, app: ASGIApp, access: Access, live: Live[Group], for_machines: Iterable[str]
    ) -> None:
        self.app = app
        self._for_machines = frozenset(for_machines)
        self._access = access
        self._hosts: frozenset[str] = frozenset()
        live.follow(self.update)

    def update(self, *, hosts: Iterable[str], **_: object) -> None:
        """Answer under these public names, those of proxies in front of this port."""
        self._hosts = frozenset(hosts)

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

        if scope["path"] not in self._for_machines and not self._known(scope["headers"]):
            if scope["method"] not in SAFE_METHODS:
                self._access.refuse(Request(scope), "another host")
            detail = "Not under this name, unless APP_MANAGEMENT__HOSTS has it."
            await Problem(421, detail).send(guarded)
            return
        if scope["method"] not in SAFE_METHODS and _cross_site(scope["headers"]):
            self._access.refuse(Request(scope), "another site")
            await Problem(403, "Another site has asked for this change.").send(guarded)
            return
        await self.app(scope, receive, guarded)

    def _known(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        return all(_private(host) or _name(host) in self._hosts for host in hosts)


def _name(host: str) -> str:
    """Of a `Host`, without its port; empty for what is none."""
    with suppress(ValueError):
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    return ""


def _private(host: str) -> bool:
    """Whether no stranger can make this name stand for an address: it is one, or no public name."""
    name = _name(host)
    with suppress(ValueError):
        ip_address(name)
        return True
    return bool(name) and ("." not in name or name.endswith(PRIVATE))


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
