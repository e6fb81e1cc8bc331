"""One model of health: what a check costs, and what its failure means."""

import asyncio
from typing import Any

import pytest

from steadfast_service.runtime.context import current
from steadfast_service.runtime.health import Health, Phase

from ...support.records import Records

BOUND = 5.0


class Check:
    """A check that counts how often it runs."""

    def __init__(self, error: Exception | None = None) -> None:
        self.runs = 0
        self.error = error
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> None:
        self.runs += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error


def serving(**options: float) -> Health:
    health = Health(**options)
    health.phase = Phase.SERVING
    return health


async def test_ready_only_while_serving() -> None:
    health = Health()
    assert not health.started
    seen = {}
    for phase in Phase:
        health.phase = phase
        ready, report = await health.readiness()
        assert report["phase"] == phase
        seen[phase] = (ready, report["status"])
    assert seen == {
        Phase.STARTING: (False, "unready"),
        Phase.SERVING: (True, "ready"),
        Phase.DRAINING: (False, "unready"),
    }
    assert health.started


@pytest.mark.parametrize(
    ("critical", "informational", "expected"),
    [
        (None, None, (True, "ready")),
        (None, OSError("down"), (True, "degraded")),
        (OSError("down"), None, (False, "unready")),
        (OSError("down"), OSError("down"), (False, "unready")),
    ],
)
async def test_only_a_critical_check_takes_traffic_away(
    records: Records,
    critical: Exception | None,
    informational: Exception | None,
    expected: tuple[bool, str],
) -> None:
    health = serving()
    health.register("store", Check(critical), critical=True)
    health.register("mail", Check(informational), critical=False)
    ready, report = await health.readiness()
    assert (ready, report["status"]) == expected
    for name, error in (("store", critical), ("mail", informational)):
        shown = report["checks"][name]
        assert shown["status"] == ("fail" if error else "pass")
        assert shown.get("error") == ("OSError: down" if error else None)


async def test_who_asks_meanwhile_waits_for_the_same_check() -> None:
    health = serving()
    check = Check()
    check.gate.clear()
    health.register("store", check, critical=True)
    asking = [asyncio.ensure_future(health.readiness()) for _ in range(10)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in asking)
    check.gate.set()
    async with asyncio.timeout(BOUND):
        answers = await asyncio.gather(*asking)
    assert check.runs == 1
    assert all(ready for ready, _ in answers)


async def test_who_stops_asking_does_not_stop_the_check() -> None:
    health = serving()
    check = Check()
    check.gate.clear()
    health.register("store", check, critical=True)
    first, second = (asyncio.ensure_future(health.readiness()) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait({first})
    check.gate.set()
    async with asyncio.timeout(BOUND):
        assert (await second)[0]
    assert check.runs == 1


async def test_a_result_is_reused_for_a_while() -> None:
    check = Check()
    cached = serving(cache_for=60)
    cached.register("store", check, critical=True)
    for _ in range(5):
        await cached.readiness()
    assert check.runs == 1

    fresh = serving(cache_for=0)
    fresh.register("store", check, critical=True)
    for _ in range(5):
        await fresh.readiness()
    assert check.runs == 6


async def test_a_check_that_hangs_has_failed(records: Records) -> None:
    health = serving(check_timeout=0.05)
    check = Check()
    check.gate.clear()
    health.register("store", check, critical=True)
    async with asyncio.timeout(BOUND):
        ready, report = await health.readiness()
    assert not ready
    assert report["checks"]["store"]["error"] == "no answer within 0.05 s"


async def test_a_change_is_logged_once(records: Records) -> None:
    health = serving(cache_for=0)
    check = Check(OSError("down\nsecond line"))
    health.register("store", check, critical=True)
    await health.readiness()
    await health.readiness()
    check.error = None
    await health.readiness()
    await health.readiness()
    changes = [(r["level"], r["check"], r["error"]) for r in records.of("check changed")]
    assert changes == [("warning", "store", "OSError: down"), ("info", "store", None)]


async def test_a_check_knows_nothing_of_who_asked() -> None:
    seen: list[Any] = []

    async def check() -> None:
        seen.append(current.get())

    health = serving()
    health.register("store", check, critical=True)
    token = current.set(object())  # type: ignore[arg-type]
    try:
        await health.readiness()
    finally:
        current.reset(token)
    assert seen == [None]
