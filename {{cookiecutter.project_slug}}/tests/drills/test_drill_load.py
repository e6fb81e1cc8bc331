"""The drills' load generator: what it records of a server that behaves in every way."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from tools.drill.load import Load, loading
from tools.drill.processes import HOST
from tools.drill.promises import Scorecard
from tools.drill.records import LAG_LIMIT, Kind, Records
from tools.drill.stage import Stage
from tools.drill.traffic import GET, LIST, PLACE, VERSION, Plan

Answer = Callable[[asyncio.StreamWriter, int], Awaitable[None]]


def response(status: int, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


class Server:
    """Answers as it is told, by the number of the request; keeps the requests."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].split(b"\r")[0]
                body = await reader.readexactly(int(length or 0))
                self.requests.append(head + body)
                await self._answer(writer, len(self.requests))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def ok(writer: asyncio.StreamWriter, number: int) -> None:
    writer.write(response(200))


async def never(writer: asyncio.StreamWriter, number: int) -> None:
    """Whoever asks may wait."""


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[tuple[Server, int]]:
    handler = Server(answer)
    server = await asyncio.start_server(handler, HOST, 0)
    try:
        yield handler, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def load(folder: Path, port: int, **plan: Any) -> AsyncIterator[Load]:
    records = str(folder / "load.jsonl")
    made = Plan(**({"mix": {VERSION: 1}} | plan), host=HOST, port=port, run="t", records=records)
    async with loading(made, folder) as running:
        yield running


async def recorded(
    folder: Path, answer: Answer, requests: int, **plan: Any
) -> tuple[Server, Records]:
    """What was recorded once the server has seen so many requests."""
    async with listening(answer) as (server, port), load(folder, port, **plan) as running:
        async with asyncio.timeout(30):
            while len(server.requests) < requests:
                await asyncio.sleep(0.01)
        return server, await running.stop()


async def test_every_request_is_recorded_once(tmp_path: Path) -> None:
    server, records = await recorded(tmp_path, ok, 50)
    assert len(records) == len(server.requests)
    assert {record.kind for record in records} == {Kind.OK}
    intended = sorted(record.intended for record in records)
    steps = [after - before for before, after in pairwise(intended)]
    assert steps == pytest.approx([0.01] * len(steps), abs=1e-4)


async def test_a_stall_costs_every_request_that_was_due_meanwhile(tmp_path: Path) -> None:
    stalled = 0.0

    async def stall_once(writer: asyncio.StreamWriter, number: int) -> None:
        nonlocal stalled
        now = asyncio.get_running_loop().time()
        if number == 10:
            stalled = now + 0.5
        if now < stalled:
            await asyncio.sleep(stalled - now)
        writer.write(response(200))

    # One connection: what a stalled server leaves for the others to use.
    _, records = await recorded(tmp_path, stall_once, 150, connections=1)
    slow = [record.latency for record in records if record.latency > 0.1]
    # 100 per second for 0.5 s, less those that waited for under 0.1 s.
    assert 30 <= len(slow) <= 60
    assert max(slow) == pytest.approx(0.5, abs=0.15)


async def test_each_way_to_fail_has_its_name(tmp_path: Path) -> None:
    async def one_of(writer: asyncio.StreamWriter, number: int) -> None:
        match number % 5:
            case 0:
                writer.write(response(503))
            case 1:
                writer.write(response(504))
            case 2:
                writer.write(b"SMTP here\r\n\r\n")
            case 3:
                writer.close()
            case _:
                pass  # it never answers

    _, records = await recorded(tmp_path, one_of, 50, patience=0.3)
    seen = {(record.status, record.error, record.kind) for record in records}
    assert seen == {
        (503, "", Kind.REFUSED),
        (504, "", Kind.LATE),
        (0, "not HTTP", Kind.FAILED),
        (0, "closed without an answer", Kind.FAILED),
        (0, "no answer", Kind.FAILED),
    }
    [slowest] = {round(r.latency, 1) for r in records if r.error == "no answer"}
    assert slowest == pytest.approx(0.3, abs=0.11)


async def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:  # and nobody can begin to
        taken.bind((HOST, 0))
        async with load(tmp_path, taken.getsockname()[1]) as running:
            await asyncio.sleep(0.3)
            records = await running.stop()
    assert {(record.status, record.error) for record in records} == {(0, "no connection")}


async def test_callers_who_hang_up_are_no_failures(tmp_path: Path) -> None:
    plan = {"hang_ups": 1.0, "hang_up_after": 0.05}
    _, records = await recorded(tmp_path, never, 20, **plan)
    assert {record.kind for record in records} == {Kind.LEFT}


async def test_orders_have_keys_of_their_own_and_are_asked_for_again(tmp_path: Path) -> None:
    async def place(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(response(201, orjson.dumps({"id": f"ord_{number}"})))

    mix = {PLACE: 1, GET: 1}
    server, records = await recorded(tmp_path, place, 60, mix=mix, deadlines={PLACE: 0.25})
    orders = records.of(PLACE)
    assert len({order.key for order in orders}) == len(orders) > 0
    assert all(order.order.startswith("ord_") for order in orders)
    heads = [request for request in server.requests if request.startswith(b"POST")]
    assert all(b"X-Request-Timeout-Ms: 250\r\n" in head for head in heads)
    paths = {r.split()[1].decode() for r in server.requests if b"/orders/" in r.split()[1]}
    assert paths <= {f"/api/orders/{order.order}" for order in orders}
    # Until an order is there, the list is asked for instead.
    assert {record.route for record in records} <= {PLACE, GET, LIST}


async def test_closed_clients_wait_for_their_answers(tmp_path: Path) -> None:
    most = running = 0

    async def count(writer: asyncio.StreamWriter, number: int) -> None:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        writer.write(response(200))

    _, records = await recorded(tmp_path, count, 50, closed=4)
    assert most == 4
    assert {record.kind for record in records} == {Kind.OK}


async def test_a_rate_of_zero_pauses(tmp_path: Path) -> None:
    async with listening(ok) as (server, port), load(tmp_path, port) as running:
        async with asyncio.timeout(30):
            while len(server.requests) < 5:
                await asyncio.sleep(0.01)
            await running.rate(0)
            before = -1
            while before != len(server.requests):
                before = len(server.requests)
                await asyncio.sleep(0.2)
        assert len(await running.stop()) == before


@pytest.mark.parametrize(("short", "verdict"), [(False, "invalid"), (True, "not judged")])
async def test_a_generator_that_was_late_is_no_pass(
    tmp_path: Path, short: bool, verdict: str
) -> None:
    stage = Stage(Scorecard("any", short), tmp_path, short)
    async with listening(ok) as (server, port), load(tmp_path, port) as running:
        async with asyncio.timeout(30):
            while len(server.requests) < 5:
                await asyncio.sleep(0.01)
        running.process.signal(signal.SIGSTOP)
        await asyncio.sleep(0.4)
        running.process.signal(signal.SIGCONT)
        seen = len(server.requests)
        async with asyncio.timeout(30):
            while len(server.requests) < seen + 20:
                await asyncio.sleep(0.01)
        records = await stage.end(running)
    assert records.lag > LAG_LIMIT
    assert [promise.verdict for promise in stage.card.promises] == [verdict]
