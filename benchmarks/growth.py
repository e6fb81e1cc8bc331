"""What grows with what: this service and bare FastAPI while one thing gets more.

Routes: the last of so many operations is asked for. Headers: so many more on the request. Body
and list: lines in a validated body, and in an answer. Concurrency: connections at once.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from . import results, service, wrk
from .load import Effort
from .programs import FASTAPI, OURS, prepare, ready
from .service import Server
from .sidebyside import rotated
from .wrk import Said

STAGE = "growth"
ROUTES = (10, 30, 100, 300)
FULL, QUICK = Effort(starts=3, rounds=1, seconds=1), Effort(starts=1, rounds=1, seconds=1)
Ask = Callable[[Server, int, int], Said]  # by how much there is, and seconds


def quote(lines: int) -> bytes:
    """A body of so many lines, about 55 bytes each."""
    line = {"sku": "tea-01", "quantity": 2, "unit_price": 450}
    return json.dumps({"customer_id": "cus_1", "currency": "EUR", "items": [line] * lines}).encode()


def _headers(server: Server, count: int, seconds: int) -> Said:
    more = {f"X-Header-{number}": "0123456789abcdef" for number in range(count)}
    url = f"{server.url}/bench/version"
    return wrk.run(url, connections=32, seconds=seconds, headers=more)


def _body(server: Server, lines: int, seconds: int) -> Said:
    return wrk.run(f"{server.url}/bench/quotes", connections=32, seconds=seconds, body=quote(lines))


def _list(server: Server, lines: int, seconds: int) -> Said:
    return wrk.run(f"{server.url}/bench/lines?count={lines}", connections=32, seconds=seconds)


def _concurrency(server: Server, connections: int, seconds: int) -> Said:
    return wrk.run(f"{server.url}/bench/version", connections=connections, seconds=seconds)


def _routes(server: Server, routes: int, seconds: int) -> Said:
    return wrk.run(f"{server.url}/many/{routes - 1}/x", connections=32, seconds=seconds)


# Those that one process of each program is asked for.
CURVES: Mapping[str, tuple[tuple[int, ...], Ask]] = {
    "headers": ((0, 10, 30, 60), _headers),
    "body": ((1, 10, 100, 1000), _body),
    "list": ((1, 10, 100, 1000), _list),
    "concurrency": ((1, 8, 32, 128, 512), _concurrency),
}


def measure(effort: Effort, *, quick: bool) -> None:
    """All rounds, kept as this stage's result: requests per second by curve, amount, program."""
    prepare(())
    rounds: list[dict[str, Any]] = []
    for number in range(effort.starts):
        service.say(f"growth: round {number + 1} of {effort.starts}")
        rounds.append(dict(_round(number, effort.seconds)))
    results.save(STAGE, {"rounds": rounds}, quick=quick)


def _round(number: int, seconds: int) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    with ready(()) as starts, ExitStack() as stack:
        servers = {name: stack.enter_context(starts[name]()) for name in (FASTAPI, OURS)}
        for server in servers.values():
            _concurrency(server, 32, 1)
        for curve, (amounts, ask) in CURVES.items():
            yield (
                curve,
                {str(amount): _asked(servers, ask, amount, number, seconds) for amount in amounts},
            )
    yield "routes", {str(count): _grown(count, number, seconds) for count in ROUTES}


def _grown(routes: int, number: int, seconds: int) -> dict[str, float]:
    with ready((), routes) as starts, ExitStack() as stack:
        servers = {name: stack.enter_context(starts[name]()) for name in (FASTAPI, OURS)}
        for server in servers.values():
            _routes(server, routes, 1)
        return _asked(servers, _routes, routes, number, seconds)


def _asked(
    servers: Mapping[str, Server], ask: Ask, amount: int, number: int, seconds: int
) -> dict[str, float]:
    order = rotated(list(servers), number)
    return {name: ask(servers[name], amount, seconds).rate for name in order}
