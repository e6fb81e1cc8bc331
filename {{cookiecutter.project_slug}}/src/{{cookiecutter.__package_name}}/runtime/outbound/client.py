"""Calls to another service, under httpx's interface; `pipeline.py` has what each goes through.

Every call carries the trace and the time it has, and is counted and traced by the template
of its path.
"""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any, Literal, Protocol
from urllib.parse import quote

import httpx
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from .. import deadlines
from ..config.groups import HOT
from ..context import RequestState, current
from ..errors import DependencyUnavailable
from ..observability.metrics import Metrics
from ..observability.traces import traceparent
from .answer import check_coding, read_whole
from .breaker import CircuitOpen, State
from .options import Dependency
from .pipeline import Pipeline, TooManyCalls, is_failure, seconds_to_wait
from .report import report
from .retry import repeatable, retry_after
from .transport import open_transport, timeouts

NO_VALUES: Mapping[str, str] = MappingProxyType({})
NO_SPAN = nullcontext(trace.INVALID_SPAN)


class Faults(Protocol):
    """Faults injected into calls on purpose."""

    async def strike(self, dependency: str) -> bool:
        """Delay this call where a fault says so; whether it must fail."""


class Client:
    """One dependency's client.

    Args:
        dependency: its name in settings, metrics and logs.
        url: `http(s)://host[:port][/path]`, before every path.
    """

    def __init__(
        self,
        dependency: str,
        url: str,
        options: Dependency | None = None,
        *,
        metrics: Metrics,
        tracer: trace.Tracer,
        faults: Faults | None = None,
    ) -> None:
        self.dependency = dependency
        options = (options or Dependency()).model_copy(update={"url": url})
        self.pipeline = Pipeline(dependency, options, attempts=metrics.client_attempts)
        self._duration = metrics.client_duration
        self._tracer = tracer
        self._faults = faults
        # The transport itself: httpx's client adds redirects, cookies and proxies of the
        # environment to it, which a service must not have, and a third to the cost of a call.
        self._transport = open_transport(dependency, options)
        self._base = url.rstrip("/")
        self._address = httpx.URL(url)
        self._urls: dict[str, httpx.URL] = {}
        self._extensions = timeouts(options)

    def update(self, options: Dependency) -> None:
        """Hold the next calls to these options; those under way end by the ones they began with.

        What is not hot stays as it was, and so does the address.
        """
        options = options.model_copy(update=_cold(self.pipeline.options))
        self._transport.update(options)
        self.pipeline.update(options)
        self._extensions = timeouts(options)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request; the arguments are those of `exchange`.

        Raises:
            DeadlineExceeded: it does not answer in time, or the request's time is used up.
            DependencyUnavailable: it cannot be reached or answers with 5xx or 429, its
                breaker is open, or too many calls are under way.
        """
        response = await self.exchange(method, path, **options)
        if is_failure(response.status_code):
            raise DependencyUnavailable(
                self.dependency,
                f"status {response.status_code}",
                retry_after=seconds_to_wait(retry_after(response.headers)),
            )
        return response

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        values: Mapping[str, str] = NO_VALUES,
        stream: bool = False,
        **options: Any,
    ) -> httpx.Response:
        """The same, but whatever answer comes is returned.

        Args:
            path: with `{name}` for what differs from call to call.
            values: what to put there; it is quoted.
            stream: leave the body of a 2xx unread; the caller reads it, within bounds of its
                own, and closes it: it has left the pipeline by then.
            options: those of `httpx.Request`: `json`, `content`, `params`, `headers` and so on.
        """
        request = httpx.Request(
            method, self._url(path, values), extensions=self._extensions, **options
        )
        may_repeat = repeatable(method, request.headers) and isinstance(
            request.stream, httpx.ByteStream
        )
        state = current.get()
        max_bytes = self.pipeline.options.max_answer_bytes

        async def attempt(seconds: float) -> httpx.Response:
            request.headers["X-Request-Timeout-Ms"] = str(max(1, int(seconds * 1000)))
            if self._faults is not None and await self._faults.strike(self.dependency):
                raise httpx.ConnectError("an injected fault")
            response = await self._transport.handle_async_request(request)
            response.request = request
            if stream and response.is_success:
                return await check_coding(response)
            return await read_whole(response, max_bytes)

        began = time.monotonic()
        outcome = "cancelled"
        try:
            with self._span(state, method, path) as span:
                _add_context(request, state)
                response = await self.pipeline.run(attempt, repeatable=may_repeat)
                span.set_attribute("http.response.status_code", response.status_code)
            outcome = f"{response.status_code // 100}xx"
        except deadlines.DeadlineExceeded:
            outcome = "timeout"
            raise
        except CircuitOpen as exc:
            outcome = "refused"
            wait = seconds_to_wait(exc.retry_after)
            raise DependencyUnavailable(
                self.dependency, "its circuit is open", retry_after=wait
            ) from exc
        except httpx.HTTPError as exc:
            outcome = "error"
            raise DependencyUnavailable(self.dependency, str(exc) or type(exc).__name__) from exc
        except Exception as exc:
            outcome = "capped" if isinstance(exc, TooManyCalls) else "error"
            raise
        finally:
            seconds = time.monotonic() - began
            self._duration.labels(self.dependency, f"{method} {path}", outcome).observe(seconds)
        return response

    def _url(self, path: str, values: Mapping[str, str]) -> httpx.URL:
        if values:
            return httpx.URL(self._base + fill(path, values))
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = httpx.URL(self._base + path)
        return url

    def _span(
        self, state: RequestState | None, method: str, path: str
    ) -> AbstractContextManager[trace.Span]:
        if state is not None and not state.traced:
            return NO_SPAN
        url = self._address
        return self._tracer.start_as_current_span(
            f"{method} {path}",
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": method,
                "url.template": path,
                "server.address": url.host,
                "server.port": url.port or (443 if url.scheme == "https" else 80),
                "peer.service": self.dependency,
            },
        )

    def report(self) -> Mapping[str, Any]:
        """How it goes, for `/dependencies`."""
        return report(self.pipeline)

    def force(self, state: Literal["open", "closed"], seconds: float) -> None:
        """Hold its breaker there for so long."""
        self.pipeline.breaker.force(State(state), seconds)

    def release(self) -> None:
        """Let the calls decide again."""
        self.pipeline.breaker.release()

    async def close(self) -> None:
        await self._transport.aclose()


def fill(path: str, values: Mapping[str, str]) -> str:
    """A path template with its values, quoted.

    Raises:
        ValueError: a value that would make the path another one.
    """
    for name, value in values.items():
        if value in ("", ".", ".."):
            raise ValueError(f"{name} cannot be {value!r} in a path")
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path


def _cold(options: Dependency) -> dict[str, Any]:
    """Those that a running client cannot change."""
    fields = Dependency.model_fields.items()
    return {name: getattr(options, name) for name, one in fields if HOT not in one.metadata}


def _add_context(request: httpx.Request, state: RequestState | None) -> None:
    if state is None:
        return
    request.headers["X-Request-Id"] = state.request_id
    request.headers["traceparent"] = traceparent(state)
    if state.tracestate:
        request.headers["tracestate"] = state.tracestate
