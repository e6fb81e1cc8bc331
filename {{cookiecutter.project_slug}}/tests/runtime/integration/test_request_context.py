"""Who a request is: ids and trace context, in and out."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadfast_service.runtime.context import current
from steadfast_service.runtime.observability.traces import traceparent

from ...support.serving import ORDER, Served, served
from ...support.upstream import Payments, payments

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
VALID = f"00-{TRACE}-{PARENT}-01"

Headers = list[tuple[str, str]]


@pytest.fixture(scope="module")
async def upstream() -> AsyncIterator[Payments]:
    async with payments() as it:
        yield it


@pytest.fixture(scope="module")
async def running(
    tmp_path_factory: pytest.TempPathFactory, upstream: Payments
) -> AsyncIterator[Served]:
    dependencies = {"payments": {"url": upstream.url, "timeout": 60}}
    folder = tmp_path_factory.mktemp("context")
    async with served(folder, dependencies=dependencies) as it:
        it.service.api.router.add_api_route("/api/lab/state", state)
        yield it


async def state() -> dict[str, Any]:
    here = current.get()
    assert here is not None
    return {
        "trace_id": here.trace_id,
        "parent": here.parent_span_id,
        "tracestate": here.tracestate,
        "traced": here.traced,
        "request_id": here.request_id,
        "onward": traceparent(here),
    }


async def seen(running: Served, *headers: tuple[str, str]) -> dict[str, Any]:
    """What a request with these headers is taken for."""
    response = await running.client.get("/api/lab/state", headers=list(headers))
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    assert response.headers["x-request-id"] == answer["request_id"]
    return answer


@settings(max_examples=40)
@given(
    trace=st.integers(min_value=1, max_value=(1 << 128) - 1),
    span=st.integers(min_value=1, max_value=(1 << 64) - 1),
    flags=st.integers(min_value=0, max_value=255),
)
async def test_every_valid_parent_is_taken_over(
    running: Served, trace: int, span: int, flags: int
) -> None:
    header = f"00-{trace:032x}-{span:016x}-{flags:02x}"
    answer = await seen(running, ("traceparent", header))
    assert answer["trace_id"] == f"{trace:032x}"
    assert answer["parent"] == f"{span:016x}"
    assert answer["traced"] is bool(flags & 1)
    assert answer["request_id"] == answer["trace_id"]
    version, trace_id, own, onward_flags = answer["onward"].split("-")
    assert (version, trace_id) == ("00", f"{trace:032x}")
    assert own not in {f"{span:016x}", "0" * 16}
    assert onward_flags == f"{flags & 1:02x}"


async def test_a_later_version_is_read_by_the_part_that_is_known(running: Served) -> None:
    for header in (f"01-{TRACE}-{PARENT}-01", f"cc-{TRACE}-{PARENT}-00-what-comes-later"):
        assert (await seen(running, ("traceparent", header)))["trace_id"] == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        VALID.upper(),
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-0g",
        f"cc-{TRACE}-{PARENT}-01.what",
        f"{VALID},{VALID}",
    ],
)
async def test_a_malformed_parent_starts_a_new_trace(running: Served, header: str) -> None:
    answer = await seen(running, ("traceparent", header), ("tracestate", "a=1"))
    assert answer["trace_id"] != TRACE
    assert re.fullmatch("[0-9a-f]{32}", answer["trace_id"])
    assert answer["parent"] == answer["tracestate"] == ""


async def test_two_parents_are_none(running: Served) -> None:
    answer = await seen(running, ("traceparent", VALID), ("traceparent", VALID))
    assert answer["trace_id"] != TRACE


async def test_the_trace_state_is_passed_on_whole_or_not_at_all(running: Served) -> None:
    parent = ("traceparent", VALID)
    answer = await seen(running, parent, ("tracestate", "a=1"), ("tracestate", "b=2"))
    assert answer["tracestate"] == "a=1,b=2"
    longest = "a=" + "x" * 510
    assert (await seen(running, parent, ("tracestate", longest)))["tracestate"] == longest
    assert (await seen(running, parent, ("tracestate", longest + "x")))["tracestate"] == ""


@pytest.mark.parametrize("given_id", ["7", "a" * 128, "A.b_c:d/e+f=g@h-1"])
async def test_a_request_id_is_kept(running: Served, given_id: str) -> None:
    answer = await seen(running, ("X-Request-Id", given_id), ("traceparent", VALID))
    assert answer["request_id"] == given_id
    assert answer["trace_id"] == TRACE


@pytest.mark.parametrize("given_id", ["", "a" * 129, "a b", 'a"b', "a;b", "<b>", "{}"])
async def test_one_that_could_do_harm_is_replaced(running: Served, given_id: str) -> None:
    answer = await seen(running, ("X-Request-Id", given_id))
    assert answer["request_id"] == answer["trace_id"]


async def test_a_call_to_a_dependency_carries_it_on(running: Served, upstream: Payments) -> None:
    headers: Headers = [
        ("traceparent", VALID),
        ("tracestate", "a=1"),
        ("X-Request-Id", "order-7"),
        ("X-Request-Timeout-Ms", "1000"),
        ("Authorization", running.client.headers.get("authorization", "Bearer secret")),
        ("Cookie", "session=secret"),
    ]
    running.records.lines.clear()
    response = await running.client.post("/api/orders", json=ORDER, headers=headers)
    assert response.status_code == 201
    sent = upstream.requests[-1].headers
    _, trace_id, span_id, flags = sent["traceparent"].split("-")
    assert (trace_id, flags) == (TRACE, "01")
    assert span_id != PARENT
    assert sent["tracestate"] == "a=1"
    assert sent["x-request-id"] == "order-7"
    # At most 90 % of what is left of the caller's second.
    assert 100 < int(sent["x-request-timeout-ms"]) <= 900
    assert sent["idempotency-key"] == response.json()["id"]
    assert "secret" not in str(sent)
    assert "authorization" not in sent
    assert running.records.of("request")[0]["span_id"] == span_id


async def test_calls_are_counted_by_outcome(running: Served, upstream: Payments) -> None:
    name = "http_client_request_duration_seconds_count"

    async def calls(outcome: str) -> float:
        return await running.metric(name, dependency="payments", outcome=outcome)

    before = {outcome: await calls(outcome) for outcome in ("2xx", "4xx", "5xx")}
    for status, content in ((200, {}), (200, []), (409, {}), (500, {}), (429, {}), (204, None)):
        upstream.answers = [(status, content)] * 3  # 429 is tried again
        response = await running.client.post("/api/orders", json=ORDER)
        assert response.status_code == 503
        upstream.answers.clear()
    after = {outcome: await calls(outcome) for outcome in before}
    assert {o: after[o] - before[o] for o in before} == {"2xx": 3, "4xx": 2, "5xx": 1}


async def test_a_dependency_that_does_not_answer_in_time(
    running: Served, upstream: Payments
) -> None:
    upstream.gate.clear()
    try:
        header = {"X-Request-Timeout-Ms": "800"}
        response = await running.client.post("/api/orders", json=ORDER, headers=header)
    finally:
        upstream.gate.set()
    assert response.status_code == 504
    assert response.json()["detail"] == "Payments ran out of time."
    timeout = {"dependency": "payments", "outcome": "timeout"}
    assert await running.metric("http_client_request_duration_seconds_count", **timeout) == 1
