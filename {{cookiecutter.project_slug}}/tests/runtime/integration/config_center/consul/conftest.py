"""A stand-in for Consul, and sources that read it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from steadfast_service.runtime.config.sources import consul as source

from .....support.centre import impatient
from .....support.consul import Consul

Open = Callable[..., source.Consul]


@pytest.fixture
async def consul() -> AsyncIterator[Consul]:
    """Running."""
    stand_in = Consul()
    async with stand_in.serving():
        yield stand_in


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens sources, and closes them at the end."""
    sources = []

    def open_one(url: str, **options: Any) -> source.Consul:
        sources.append(source.open_consul(url, impatient(**options)))
        return sources[-1]

    yield open_one
    for one in sources:
        await one.close()
