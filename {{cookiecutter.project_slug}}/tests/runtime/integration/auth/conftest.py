"""One server for all tests of this folder, an issuer for each."""

from collections.abc import AsyncIterator

import pytest

from .authority import Authority, Origin


@pytest.fixture(scope="session")
async def origin() -> AsyncIterator[Origin]:
    """Where authorities are served."""
    it = Origin()
    async with it.serving():
        yield it


@pytest.fixture
def authority(origin: Origin) -> Authority:
    """A new one, which signs with ES256."""
    return origin.authority()
