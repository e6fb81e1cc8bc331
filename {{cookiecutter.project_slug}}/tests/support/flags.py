"""Feature flags without a service around them."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagEvaluationDetails

from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.flags.flag import Flag
from steadfast_service.runtime.flags.opening import open_flags
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.shutdown import Closing

from .changing import Changing

CUS_1 = EvaluationContext("cus_1")


class Opened(NamedTuple):
    """A client, and the settings behind it."""

    client: OpenFeatureClient
    metrics: Metrics
    live: Changing[Mapping[str, Flag]]

    def change(self, **flags: Flag) -> None:
        """As when the settings are reloaded."""
        self.live.put(flags)

    def ask(self, name: str = "new", default: bool = False) -> FlagEvaluationDetails[bool]:
        """For the customer cus_1."""
        return self.client.get_boolean_details(name, default, CUS_1)

    def counted(self, **labels: str) -> float | None:
        """How many evaluations have these labels."""
        registry = self.metrics.registry
        return registry.get_sample_value("feature_flag_evaluations_total", labels)


@asynccontextmanager
async def opened(**flags: Flag) -> AsyncIterator[Opened]:
    """With these flags in force."""
    live: Changing[Mapping[str, Flag]] = Changing(flags)
    metrics = Metrics()
    async with Closing(5) as closing:
        yield Opened(open_flags(closing, metrics, live), metrics, live)


def flag(**fields: Any) -> Flag:
    """One that is enabled."""
    return Flag.model_validate({"enabled": True} | fields)


@contextmanager
def request(
    *headers: tuple[bytes, bytes], principal: Mapping[str, Any] | None = None
) -> Iterator[RequestState]:
    """As if a request were being answered."""
    state = RequestState(time.monotonic(), "a" * 32, "req-1", headers)
    state.principal = principal
    token = current.set(state)
    try:
        yield state
    finally:
        current.reset(token)
