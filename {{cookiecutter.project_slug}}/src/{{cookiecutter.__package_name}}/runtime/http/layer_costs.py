"""What each layer of the chain costs, measured in the running service on a few requests.

Probes are put between the layers by replacing each one's `app`, and taken out again. While
they are out nothing is different from a chain that nobody measures. A request that is measured
takes about twice as long; a cost is what goes beyond that of a layer that does nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from statistics import median
from typing import Any, NamedTuple, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

from .layer_probes import KEY, Measured, Probe, empty_layer

REQUESTS = 20  # that one round measures
PAUSE = 10.0  # seconds between two rounds
# Seconds that a round waits for the last of its requests. Those that take longer do not count.
PATIENCE = 1.0
KEPT = 200  # requests that a cost is the median of

L = TypeVar("L")


def layers_of(app: ASGIApp) -> list[Any]:
    """The layers, outermost first, and the application inside of them as the last."""
    found: list[Any] = []
    one: Any = app
    while one is not None:
        if not isinstance(one, Probe):
            found.append(one)
        one = getattr(one, "app", None)
    return found


def find_layer(app: ASGIApp, kind: type[L]) -> L | None:
    """The layer of this class, if the chain has one."""
    return next((one for one in layers_of(app) if isinstance(one, kind)), None)


class Cost(NamedTuple):
    """Seconds of a layer's own; `share` is of all that the medians of the chain add up to."""

    median: float
    p95: float
    share: float


class LayerCosts:
    """Measures 20 requests, pauses for 10 s, and begins anew.

    Each boundary between two layers is seen: the call and its return, and each message that
    crosses it. The time between two crossings belongs to the layer that had it. What a
    layer awaits counts as its own; normally only the application awaits anything.

    Args:
        app: the chain.
        exempt: paths that are not measured, the probes: most layers let them pass.
    """

    def __init__(self, app: ASGIApp, *, exempt: Collection[str]) -> None:
        self.layers = layers_of(app)
        self._exempt = frozenset(exempt)
        # By place. The server holds the outermost layer itself, so that one changes its class.
        self._probes = [Probe(one, place) for place, one in enumerate(self.layers, 1)]
        self._kinds = self._outermost_kinds()
        self._samples: list[deque[int]] = [deque(maxlen=KEPT) for _ in self.layers]
        self._empty = 0  # nanoseconds that nobody pays who is not measured
        self._left = 0  # requests that this round may still take
        self._under_way = 0
        self._taken, self._over = asyncio.Event(), asyncio.Event()
        self.measured_at: float | None = None  # Unix time of the last one

    @property
    def samples(self) -> int:
        """How many requests the costs are of."""
        return len(self._samples[0])

    def costs(self) -> list[Cost | None]:
        """What each of `layers` costs; None while that is not known."""
        ordered = [sorted(samples) for samples in self._samples]
        middles = [median(values) if values else 0 for values in ordered]
        total = sum(middles) or 1
        return [
            Cost(middle / 1e9, values[len(values) * 95 // 100] / 1e9, middle / total)
            if values
            else None
            for values, middle in zip(ordered, middles, strict=True)
        ]

    async def run(self) -> None:
        """Measure again and again; cancel it to end it."""
        while self._kinds[0] is not self._kinds[1]:
            self._empty = await empty_layer()
            self.put_in()
            try:
                await self._taken.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        await self._over.wait()
            finally:
                self.take_out()
            await asyncio.sleep(PAUSE)

    def put_in(self) -> None:
        """Begin a round. What is under way is not measured, and passes the probes untouched."""
        self._taken.clear()
        self._left, self._under_way = REQUESTS, 0
        # The outermost last: whoever meets that one meets them all.
        for outer, probe in reversed(list(zip(self.layers, self._probes[1:], strict=False))):
            with suppress(AttributeError):  # one that is frozen counts as a part of the one before
                outer.app = probe
        self.layers[0].__class__ = self._kinds[1]

    def take_out(self) -> None:
        """End it: every layer has its own `app` again."""
        # Another round's: a request that outlives this one may have missed a probe.
        self._over = asyncio.Event()
        self.layers[0].__class__ = self._kinds[0]
        for outer, probe in zip(self.layers, self._probes[1:], strict=False):
            if outer.app is probe:
                outer.app = probe.app

    def _outermost_kinds(self) -> tuple[type, type]:
        """The class of the outermost layer, and one that asks here first.

        The same twice for what cannot change its class, such as a plain function: then nothing
        is measured.
        """
        kind: type[Any] = type(self.layers[0])
        call: Callable[..., Awaitable[None]] = kind.__call__

        # A coroutine function: uvicorn takes anything else for an application of ASGI 2.
        async def enter(layer: Any, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not self._left or scope["path"] in self._exempt:
                await call(layer, scope, receive, send)
            else:
                await self._measure(lambda *args: call(layer, *args), scope, receive, send)

        try:
            own = {"__slots__": (), "__module__": kind.__module__, "__call__": enter}
            asking = type(kind.__name__, (kind,), own)
            self.layers[0].__class__ = asking
            self.layers[0].__class__ = kind
        except TypeError:
            return kind, kind
        return kind, asking

    async def _measure(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._left -= 1
        self._under_way += 1
        if not self._left:
            self.layers[0].__class__ = self._kinds[0]  # the others cost nothing from now on
            self._taken.set()
        over = self._over
        request = scope[KEY] = Measured(len(self.layers) + 1)
        try:
            await Probe(app, 1)(scope, receive, send)
            if over is self._over:
                self._keep(request)
        finally:
            if over is self._over:
                self._under_way -= 1
                if not self._left and not self._under_way:
                    over.set()

    def _keep(self, request: Measured) -> None:
        for samples, spent in zip(
            self._samples[: request.reached], request.spent[1:], strict=False
        ):
            samples.append(max(0, spent - self._empty))
        self.measured_at = time.time()
