"""What each client may ask, for those who set a limit: 429 beyond its rate."""

from collections.abc import Awaitable, Collection
from functools import partial
from ipaddress import IPv6Address

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from ..client_rates import ClientRates, MemoryWindows, Windows, redis_windows
from ..config.groups import Group
from ..config.live import Live
from ..context import current
from ..observability.metrics import Metrics
from ..shutdown import Closing
from .refusal import Refusal


class RateLimit:
    """429 with `Retry-After`, and the rate in the headers of the IETF's draft.

    Before load shedding, so that one client's flood does not count as load. A client is its
    address, behind trusted proxies the one that they report; of IPv6 the network, since a
    host has all addresses of its /64.

    Args:
        live: `limit`, the rates, empty for none; `key_header`, the name of a header that tells
            clients apart, one that only your gateway can set. Requests without it go by their
            address; where it is empty, all do.
        rates: what counts.
        exempt: paths that are always served, the probes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        live: Live[Group],
        rates: ClientRates,
        exempt: Collection[str],
        metrics: Metrics,
    ) -> None:
        self.app = app
        self._rates = rates
        self._limit = ""
        self._header = b""
        self._exempt = frozenset(exempt)
        self._shed = metrics.requests_shed.labels("rate")
        self._refusal = Refusal(429, "The rate limit for this client is used up.")
        live.follow(self.update)

    def update(self, *, limit: str, key_header: str, storage: SecretStr) -> None:
        """Hold the next requests to these; `storage` stays as it was."""
        self._rates.update(limit)
        self._limit = limit
        self._header = key_header.lower().encode()

    def report(self) -> dict[str, str | bool | None]:
        """The rates, whether they are enforced (None without any), what tells clients apart."""
        return {
            "limit": self._limit,
            "enforced": self._rates.limiting if self._rates.rates else None,
            "clients_by": self._header.decode() or "address",
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine: without a limit the layer is to cost next to nothing.
        if self._rates.rates and scope["type"] == "http" and scope["path"] not in self._exempt:
            return self._limited(scope, receive, send)
        return self.app(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        exceeded = await self._rates.hit(self._client(scope))
        if exceeded is None:
            await self.app(scope, receive, send)
            return
        self._shed.inc()
        amount, window, seconds = exceeded
        headers = [
            (b"retry-after", b"%d" % seconds),
            # draft-ietf-httpapi-ratelimit-headers: quota and window, remaining and reset.
            (b"ratelimit-policy", b'"%d/%ds";q=%d;w=%d' % (amount, window, amount, window)),
            (b"ratelimit", b'"%d/%ds";r=0;t=%d' % (amount, window, seconds)),
        ]
        await self._refusal.send(send, current.get(), headers)

    def _client(self, scope: Scope) -> str:
        if self._header:
            for name, value in scope["headers"]:
                if name == self._header:
                    return f"header {value.decode('latin-1')}"
        client = scope.get("client")
        return network(client[0]) if client else "unknown"


def network(address: str) -> str:
    """What of an address is one client's own."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or parsed.packed[:8].hex())


def open_rate_limit(closing: Closing, metrics: Metrics, live: Live[Group]) -> partial[RateLimit]:
    """The layer that `settings.rate_limit` asks for, there even while `limit` is empty: that
    it can be set in an incident.

    Raises:
        StartupError: `storage` is not what can be used.
    """
    windows: Windows = MemoryWindows()
    storage: SecretStr = dict(live.now)["storage"]
    if url := storage.get_secret_value():
        windows, close = redis_windows(url)
        closing.add("rate limit storage", close)
    rates = ClientRates("", windows)
    metrics.gauges(
        "rate_limit_enforced",
        "1 while rates are limited, 0 while the storage fails, absent without a limit.",
        (),
        lambda: [((), rates.limiting)] if rates.rates else [],
    )
    return partial(RateLimit, live=live, rates=rates, metrics=metrics)
