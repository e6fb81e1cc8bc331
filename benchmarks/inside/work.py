"""The operations that every program is measured by, as FastAPI's tutorial would have them.

This file is copied into each peer and served by bare FastAPI as it is; `steadfast/` has the
same operations in a contract.
"""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

router = APIRouter(prefix="/bench")


class Version(BaseModel):
    """What runs here."""

    name: str
    version: str
    commit: str


class Line(BaseModel):
    """A line of a quote."""

    sku: Annotated[str, Field(min_length=1, max_length=64)]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    unit_price: Annotated[int, Field(ge=0, le=10_000_000)]


class Lines(BaseModel):
    """A list of them."""

    items: list[Line]


class Quote(BaseModel):
    """What is asked for."""

    customer_id: Annotated[str, Field(min_length=1, max_length=64)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    items: Annotated[list[Line], Field(min_length=1, max_length=5000)]


class Price(BaseModel):
    """What it costs."""

    customer_id: str
    currency: str
    amount: int


VERSION = Version(name="orders", version="0.1.0", commit="unknown")
LINE = Line(sku="tea-01", quantity=2, unit_price=450)


@router.get("/version")
async def version() -> Version:
    """A small answer that is ready."""
    return VERSION


@router.post("/quotes")
async def quote(body: Quote) -> Price:
    """A body that is validated, and a small answer."""
    amount = sum(line.quantity * line.unit_price for line in body.items)
    return Price(customer_id=body.customer_id, currency=body.currency, amount=amount)


@router.get("/lines")
async def lines(count: Annotated[int, Query(ge=0, le=5000)] = 100) -> Lines:
    """An answer that is a list."""
    return Lines(items=[LINE] * count)


@router.get("/busy")
async def busy(ms: Annotated[int, Query(ge=0, le=100)] = 10) -> Version:
    """Waits a millisecond, as for a query, then holds the event loop for so many of CPU."""
    await asyncio.sleep(0.001)
    until = time.thread_time() + ms / 1000
    while time.thread_time() < until:
        pass
    return VERSION
