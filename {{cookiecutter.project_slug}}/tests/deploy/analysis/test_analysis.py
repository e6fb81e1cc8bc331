"""The queries and conditions of the AnalysisTemplates, on what real services are measured to do."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ...support.process import Process, serving, until
from ...support.prometheus import Prometheus
from ..support import overlay, rendered

OBJECTS = "production"
VERSIONS = {
    "good": "[]",
    "better": "[]",
    "failing": '[{"abort_status": 500, "percentage": 50}]',
    "slow": '[{"delay": 0.6}]',
    "idle": "[]",
}
FIRST, REQUESTS = 10, 60
ANSWERED = 'sum(http_server_request_duration_seconds_count{route!="/readyz"})'


@dataclass(frozen=True)
class World:
    """Services by their version, and the Prometheus that scrapes them."""

    services: dict[str, Process]
    prometheus: Prometheus
    namespace: str

    def judge(self, template: str, canary: str, stable: str) -> dict[str, str]:
        """What the controller would make of each metric of a template."""
        values = {"namespace": self.namespace, "canary": canary, "stable": stable}
        return {
            metric["name"]: self._phase(metric, arguments(template) | values)
            for metric in found(template)["spec"]["metrics"]
        }

    def _phase(self, metric: dict[str, Any], values: dict[str, str]) -> str:
        def filled(text: str) -> str:
            whole = re.sub(r"\{\{args\.([a-z-]+)}}", lambda match: values[match[1]], text)
            # As long as this test takes, instead of minutes.
            return re.sub(r"\[[25]m]", "[60s]", whole)

        result = self.prometheus.query(filled(metric["provider"]["prometheus"]["query"]))
        assert len(result) <= 1

        def holds(condition: str) -> bool:
            words = filled(condition).replace("&&", "and")
            return bool(eval(words, {"result": result, "len": len}))

        failed = holds(metric["failureCondition"])
        if failed or "successCondition" not in metric:
            return "Failed" if failed else "Successful"
        return "Successful" if holds(metric["successCondition"]) else "Inconclusive"


def found(ending: str) -> dict[str, Any]:
    """The one whose name ends so."""
    [one] = [
        one
        for one in rendered(overlay(OBJECTS)).of_kind("AnalysisTemplate")
        if one["metadata"]["name"].endswith(ending)
    ]
    return dict(one)


def arguments(template: str) -> dict[str, str]:
    """Its defaults, but for as few requests as a test makes."""
    defaults = {one["name"]: one.get("value", "") for one in found(template)["spec"]["args"]}
    return defaults | {"min-requests": "20", "fast-enough": "0.3"}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Process]]:
    """Every version."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serving(tmp_path_factory.mktemp(name), FAULTS__RULES=rules))
            for name, rules in VERSIONS.items()
        }


@pytest.fixture(scope="module")
async def world(
    tmp_path_factory: pytest.TempPathFactory, services: dict[str, Process]
) -> AsyncIterator[World]:
    """All versions but one have had requests, and Prometheus knows of them."""
    namespace = found("-canary")["metadata"]["namespace"]
    targets = [
        (process.ops_url, {"namespace": namespace, "rollouts_pod_template_hash": name})
        for name, process in services.items()
    ]
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), targets)
    busy = [process for name, process in services.items() if name != "idle"]
    try:
        await prometheus.start()
        # Every series begins before what is counted.
        await ask(busy, FIRST)
        await until(lambda: prometheus.query(ANSWERED) == [FIRST * len(busy)])
        await ask(busy, REQUESTS)
        await until(lambda: prometheus.query(ANSWERED) == [(FIRST + REQUESTS) * len(busy)])
        yield World(services, prometheus, namespace)
    finally:
        prometheus.stop()


async def ask(services: list[Process], times: int) -> None:
    """So many requests to each."""

    async def all_of(process: Process) -> None:
        async with httpx.AsyncClient(base_url=process.url, timeout=30) as client:
            await asyncio.gather(*(client.get("/api/version") for _ in range(times)))

    await asyncio.gather(*(all_of(process) for process in services))


@pytest.mark.parametrize(
    ("canary", "stable", "errors", "latency"),
    [
        ("good", "better", "Successful", "Successful"),
        ("failing", "good", "Failed", "Successful"),
        ("slow", "good", "Successful", "Failed"),
        # It does what the version does that it replaces.
        ("failing", "failing", "Successful", "Successful"),
        ("slow", "slow", "Successful", "Successful"),
        # Without requests of the canary nothing is known; without the stable's there are limits.
        ("idle", "good", "Inconclusive", "Inconclusive"),
        ("unknown", "good", "Inconclusive", "Inconclusive"),
        ("good", "idle", "Successful", "Successful"),
        ("slow", "unknown", "Successful", "Failed"),
    ],
)
async def test_a_step_is_judged(
    world: World, canary: str, stable: str, errors: str, latency: str
) -> None:
    verdict = world.judge("-canary", canary, stable)
    assert verdict == {"errors": errors, "latency": latency}


@pytest.mark.parametrize(
    ("canary", "verdict"),
    [("good", "Successful"), ("failing", "Failed"), ("idle", "Successful")],
)
async def test_an_alarm_is_raised(world: World, canary: str, verdict: str) -> None:
    found = world.judge("-canary-alarm", canary, "better")
    assert found == {"many-errors": verdict, "restarts": "Successful"}


async def test_a_restart_is_an_alarm(tmp_path: Path) -> None:
    namespace = found("-canary")["metadata"]["namespace"]
    labels = {"namespace": namespace, "rollouts_pod_template_hash": "crashing"}
    with serving(tmp_path) as first:
        prometheus = Prometheus(tmp_path, [(first.ops_url, labels)])
        try:
            await prometheus.start()
            first.popen.kill()
            await first.ended()
            port = first.ops_url.rpartition(":")[2]
            again = tmp_path / "again"
            again.mkdir()
            with serving(again, MANAGEMENT__PORT=port) as second:
                assert second.ops_url == first.ops_url
                world = World({}, prometheus, namespace)

                def restarts() -> str:
                    return world.judge("-canary-alarm", "crashing", "good")["restarts"]

                await until(lambda: restarts() == "Failed")
        finally:
            prometheus.stop()
