"""What the service is measured against, and its router alone, on the same server settings.

`python -m benchmarks.inside.peers APP PORT` serves one of them through the service's own
listener, with the collector frozen after start-up as the service does it, so that the app
is the only difference:

- `written`: a bare FastAPI app with hand-written routes, as its tutorial has them;
- `generated`: the contract's router in a bare FastAPI app;
- `set_up`: the same in FastAPI as the service sets it up;
- `raw`: an ASGI function with a ready body, what no router can be faster than;
- `many`: 300 operations behind the contract's router.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import uvloop
from fastapi import FastAPI, Query
from orders.contract import models
from orders.contract.api import OrdersApi, VersionApi, build_router
from orders.contract.operations import PlaceOrder201
from orders.runtime.http import openapi
from orders.runtime.http.application import application
from orders.runtime.http.operations import OperationRouter
from orders.runtime.http.server import Endpoint, ServerOptions, listening
from orders.runtime.http.server import bind as bound
from orders.runtime.observability import traces
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from .grown import more

MANY = 300


class Version(BaseModel):
    """As a hand would write it."""

    name: str
    version: str
    commit: str


class Item(BaseModel):
    """A line of an order."""

    sku: str
    quantity: int
    unit_price: int


class Order(BaseModel):
    """An order."""

    id: str
    customer_id: str
    currency: str
    items: list[Item]
    amount: int
    status: str
    created_at: datetime


class Page(BaseModel):
    """A page of orders."""

    items: list[Order]
    next: str | None


ORDER = {
    "id": "ord_01KAV5W0Q4E1YB9GQ2Z3X7M8NT",
    "customer_id": "cus_1",
    "currency": "EUR",
    "items": [{"sku": "tea-01", "quantity": 2, "unit_price": 450}],
    "amount": 900,
    "status": "authorised",
    "created_at": datetime(2026, 11, 24, tzinfo=UTC),
}
PAGE = {"items": [ORDER] * 100, "next": None}
WHAT = {"name": "orders", "version": "0.1.0", "commit": "unknown"}
VERSION = Version(**WHAT)


def written() -> FastAPI:
    """Hand-written routes."""
    app = FastAPI()
    page = Page.model_validate(PAGE)

    @app.get("/api/version")
    async def version() -> Version:
        return VERSION

    @app.get("/api/orders")
    async def orders(
        after: Annotated[str | None, Query(pattern="^ord_[0-9A-HJKMNP-TV-Z]{26}$")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Page:
        return page

    return app


class Versions(VersionApi):
    """Answers at once."""

    _version = models.Version(**WHAT)

    async def get_version(self) -> models.Version:
        return self._version


class Orders(OrdersApi):
    """The same page every time."""

    _page = models.OrderPage.model_validate(PAGE)

    async def list_orders(self, *, after: str | None, limit: int) -> models.OrderPage:
        return self._page

    async def get_order(self, *, order_id: str) -> NoReturn:
        raise NotImplementedError

    async def place_order(self, *, body: object, idempotency_key: str | None) -> PlaceOrder201:
        raise NotImplementedError


def generated() -> FastAPI:
    """The contract's router, in the same kind of app."""
    app = FastAPI()
    app.include_router(build_router(version=Versions(), orders=Orders()))
    return app


def set_up() -> FastAPI:
    """The contract's router in FastAPI as the service sets it up."""
    app = application(
        name="orders",
        version="0.1.0",
        telemetry=traces.OFF,
        max_body_bytes=1_048_576,
        blocking_threads=40,
    )
    app.include_router(build_router(version=Versions(), orders=Orders()))
    openapi.publish(app)
    return app


def raw() -> ASGIApp:
    """Two messages."""
    body = VERSION.model_dump_json().encode()
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
    }

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": body})

    return app


def many() -> FastAPI:
    """`/many/0/{name}` to `/many/299/{name}`: the first and the last are what is compared."""
    app = FastAPI()
    app.include_router(OperationRouter(*map(more, range(MANY))))
    return app


APPS: Mapping[str, Callable[[], ASGIApp]] = {
    "raw": raw,
    "written": written,
    "generated": generated,
    "set_up": set_up,
    "many": many,
}


async def main(name: str, port: int) -> None:
    """Serve until a signal ends the process."""
    here = Endpoint("127.0.0.1", port, "BENCH")
    options = ServerOptions(here, here, drain_delay=0, grace=0, keep_alive=75)
    async with listening(APPS[name](), bound(here), options):
        gc.collect()
        gc.freeze()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
