"""Which requests are logged and traced: one draw per request, taken from the trace id.

The draw is the low 64 bits of the trace id, the bits that OpenTelemetry's
`TraceIdRatioBased` looks at. Two consequences: every service with the same rate logs the
same requests, and a smaller rate always picks a subset of a larger one, so a request
that is logged at 0.1 % is also traced at 1 %.
"""

from collections.abc import Iterable

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
        self._bound = bound_for(rate)
        self._key_bound = bound_for(key_rate)
        self._trace_bound = bound_for(trace_ratio)
        self._key_routes = RouteSet(key_routes)

    def logs(self, draw: int, method: str, path: str) -> bool:
        """Whether the records of this request are written as they come."""
        if draw < self._bound:
            return True
        return draw < self._key_bound and self._key_routes.matches(method, path)

    def traces(self, draw: int) -> bool:
        """Whether a trace that starts with this request is recorded."""
        return draw < self._trace_bound
