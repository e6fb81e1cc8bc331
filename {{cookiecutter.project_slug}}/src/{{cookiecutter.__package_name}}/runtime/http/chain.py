"""The way of every request, outermost first. To do without a layer, remove its line.

The first is the exception: the others read the state that `RequestContext` sets.
"""

from collections.abc import Callable, Sequence
from functools import partial

from starlette.types import ASGIApp

from ..observability.logs import Pipeline
from ..observability.metrics import Metrics
from ..observability.sampling import Sampling
from ..watchdog import Watchdog
from .access_log import AccessLog
from .deadline_guard import DeadlineGuard
from .fault_injection import Fault, FaultInjection
from .load_shedding import LoadShedding
from .recovery import Recovery
from .request_context import RequestContext

Layer = Callable[[ASGIApp], ASGIApp]
PROBES = ("/livez", "/readyz")


def layers(
    *,
    sampling: Sampling,
    metrics: Metrics,
    pipeline: Pipeline,
    watchdog: Watchdog,
    request_timeout: float,
    slow_request: float,
    max_in_flight: int,
    fault: Fault,
) -> list[Layer]:
    """The chain's layers in order, outermost first."""
    return [
        partial(RequestContext, sampling=sampling),
        partial(AccessLog, metrics=metrics, pipeline=pipeline, slow=slow_request, quiet=PROBES),
        Recovery,
        partial(LoadShedding, max_in_flight=max_in_flight, exempt=PROBES, metrics=metrics),
        partial(DeadlineGuard, limit=request_timeout, watchdog=watchdog, metrics=metrics),
        partial(FaultInjection, fault=fault),
    ]


def wrap(app: ASGIApp, layers: Sequence[Layer]) -> ASGIApp:
    """Put `app` inside the layers."""
    for layer in reversed(layers):
        app = layer(app)
    return app
