"""A real etcd, and sources that read it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from steadfast_service.runtime.config.options import ConfigOptions
from steadfast_service.runtime.config.reading import Reading
from steadfast_service.runtime.config.sources.etcd import Etcd, open_etcd

from .....support.etcd import EtcdServer, etcd_server
from .....support.process import LIMIT

Opens: TypeAlias = Callable[..., Etcd]


@pytest.fixture
async def etcd(tmp_path: Path) -> AsyncIterator[EtcdServer]:
    """A running server, empty."""
    async with etcd_server(tmp_path) as server:
        yield server


@pytest.fixture
async def opened() -> AsyncIterator[Opens]:
    """Opens impatient sources by their URL and options; they are closed after the test."""
    async with AsyncExitStack() as stack:

        def opens(url: str, **options: Any) -> Etcd:
            impatient = {"request_timeout": 1, "watch_timeout": 2} | options
            source = open_etcd(url, ConfigOptions(**impatient))
            stack.push_async_callback(source.close)
            return source

        yield opens


@pytest.fixture
def source(etcd: EtcdServer, opened: Opens) -> Etcd:
    """Of the keys below `orders/`."""
    return opened(f"etcd://{etcd.host}/orders")


async def sign(readings: AsyncGenerator[Reading | None]) -> Reading | None:
    """The next sign of life, whatever it says."""
    async with asyncio.timeout(LIMIT):
        return await anext(readings)


async def following(readings: AsyncGenerator[Reading | None]) -> Reading:
    """The next change."""
    while (reading := await sign(readings)) is None:
        pass
    return reading
