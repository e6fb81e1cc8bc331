"""One model of health that every part reports to and every probe reads.

- Live: the event loop answers. Touches no dependency: a restart mends none.
- Started: start-up is complete.
- Ready: started, not draining, and every critical check passes. Informational checks show
  as degraded and change nothing.
"""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import structlog

from .masking import masked

# A check that takes longer than a probe's own timeout is a failed check.
CHECK_TIMEOUT = 2.0
# Probes of the kubelet, a load balancer and a person cost a dependency one check per 2 s.
CACHE_FOR = 2.0

Check = Callable[[], Awaitable[None]]


class Phase(StrEnum):
    """Where the process is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


@dataclass(slots=True)
class _Registered:
    check: Check
    critical: bool
    error: str | None = "not checked yet"
    at: float = 0.0
    running: "asyncio.Task[None] | None" = field(default=None, repr=False)


class Health:
    """The registry of checks, and the process's phase.

    Args:
        check_timeout: seconds that one check may take.
        cache_for: seconds that a result is reused.
    """

    def __init__(
        self, *, check_timeout: float = CHECK_TIMEOUT, cache_for: float = CACHE_FOR
    ) -> None:
        self.phase = Phase.STARTING
        self._check_timeout = check_timeout
        self._cache_for = cache_for
        self._checks: dict[str, _Registered] = {}
        self._log = structlog.get_logger().bind(logger="health")

    def register(self, name: str, check: Check, *, critical: bool) -> None:
        """Add a check; it passes by returning and fails by raising."""
        self._checks[name] = _Registered(check, critical)

    @property
    def started(self) -> bool:
        return self.phase is not Phase.STARTING

    async def report(self) -> dict[str, Any]:
        """Whether to send traffic here, and why not, in what JSON can say."""
        return (await self.readiness())[1]

    async def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Whether to send traffic here, and the same with the reasons."""
        await asyncio.gather(*(self._refresh(n, c) for n, c in self._checks.items()))
        failing = {n for n, c in self._checks.items() if c.error is not None}
        critical = {n for n in failing if self._checks[n].critical}
        ready = self.phase is Phase.SERVING and not critical
        status = "ready" if ready else "unready"
        if ready and failing:
            status = "degraded"
        return ready, {
            "status": status,
            "phase": self.phase,
            "checks": {
                name: {
                    "status": "pass" if check.error is None else "fail",
                    "critical": check.critical,
                    **({"error": check.error} if check.error else {}),
                }
                for name, check in self._checks.items()
            },
        }

    async def _refresh(self, name: str, registered: _Registered) -> None:
        if time.monotonic() - registered.at < self._cache_for and registered.at:
            return
        if registered.running is None:  # single flight: whoever asks meanwhile waits for this one
            # In a context of its own: the result is everybody's, its log record not the prober's.
            registered.running = asyncio.create_task(
                self._run(name, registered), context=contextvars.Context()
            )
        await asyncio.shield(registered.running)

    async def _run(self, name: str, registered: _Registered) -> None:
        before, first = registered.error, not registered.at
        try:
            async with asyncio.timeout(self._check_timeout):
                await registered.check()
            registered.error = None
        except TimeoutError:
            registered.error = f"no answer within {self._check_timeout:g} s"
        except Exception as exc:  # noqa: BLE001 - a check fails in its own way
            registered.error = masked(f"{type(exc).__name__}: {exc}".splitlines()[0])[:200]
        finally:
            registered.at = time.monotonic()
            registered.running = None
        if first or (before is None) != (registered.error is None):
            write = self._log.info if registered.error is None else self._log.warning
            write("check changed", check=name, error=registered.error)
