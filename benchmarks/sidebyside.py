"""Every program at the same work: requests per second, latency, CPU and memory.

In a round all are started afresh, warmed up, and loaded one after the other in every case; the
order begins with another one in each round. So what is compared was measured within the same
minute, and a ratio is of one round.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from . import peers, results, service, wrk
from .load import Effort
from .programs import ABOUT, ASGI, FASTAPI, OURS, TRACED, Start, prepare, ready
from .service import Server
from .table import INFORMATION, Row

STAGE = "sidebyside"
QUOTE = (
    b'{"customer_id": "cus_1", "currency": "EUR",'
    b' "items": [{"sku": "tea-01", "quantity": 2, "unit_price": 450}]}'
)
FULL, QUICK = Effort(starts=5, rounds=1, seconds=2), Effort(starts=2, rounds=1, seconds=1)
# Requests per second of the whole chain: to bare FastAPI's, and to the best-instrumented peer's.
TO_FASTAPI, TO_PEER = ">= 1.2", ">= 3"


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked, by how many connections at once."""

    name: str
    connections: int
    path: str = "/bench/version"
    body: bytes = b""


CASES = (
    Case("GET, 1 connection", 1),
    Case("GET, 32 connections", 32),
    Case("GET, 256 connections", 256),
    Case("POST, 32 connections", 32, "/bench/quotes", QUOTE),
)
MAIN = CASES[1].name  # the one that the targets are of


@dataclass(frozen=True, slots=True)
class Seen:
    """One program in one case of one round.

    Attributes:
        rate: requests per second.
        p50, p99: ms.
        cpu: µs of the server's CPU per request, its children's too.
        memory: MB resident, after this case.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    memory: float


Round = dict[str, dict[str, Seen]]  # by case, by program


def measure(effort: Effort, *, quick: bool) -> None:
    """All rounds, kept as this stage's result."""
    failed = prepare()
    chosen = tuple(one for one in peers.PEERS if not any(one.name in line for line in failed))
    about = [
        *({"name": n, "version": v, "observes": o, "server": s} for n, v, o, s in ABOUT),
        *(
            {"name": p.name, "version": p.generator, "observes": p.observes, "server": p.server}
            for p in chosen
        ),
    ]
    rounds: list[dict[str, Any]] = []
    with ready(chosen) as starts:
        for number in range(effort.starts):
            service.say(f"side by side: round {number + 1} of {effort.starts}")
            rounds += map(_plain, _started(starts, number, effort))
            data = {"about": about, "failed": failed, "rounds": rounds}
            results.save(STAGE, data, quick=quick)  # what is there survives an interruption


def _started(starts: Mapping[str, Start], number: int, effort: Effort) -> list[Round]:
    with ExitStack() as stack:
        servers = {name: stack.enter_context(start()) for name, start in starts.items()}
        for server in servers.values():
            wrk.run(f"{server.url}{CASES[0].path}", connections=32, seconds=1)
        return [_round(servers, number + more, effort.seconds) for more in range(effort.rounds)]


def _round(servers: Mapping[str, Server], number: int, seconds: int) -> Round:
    seen: Round = {}
    for case in CASES:
        names = rotated(list(servers), number)
        seen[case.name] = {name: _run(servers[name], case, seconds) for name in names}
    return seen


def rotated(names: Sequence[str], number: int) -> list[str]:
    """The same in turn, beginning with another one by `number`; every second time backwards."""
    start = number % len(names)
    turned = [*names[start:], *names[:start]]
    return turned if number % 2 == 0 else turned[::-1]


def _run(server: Server, case: Case, seconds: int) -> Seen:
    before = server.cpu()
    url = server.url + case.path
    said = wrk.run(url, connections=case.connections, seconds=seconds, body=case.body)
    used = server.cpu() - before
    return Seen(said.rate, said.p50, said.p99, used / said.requests * 1e6, server.memory())


def _plain(one: Round) -> dict[str, Any]:
    return {
        case: {name: asdict(seen) for name, seen in programs.items()}
        for case, programs in one.items()
    }


def values(data: Any, case: str, program: str, what: str) -> list[float]:
    """One per round."""
    return [one[case][program][what] for one in data["rounds"]]


def ratios(data: Any, case: str, program: str, against: str, what: str = "rate") -> list[float]:
    """One per round."""
    pairs = zip(values(data, case, program, what), values(data, case, against, what), strict=True)
    return [one / other for one, other in pairs]


def targets(data: Any) -> list[Row]:
    """The two promises, and what puts them into proportion."""
    names = {one["name"] for one in data["about"]}
    peer = peers.BEST_INSTRUMENTED.name
    rows = [
        Row(f"{MAIN}: {OURS} / {FASTAPI}", ratios(data, MAIN, OURS, FASTAPI), target=TO_FASTAPI),
        Row(
            "  the same, by the server's CPU per request",
            ratios(data, MAIN, FASTAPI, OURS, "cpu"),
            note=INFORMATION,
        ),
        Row(f"  {TRACED} / {FASTAPI}", ratios(data, MAIN, TRACED, FASTAPI), note=INFORMATION),
        Row(f"  {ASGI} / {FASTAPI}", ratios(data, MAIN, ASGI, FASTAPI), note=INFORMATION),
    ]
    if peer in names:
        rows.append(Row(f"{OURS} / {peer}", ratios(data, MAIN, OURS, peer), target=TO_PEER))
    for one in peers.PEERS:
        if one.name in names:
            compared = ratios(data, MAIN, TRACED, one.name)
            rows.append(Row(f"  {TRACED} / {one.name}", compared, note=INFORMATION))
    return rows
