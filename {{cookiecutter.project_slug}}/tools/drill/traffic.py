"""What the callers of the service ask for."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from .connection import Exchange

PLACE = "POST /api/orders"
GET = "GET /api/orders/{id}"
LIST = "GET /api/orders"
VERSION = "GET /api/version"
# Routes that do not call payments: what happens there is no business of theirs.
UNAFFECTED = (GET, LIST, VERSION)
TICK = 0.001  # seconds: the grain of the generator's timers, and of its latencies
MIX = {PLACE: 0.3, GET: 0.4, LIST: 0.1, VERSION: 0.2}
ORDER = {
    "customer_id": "cus_drill",
    "currency": "EUR",
    "items": [{"sku": "tea-01", "quantity": 2, "unit_price": 450}],
}
BODY = orjson.dumps(ORDER)


@dataclass(frozen=True)
class Plan:
    """What the generator does; times in seconds.

    Attributes:
        rate: requests per second, whatever becomes of them; or, with `closed`,
        closed: clients that each wait for an answer before they ask again.
        patience: after so long without an answer a client goes.
        hang_ups: share of requests whose client goes after `hang_up_after`.
        deadlines: by route, what is asked with `X-Request-Timeout-Ms`.
        run: tells the keys of this run from those of another.
        records: the file that gets one JSON line per request.
    """

    host: str
    port: int
    run: str
    records: str
    rate: float = 100.0
    closed: int = 0
    mix: Mapping[str, float] = field(default_factory=lambda: dict(MIX))
    headers: Mapping[str, str] = field(default_factory=dict)
    deadlines: Mapping[str, float] = field(default_factory=dict)
    patience: float = 10.0
    hang_ups: float = 0.0
    hang_up_after: float = 0.02
    connections: int = 2000
    core: int | None = None


class Traffic:
    """Makes the requests of a plan, with the ids of orders that were accepted before."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._routes, self._weights = list(plan.mix), list(plan.mix.values())
        self._draw = random.Random(7)  # noqa: S311 - the same load in each run
        self._orders: list[str] = []
        self._placed = 0
        self._heads = {route: self._head(route) for route in (PLACE, GET, LIST, VERSION)}

    def _head(self, route: str) -> str:
        headers = {"Host": f"{self._plan.host}:{self._plan.port}", **self._plan.headers}
        if route in self._plan.deadlines:
            headers["X-Request-Timeout-Ms"] = str(int(self._plan.deadlines[route] * 1000))
        if route == PLACE:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(BODY))}
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def next(self, intended: float) -> Exchange:
        """The next request, due at `intended`."""
        [route] = self._draw.choices(self._routes, self._weights)
        if route == GET and not self._orders:
            route = LIST
        method, _, path = route.partition(" ")
        key, body = "", b""
        head = self._heads[route]
        if route == GET:
            path = f"/api/orders/{self._draw.choice(self._orders)}"
        elif route == PLACE:
            self._placed += 1
            key, body = f"{self._plan.run}-{self._placed}", BODY
            head = f"Idempotency-Key: {key}\r\n{head}"
        data = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
        hangs_up = self._plan.hang_ups > 0 and self._draw.random() < self._plan.hang_ups
        patience = self._plan.hang_up_after if hangs_up else self._plan.patience
        return Exchange(route, data, intended, patience, key, hangs_up)

    def answered(self, exchange: Exchange) -> str:
        """Remember the order that was accepted, if one was; its id."""
        if exchange.status not in (200, 201) or not exchange.key:
            return ""
        order_id: str = orjson.loads(exchange.body)["id"]
        self._orders.append(order_id)
        return order_id
