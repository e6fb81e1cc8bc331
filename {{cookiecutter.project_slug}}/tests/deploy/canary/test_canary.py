"""`make canary`, with real services that serve and fail, and a real Prometheus that says so."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...support.process import Process, serving
from .world import PODS, world

IMAGE = "registry.example.com/next:2"


@pytest.fixture(scope="module")
def stable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(tmp_path_factory.mktemp("stable")) as process:
        yield process


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(tmp_path_factory.mktemp("good")) as process:
        yield process


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Process]:
    rules = '[{"abort_status": 500, "percentage": 40}]'
    with serving(tmp_path, FAULTS__RULES=rules) as process:
        yield process


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Process]:
    with serving(tmp_path, FAULTS__RULES='[{"abort_status": 500}]') as process:
        yield process


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Process]:
    with serving(tmp_path, FAULTS__RULES='[{"delay": 3}]') as process:
        yield process


async def test_a_good_canary_is_promoted(tmp_path: Path, stable: Process, good: Process) -> None:
    async with world(tmp_path, stable, good) as it:
        run = await it.start(IMAGE)
        await it.weight(run, 5)
        objects = it.cluster.objects()
        canary = objects[f"deployment/{it.cluster.name}-canary"]
        pod = canary["spec"]["template"]
        assert pod["metadata"]["labels"]["track"] == "canary"
        assert canary["spec"]["selector"]["matchLabels"]["track"] == "canary"
        assert {one["image"] for one in pod["spec"]["containers"]} == {IMAGE}
        assert {one["image"] for one in pod["spec"].get("initContainers", [])} <= {IMAGE}
        # Those who ask for it have it; and the stable keeps its pods, however idle it becomes.
        assert it.cluster.weight("by-header") == 100
        scaler = objects[f"horizontalpodautoscaler/{it.cluster.name}"]
        assert scaler["spec"]["minReplicas"] == PODS
        await it.weight(run, 100)
        canary = it.cluster.objects()[f"deployment/{it.cluster.name}-canary"]
        assert canary["spec"]["replicas"] == PODS
        code, said = await it.ended(run)
        assert code == 0, said
        objects = it.cluster.objects()
        pod = objects[f"deployment/{it.cluster.name}"]["spec"]["template"]["spec"]
        for one in [*pod["containers"], *pod.get("initContainers", [])]:
            assert one["image"] == IMAGE
        # All else is as it was.
        key = f"deployment/{it.cluster.name}"
        assert objects == it.cluster.at_rest | {key: objects[key]}


async def test_a_canary_that_fails_is_rolled_back_at_the_first_step(
    tmp_path: Path, stable: Process, failing: Process
) -> None:
    async with world(tmp_path, stable, failing) as it:
        code, said = await it.run(IMAGE)
        assert code == 1, said
        assert "errors, 1.00% allowed" in said
        assert "25 % of the requests" not in said
        assert it.cluster.objects() == it.cluster.at_rest


async def test_a_slow_canary_is_rolled_back(tmp_path: Path, stable: Process, slow: Process) -> None:
    async with world(tmp_path, stable, slow) as it:
        code, said = await it.run(IMAGE, "--fast-enough=0.5")
        assert code == 1, said
        assert re.search(r"rolling back: p99 .* s allowed", said), said
        assert it.cluster.objects() == it.cluster.at_rest


async def test_a_canary_as_bad_as_the_stable_is_not_blamed(tmp_path: Path, broken: Process) -> None:
    async with world(tmp_path, broken, broken) as it:
        run = await it.start(IMAGE)
        await it.weight(run, 25)
        run.send_signal(signal.SIGINT)
        assert (await it.ended(run))[0] == 1


async def test_pods_that_do_not_become_ready_are_rolled_back(
    tmp_path: Path, stable: Process, good: Process
) -> None:
    async with world(tmp_path, stable, good) as it:
        code, said = await it.run("registry.example.com/crash:2")
        assert code == 1, said
        assert "progress deadline" in said
        assert it.cluster.objects() == it.cluster.at_rest


async def test_without_requests_nobody_is_promoted(
    tmp_path: Path, stable: Process, good: Process
) -> None:
    async with world(tmp_path, stable, good) as it:
        code, said = await it.run(IMAGE, "--min-requests=1e6", "--patience=3")
        assert code == 1, said
        assert "not good within 3 s" in said
        assert it.cluster.objects() == it.cluster.at_rest


async def test_a_prometheus_that_dies_is_a_reason_to_roll_back(
    tmp_path: Path, stable: Process, good: Process
) -> None:
    async with world(tmp_path, stable, good) as it:
        run = await it.start(IMAGE)
        await it.weight(run, 5)
        it.prometheus.stop()
        code, said = await it.ended(run)
        assert code == 1, said
        assert "rolling back: Prometheus:" in said
        assert it.cluster.objects() == it.cluster.at_rest
        # And none to begin.
        code, said = await it.run(IMAGE)
        assert code == 2, said
        assert it.cluster.objects() == it.cluster.at_rest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_who_ends_it_rolls_back(
    tmp_path: Path, stable: Process, good: Process, number: signal.Signals
) -> None:
    async with world(tmp_path, stable, good) as it:
        run = await it.start(IMAGE)
        await it.weight(run, 5)
        run.send_signal(number)
        code, said = await it.ended(run)
        assert code == 1, said
        assert f"rolling back: {number.name}" in said
        assert it.cluster.objects() == it.cluster.at_rest


async def test_what_a_killed_run_left_is_told_and_removed(
    tmp_path: Path, stable: Process, good: Process
) -> None:
    async with world(tmp_path, stable, good) as it:
        run = await it.start(IMAGE)
        await it.weight(run, 5)
        run.kill()
        await it.ended(run)
        left = it.cluster.objects()
        code, said = await it.run(IMAGE)
        assert code == 2, said
        for part in (f"{it.cluster.name}-canary of {IMAGE}", "has weight 5", "is held", "--clean"):
            assert part in said
        assert it.cluster.objects() == left
        code, said = await it.run("", "--clean")
        assert code == 0, said
        assert it.cluster.objects() == it.cluster.at_rest


async def test_who_else_changes_the_route_ends_it(
    tmp_path: Path, stable: Process, good: Process
) -> None:
    async with world(tmp_path, stable, good) as it:
        run = await it.start(IMAGE)
        await it.weight(run, 5)
        objects = it.cluster.objects()
        key = f"httproute/{it.cluster.name}"
        it.cluster.change(objects | {key: it.cluster.at_rest[key]})
        code, said = await it.ended(run)
        assert code == 1, said
        assert "somebody else changes the route" in said
        assert it.cluster.objects() == it.cluster.at_rest


async def test_a_deployment_that_would_select_the_canary_is_refused(
    tmp_path: Path, stable: Process, good: Process
) -> None:
    async with world(tmp_path, stable, good) as it:
        objects = it.cluster.objects()
        del objects[f"deployment/{it.cluster.name}"]["spec"]["selector"]["matchLabels"]["track"]
        it.cluster.change(objects)
        code, said = await it.run(IMAGE)
        assert code == 2, said
        assert "would select the canary's pods" in said
        assert it.cluster.objects() == objects
