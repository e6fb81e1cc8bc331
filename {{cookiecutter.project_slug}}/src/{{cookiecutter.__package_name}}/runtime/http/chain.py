"""The way of every request, outermost first. To do without a layer, remove its line.

The first is the exception: the others read the state that `RequestContext` sets.
"""

from collections.abc import Callable, Sequence
from functools import partial

from opentelemetry.trace import Tracer
from starlette.types import ASGIApp

from ..active_faults import ActiveFaults
from ..observability.logs import Pipeline
from ..observability.metrics import Metrics
from ..observability.sampling import Sampling
from ..time_limits import TimeLimits
from ..watchdog import Watchdog
from .access_log import AccessLog
from .deadline_guard import DeadlineGuard
from .fault_injection import FaultInjection
from .load_shedding import LoadShedding
from .rate_limit import RateLimit
from .recovery import Recovery
from .request_context import RequestContext

Layer = Callable[[ASGIApp], ASGIApp]
PROBES = ("/livez", "/readyz")


def layers(
    *,
    sampling: Sampling,
    metrics: Metrics,
    pipeline: Pipeline,
    limits: TimeLimits,
    rate_limit: partial[RateLimit],
    shedding: partial[LoadShedding],
    faults: ActiveFaults,
    tracer: Tracer,
) -> list[Layer]:
    """The chain's layers in order, outermost first."""
    return [
        partial(RequestContext, sampling=sampling),
        partial(AccessLog, metrics=metrics, pipeline=pipeline, limits=limits, quiet=PROBES),
        Recovery,
        partial(rate_limit, exempt=PROBES),
        partial(shedding, exempt=PROBES),
        partial(DeadlineGuard, limits=limits, watchdog=Watchdog(limits), metrics=metrics),
        partial(FaultInjection, faults=faults, exempt=PROBES, tracer=tracer),
    ]


def wrap(app: ASGIApp, layers: Sequence[Layer]) -> ASGIApp:
    """Put `app` inside the layers."""
    for layer in reversed(layers):
        app = layer(app)
    return app
