"""Fixtures of the drills."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator

import pytest


@pytest.fixture
async def signals_restored() -> AsyncIterator[None]:
    """A server that ran in this process owned its signals and its collector."""
    yield
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
    gc.unfreeze()
