"""Calls to another service: httpx's interface over aiohttp's connection pool.

httpx's own pool stops answering after a storm of cancellations (httpcore issue 830), and
deadlines cancel by design. Every call is bounded by 90 % of what is left of the request,
carries the trace and the remaining budget, and is counted by dependency and outcome.
"""

import time
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from .. import deadlines
from ..context import current
from ..errors import DependencyUnavailable
from ..observability.metrics import Metrics
from ..observability.traces import traceparent

# Per dependency; the numbers are those of a tuned Go transport.
MAX_PER_HOST = 1000
MAX_CONNECTIONS = 2000
IDLE_SECONDS = 90.0
CONNECT_SECONDS = 5.0


class Client:
    """One dependency's client.

    Args:
        dependency: its name in settings, metrics and logs.
        base_url: `http(s)://host[:port][/path]`.
        timeout: seconds that a call may take at most, with or without a deadline.
    """

    def __init__(
        self,
        dependency: str,
        base_url: str,
        *,
        timeout: float,
        metrics: Metrics,
        tracer: trace.Tracer,
    ) -> None:
        self.dependency = dependency
        self._timeout = timeout
        self._metrics = metrics
        self._tracer = tracer
        self._client = httpx.AsyncClient(
            base_url=base_url,
            transport=AiohttpTransport(client=self._session),
            timeout=httpx.Timeout(timeout, connect=CONNECT_SECONDS, pool=timeout),
            follow_redirects=False,
            trust_env=False,
        )

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS,
                limit_per_host=MAX_PER_HOST,
                keepalive_timeout=IDLE_SECONDS,
                ssl=httpx.create_ssl_context(),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request; `options` are httpx's, `headers` among them.

        Raises:
            DeadlineExceeded: its share of the deadline is used up.
            DependencyUnavailable: it does not answer, or with 5xx or 429.
        """
        response = await self.exchange(method, path, **options)
        if response.status_code >= 500 or response.status_code == 429:
            raise DependencyUnavailable(self.dependency, f"status {response.status_code}")
        return response

    async def exchange(
        self, method: str, path: str, *, stream: bool = False, **options: Any
    ) -> httpx.Response:
        """The same, but whatever answer comes is returned.

        Args:
            stream: leave the body unread; the caller reads and closes it.
        """
        headers = {**options.pop("headers", {})}
        began = time.monotonic()
        outcome = "cancelled"
        try:
            with self._tracer.start_as_current_span(
                f"{method} {self.dependency}", kind=SpanKind.CLIENT
            ):
                async with deadlines.within(
                    deadlines.OUTBOUND_SHARE, self.dependency, self._timeout
                ) as budget:
                    headers |= _context_headers(budget)
                    request = self._client.build_request(method, path, headers=headers, **options)
                    response = await self._client.send(request, stream=stream)
            outcome = f"{response.status_code // 100}xx"
        except deadlines.DeadlineExceeded:
            outcome = "timeout"
            raise
        except httpx.HTTPError as exc:
            outcome = "error"
            reason = f"{type(exc).__name__}: {exc}".rstrip(": ")
            raise DependencyUnavailable(self.dependency, reason) from exc
        finally:
            duration = self._metrics.client_duration.labels(self.dependency, outcome)
            duration.observe(time.monotonic() - began)
        return response

    async def close(self) -> None:
        await self._client.aclose()


def _context_headers(budget: float) -> dict[str, str]:
    headers = {"X-Request-Timeout-Ms": str(max(1, int(budget * 1000)))}
    state = current.get()
    if state is not None:
        headers["X-Request-Id"] = state.request_id
        headers["traceparent"] = traceparent(state)
        if state.tracestate:
            headers["tracestate"] = state.tracestate
    return headers
