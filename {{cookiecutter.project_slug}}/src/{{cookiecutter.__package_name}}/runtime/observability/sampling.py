"""Which requests are logged and traced: one draw per request, taken from the trace id.

The draw is the low 64 bits of the trace id, the bits that OpenTelemetry's
`TraceIdRatioBased` looks at. Two consequences: every service with the same rate logs the
same requests, and a smaller rate always picks a subset of a larger one, so a request
that is logged at 0.1 % is also traced at 1 %.
"""

from collections.abc import Iterable
from typing import Any

from ..config.live import Live
from ..context import LOW_64_BITS
from ..route_match import RouteSet


def bound_for(rate: float) -> int:
    """The draw below which a request is taken, for a rate between 0 and 1."""
    if not 0 <= rate <= 1:
        raise ValueError(f"a sampling rate lies between 0 and 1, not {rate}")
    return round(rate * (LOW_64_BITS + 1))


class Sampling:
    """The sampling decision of a request.

    Args:
        rate: share of ordinary requests whose log records are written (0 to 1).
        key_rate: the same for key routes.
        key_routes: `"METHOD /path/{template}"`, the routes of the business's own interest.
        trace_ratio: share of requests that start a trace here. A caller's decision wins.
    """

    def __init__(
        self, *, rate: float, key_rate: float, key_routes: Iterable[str], trace_ratio: float
    ) -> None:
        self.update_logs(rate=rate, key_rate=key_rate, key_routes=key_routes)
        self.update_traces(trace_ratio)

    def update_logs(self, *, rate: float, key_rate: float, key_routes: Iterable[str]) -> None:
        """Decide so from the next request on.

        Raises:
            ValueError: a rate is not between 0 and 1; nothing has changed.
        """
        bounds = bound_for(rate), bound_for(key_rate)
        names = sorted(set(key_routes))
        self._key_routes, self._key_names = RouteSet(names), names
        self._bound, self._key_bound = bounds

    def update_traces(self, ratio: float) -> None:
        """The same for the traces that start here."""
        self._trace_bound = bound_for(ratio)

    def report(self) -> dict[str, Any]:
        """The shares that hold now, 0 to 1, and the key routes."""
        bounds = {
            "sample_rate": self._bound,
            "key_route_rate": self._key_bound,
            "trace_ratio": self._trace_bound,
        }
        rates = {name: round(bound / (LOW_64_BITS + 1), 9) for name, bound in bounds.items()}
        return {**rates, "key_routes": self._key_names}

    def logs(self, draw: int, method: str, path: str) -> bool:
        """Whether the records of this request are written as they come."""
        if draw < self._bound:
            return True
        return draw < self._key_bound and self._key_routes.matches(method, path)

    def traces(self, draw: int) -> bool:
        """Whether a trace that starts with this request is recorded."""
        return draw < self._trace_bound


def open_sampling(
    log: Live[Any], tracing: Live[Any], *, key_routes: Iterable[str], traced: bool
) -> Sampling:
    """The decision as the settings have it, now and after each change.

    Args:
        log: with `sample_rate`, `key_route_rate` and `key_routes`.
        tracing: with `sample_ratio`.
        key_routes: those of the contract, beside the settings'.
        traced: whether spans go anywhere; where not, no request is to carry that mark.
    """
    marked = tuple(key_routes)
    sampling = Sampling(rate=0, key_rate=0, key_routes=(), trace_ratio=0)

    def update_logs(
        *, sample_rate: float, key_route_rate: float, key_routes: Iterable[str], **_: Any
    ) -> None:
        routes = (*marked, *key_routes)
        sampling.update_logs(rate=sample_rate, key_rate=key_route_rate, key_routes=routes)

    def update_traces(*, sample_ratio: float, **_: Any) -> None:
        sampling.update_traces(sample_ratio)

    log.follow(update_logs)
    if traced:
        tracing.follow(update_traces)
    return sampling
