"""A layer for those who limit what each client may ask: 429 beyond its rate."""

from collections.abc import Collection
from functools import partial
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from ..context import current
from ..observability.metrics import Metrics
from ..shutdown import Closing
from .refusal import Refusal

if TYPE_CHECKING:  # it loads a library that most services do not use
    from ..client_rates import ClientRates


class RateLimit:
    """429 with `Retry-After`, and the rate in the headers of the IETF's draft.

    Before load shedding, so that one client's flood does not count as load. A client is its
    address, behind trusted proxies the one that they report; of IPv6 the network, since a
    host has all addresses of its /64.

    Args:
        rates: what counts.
        key_header: name of a header that tells clients apart, one that only your gateway can
            set; requests without it go by their address. Empty: all do.
        exempt: paths that are always served, the probes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rates: "ClientRates",
        key_header: str,
        exempt: Collection[str],
        metrics: Metrics,
    ) -> None:
        self.app = app
        self._rates = rates
        self._header = key_header.lower().encode()
        self._exempt = frozenset(exempt)
        self._shed = metrics.requests_shed.labels("rate")
        self._refusal = Refusal(429, "The rate limit for this client is used up.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self.app(scope, receive, send)
            return
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


def open_rate_limit(
    closing: Closing, metrics: Metrics, *, limit: str, key_header: str, storage: SecretStr
) -> "partial[RateLimit] | None":
    """The layer that `settings.rate_limit` asks for; None while `limit` is empty.

    Raises:
        StartupError: `storage` is not what can be used.
    """
    if not limit:
        return None
    from ..client_rates import ClientRates, MemoryWindows, Windows, redis_windows

    windows: Windows = MemoryWindows()
    if url := storage.get_secret_value():
        windows, close = redis_windows(url)
        closing.add("rate limit storage", close)
    rates = ClientRates(limit, windows)
    text = "1 while rates are limited, 0 while the storage fails."
    metrics.gauge("rate_limit_enforced", text, lambda: rates.limiting)
    return partial(RateLimit, rates=rates, key_header=key_header, metrics=metrics)
