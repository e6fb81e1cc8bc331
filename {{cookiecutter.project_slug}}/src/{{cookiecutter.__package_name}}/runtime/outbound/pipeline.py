"""What every call of one dependency passes, outermost stage first.

1. concurrency cap: one slow dependency must not hold every request of this service;
2. total time: `deadline_share` of what is left of the request, and never above `timeout`;
3. retry: of what may be repeated, within a budget and within that time;
4. breaker: nothing is sent to what has just failed most of the time;
5. attempt timeout: passing it is the dependency's failure, unlike the end of the request;
6. the pool of `transport.py`: kept connections, bounded in number and in idle time.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

import httpx
from prometheus_client import Counter

from .. import deadlines
from ..errors import DependencyUnavailable
from .breaker import Breaker, Call, CircuitOpen
from .latencies import Latencies
from .options import Dependency
from .retry import TRANSIENT, Retries, retry_after

# An attempt with so much of `attempt_timeout` left ends so much before its call does, and so as
# the dependency's failure. With a `timeout` of the same length an outage would not be seen.
WHOLE = 0.95
# One attempt, given the seconds that it has.
Attempt = Callable[[float], Awaitable[httpx.Response]]


class AttemptTimeout(deadlines.DeadlineExceeded):
    """The dependency did not answer within `attempt_timeout`; the request may have time left."""


class TooManyCalls(DependencyUnavailable):
    """`max_concurrent` calls of this dependency are under way."""


def _trial_timeout(options: Dependency) -> float:
    """A trial ends by its attempt timeout; one that did not by twice that never will."""
    return 2 * options.attempt_timeout


def _is_ours(exc: Exception) -> bool:
    """Whether what was raised is a mistake on this side, such as a header that cannot be sent."""
    return not isinstance(exc, httpx.HTTPError | AttemptTimeout)


def is_failure(status: int) -> bool:
    """Whether an answer says that the dependency is unwell; other 4xx are about the request."""
    return status >= 500 or status == 429


class Pipeline:
    """The stages of one dependency, and what they have seen.

    Args:
        attempts: counts attempts by dependency and outcome.

    Attributes:
        options: those of the calls that begin now.
        active: calls under way.
    """

    def __init__(self, dependency: str, options: Dependency, *, attempts: Counter) -> None:
        self.dependency = dependency
        self.options = options
        self.active = 0
        self.retries = Retries(options.retry)
        self.breaker = Breaker(
            dependency,
            options.breaker,
            trial_timeout=_trial_timeout(options),
            exclude=[_is_ours],
        )
        self.latencies = Latencies()
        self._attempts = attempts

    def update(self, options: Dependency) -> None:
        """Take the next calls through stages of these options; what was counted stays.

        Calls under way end by the options they began with.
        """
        self.breaker.update(options.breaker, trial_timeout=_trial_timeout(options))
        self.retries.update(options.retry)
        self.options = options

    async def run(self, attempt: Attempt, *, repeatable: bool) -> httpx.Response:
        """Make one call.

        Raises:
            DeadlineExceeded: the time of the call or of its last attempt is used up.
            TooManyCalls: the cap is reached.
            CircuitOpen: the breaker refuses.
            httpx.HTTPError: the last attempt got no answer, or one that is no good.
        """
        options = self.options
        # Stage 1. The next one is refused and does not wait: a queue would hide the trouble.
        if self.active >= options.max_concurrent:
            raise TooManyCalls(self.dependency, f"{self.active} calls are under way")
        self.active += 1
        try:
            async with deadlines.within(
                options.deadline_share, self.dependency, options.timeout
            ) as seconds:
                end = time.monotonic() + seconds
                return await self._retried(attempt, options, end, repeatable=repeatable)
        finally:
            self.active -= 1

    async def _retried(
        self, attempt: Attempt, options: Dependency, end: float, *, repeatable: bool
    ) -> httpx.Response:
        """Stage 3: until an answer is good enough or another attempt makes no sense."""

        def next_pause(asked: float | None) -> float | None:
            left = end - time.monotonic()
            return self.retries.pause(number, options.retry, left=left, asked=asked)

        self.retries.call_began()
        number = 0
        while True:
            number += 1
            try:
                response = await self._guarded(attempt, options.attempt_timeout, end)
            except (httpx.TransportError, AttemptTimeout):
                pause = next_pause(None) if repeatable else None
                if pause is None:
                    raise
            else:
                if response.status_code not in TRANSIENT or not repeatable:
                    return response
                pause = next_pause(retry_after(response.headers))
                if pause is None:
                    return response
                await response.aclose()
            await asyncio.sleep(pause)

    async def _guarded(self, attempt: Attempt, limit: float, end: float) -> httpx.Response:
        """Stage 4."""
        began = time.monotonic()
        outcome = "cancelled"
        try:
            with self.breaker.calling() as call:
                response = await self._timed(attempt, limit, end - began, call)
                if is_failure(response.status_code):
                    call.failed()
            outcome = f"{response.status_code // 100}xx"
        except AttemptTimeout:
            outcome = "timeout"
            raise
        except CircuitOpen:
            outcome = "refused"
            raise
        except Exception:
            outcome = "error"
            raise
        finally:
            self._attempts.labels(self.dependency, outcome).inc()
            if outcome not in ("cancelled", "refused"):
                self.latencies.add(time.monotonic() - began)
        return response

    async def _timed(
        self, attempt: Attempt, limit: float, left: float, call: Call
    ) -> httpx.Response:
        """Stage 5."""
        seconds = min(limit, WHOLE * left) if left >= WHOLE * limit else limit
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                return await attempt(min(seconds, left))
        except asyncio.CancelledError:
            if scope.expired():  # both ends came in one turn of the loop
                call.failed()
            raise
        except httpx.ReadTimeout as exc:
            raise AttemptTimeout(self.dependency) from exc
        except TimeoutError as exc:
            if scope.expired():
                raise AttemptTimeout(self.dependency) from exc
            raise


def seconds_to_wait(seconds: float | None) -> int:
    """Whole seconds for a caller's `Retry-After`; 1 where nothing is known."""
    return 1 if seconds is None else math.ceil(seconds)
