"""Stand-ins for Nacos, and sources that read them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from steadfast_service.runtime.config.sources.nacos import Nacos as Source
from steadfast_service.runtime.config.sources.nacos import parsed

from .....support.centre import impatient
from .....support.nacos import Nacos

Open = Callable[..., Source]
HOLD = 0.2  # seconds, where real servers have 10


@pytest.fixture(params=[2, 3])
async def nacos(request: pytest.FixtureRequest) -> AsyncIterator[Nacos]:
    """One of each generation, running."""
    stand_in = Nacos(request.param)
    async with stand_in.serving():
        yield stand_in


@pytest.fixture
async def old() -> AsyncIterator[Nacos]:
    """One that can be waited on, running."""
    stand_in = Nacos(2)
    async with stand_in.serving():
        yield stand_in


@pytest.fixture
async def new() -> AsyncIterator[Nacos]:
    """One that has to be polled, running."""
    stand_in = Nacos(3)
    async with stand_in.serving():
        yield stand_in


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens sources, and closes them at the end."""
    sources = []

    def open_one(url: str, **options: Any) -> Source:
        waits = {"poll_interval": 0.1, **options}
        sources.append(Source(parsed(url), impatient(**waits), min_hold=HOLD))
        return sources[-1]

    yield open_one
    for one in sources:
        await one.close()
