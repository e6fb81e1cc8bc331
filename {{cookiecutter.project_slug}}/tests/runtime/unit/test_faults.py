"""Which faults are on, and whom they strike."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from steadfast_service.runtime.active_faults import (
    MAX_ACTIVE,
    ActiveFaults,
    RefusedFault,
)
from steadfast_service.runtime.config.live import Live
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.errors import StartupError
from steadfast_service.runtime.faults import Fault
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.settings import Faults

from ...support.records import Records

ROUTES = ("GET /api/orders", "GET /api/orders/{order_id}", "POST /api/orders")


class Bench:
    """Active faults on a clock and dice that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.dice = 0.0
        self.metrics = Metrics()
        self.faults = ActiveFaults(
            ("payments", "mail"), self.metrics, clock=lambda: self.now, draw=lambda: self.dice
        )
        self.open()

    def open(self, *rules: Fault) -> None:
        self.faults.open(Live(Faults(rules=rules)), lambda: ROUTES)

    def add(self, **fault: Any) -> str:
        return self.faults.add(Fault(**fault)).id

    def ids(self) -> list[str]:
        return [one.id for one in self.faults.all()]

    def hit(self, method: str = "GET", path: str = "/api/orders") -> Fault | None:
        return self.faults.for_request(method, path)

    def injected(self, kind: str) -> float | None:
        return self.metrics.registry.get_sample_value("faults_injected_total", {"kind": kind})


@pytest.fixture
def bench(records: Records) -> Bench:
    return Bench()


@pytest.fixture
async def request_state() -> AsyncIterator[RequestState]:
    """A request that is served now, and was going to be silent.

    Asynchronous, so that it is set in the context that the tests run in.
    """
    state = RequestState(0.0, "0" * 31 + "1", "r1")
    state.sampled = False
    token = current.set(state)
    yield state
    current.reset(token)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            {"dependency": "stock", "fail": True},
            "APP_FAULTS__RULES__1__DEPENDENCY: no such dependency; known: mail, payments",
        ),
        ({"route": "GET /api/order", "delay": 1}, "APP_FAULTS__RULES__1__ROUTE: no such route"),
        ({"route": "GET /livez", "delay": 1}, "APP_FAULTS__RULES__1__ROUTE: no such route"),
    ],
)
def test_a_rule_about_nothing_of_ours_stops_the_start(
    bench: Bench, rule: dict[str, Any], line: str
) -> None:
    with pytest.raises(StartupError) as refusal:
        bench.open(Fault(delay=1), Fault(**rule))
    assert str(refusal.value).startswith(line)


def test_the_refusal_names_what_is_known(bench: Bench) -> None:
    with pytest.raises(RefusedFault, match="known: mail, payments") as refusal:
        bench.add(dependency="stock", fail=True)
    assert refusal.value.field == "dependency"
    with pytest.raises(RefusedFault, match=r"GET /api/orders/\{order_id\}") as refusal:
        bench.add(route="GET /api/orders/{id}", delay=1)
    assert refusal.value.field == "route"
    assert bench.ids() == []


def test_there_is_a_most_of_them(bench: Bench) -> None:
    for _ in range(MAX_ACTIVE):
        bench.add(delay=1, expires_in=10)
    with pytest.raises(RefusedFault, match="which is the most") as refusal:
        bench.add(delay=1)
    assert refusal.value.field == ""
    bench.now += 10
    bench.add(delay=1)
    assert len(bench.ids()) == 1


def test_while_nothing_is_on_there_is_nothing_to_look_at(bench: Bench) -> None:
    assert not bench.faults.requests
    one = bench.add(delay=1, expires_in=5)
    bench.add(dependency="payments", fail=True)
    assert [active.id for active in bench.faults.requests] == [one]
    bench.now += 5
    assert bench.hit() is None
    assert not bench.faults.requests


def test_it_ends_when_its_time_is_up_and_not_before(bench: Bench) -> None:
    one = bench.add(abort_status=503, expires_in=5)
    bench.now += 4.5
    assert bench.hit() is not None
    active = bench.faults.get(one)
    assert active is not None
    report = bench.faults.report(active)
    assert (report["seconds_left"], report["struck"]) == (0.5, 1)
    bench.now += 0.5
    assert bench.hit() is None
    assert bench.ids() == []
    assert bench.faults.remove(one) is False


def test_routes_are_told_apart_by_method_and_template(bench: Bench) -> None:
    bench.add(route="GET /api/orders/{order_id}", abort_status=503)
    assert bench.hit("GET", "/api/orders/7") is not None
    for method, path in (
        ("GET", "/api/orders"),
        ("GET", "/api/orders/"),
        ("GET", "/api/orders/7/lines"),
        ("POST", "/api/orders/7"),
        ("HEAD", "/api/orders/7"),
    ):
        assert bench.hit(method, path) is None


def test_the_first_that_strikes_is_the_one(bench: Bench) -> None:
    bench.add(abort_status=503, percentage=10)
    bench.add(delay=1, percentage=50)
    bench.dice = 0.09
    assert bench.hit() == Fault(abort_status=503, percentage=10)
    bench.dice = 0.1
    assert bench.hit() == Fault(delay=1, percentage=50)
    bench.dice = 0.5
    assert bench.hit() is None
    assert [one.struck for one in bench.faults.all()] == [1, 1]


def test_any_of_them_can_be_removed(bench: Bench) -> None:
    ids = [bench.add(delay=1), bench.add(dependency="mail", fail=True), bench.add(delay=2)]
    assert bench.ids() == ids
    assert bench.faults.remove(ids[1]) is True
    assert bench.faults.remove(ids[1]) is False
    assert bench.ids() == [ids[0], ids[2]]
    assert bench.faults.clear() == [ids[0], ids[2]]
    assert bench.faults.clear() == []
    assert bench.add(delay=1) not in ids


async def test_a_dependency_is_struck_by_its_own_faults_alone(bench: Bench) -> None:
    assert await bench.faults.strike("payments") is False
    bench.add(delay=3600)
    bench.add(dependency="mail", delay=3600)
    bench.add(dependency="payments", fail=True, percentage=50)
    bench.dice = 0.4
    assert await bench.faults.strike("payments") is True
    bench.dice = 0.5
    assert await bench.faults.strike("payments") is False


async def test_a_call_that_is_given_up_is_struck_all_the_same(bench: Bench) -> None:
    bench.add(dependency="payments", delay=3600, fail=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await bench.faults.strike("payments")
    assert bench.injected("dependency_delay") == 1


async def test_what_was_struck_says_so_once_and_the_log_each_time(
    bench: Bench, request_state: RequestState, records: Records
) -> None:
    bench.add(delay=1, abort_status=503)
    bench.add(dependency="payments", fail=True)
    bench.hit()
    for _ in range(3):  # as retries do
        assert await bench.faults.strike("payments") is True
    assert request_state.faults == "delay=1;abort=503, dependency=payments;fail=1"
    assert request_state.bound == {"fault": request_state.faults}
    marks = [record["injected"] for record in records.of("fault injected")]
    assert marks == ["delay=1;abort=503", *["dependency=payments;fail=1"] * 3]
    counted = {kind: bench.injected(kind) for kind in ("delay", "abort", "dependency_fail")}
    assert counted == {"delay": 1, "abort": 1, "dependency_fail": 3}


async def test_no_log_level_hides_it(bench: Bench, records: Records) -> None:
    bench.add(dependency="payments", fail=True)
    assert await bench.faults.strike("payments") is True  # outside of any request
    [record] = records.of("fault injected")
    assert (record["level"], record["id"]) == ("warning", "1")
