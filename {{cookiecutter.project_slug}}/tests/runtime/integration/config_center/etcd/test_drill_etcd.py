"""The real etcd of a drill, as the service reads it through a way that is cut."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from steadfast_service.runtime.config.layers import (
    parse,
    stack,
    validated,
)
from steadfast_service.runtime.config.problems import InvalidSettings
from steadfast_service.runtime.config.reading import Reading, SourceError
from steadfast_service.settings import Settings
from tools.drill.centre import Server, open_centre
from tools.drill.etcd import EtcdCentre

from .....support.centre import following, sign
from .....support.server import program
from .conftest import Opens

ENTRY = "http/request_timeout"


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Server]:
    program("etcd", "REQUIRE_ETCD")
    async with open_centre(tmp_path) as made:
        assert isinstance(made, Server)
        await made.put(3)
        yield made


def settings(reading: Reading) -> Settings:
    tree, origins = stack([parse(Settings, "etcd", reading)])
    return validated(Settings, tree, origins)


async def test_what_is_put_is_in_force(centre: Server, opened: Opens) -> None:
    source = opened(centre.url)
    assert settings(await source.load()).http.request_timeout == 3
    await centre.put(3.25)
    assert settings(await source.load()).http.request_timeout == 3.25


@pytest.mark.parametrize("kind", EtcdCentre.kinds)
async def test_garbage_is_refused_until_a_value_is_put(
    centre: Server, opened: Opens, kind: str
) -> None:
    source = opened(centre.url)
    await centre.feed(kind)
    reading = await source.load()
    with pytest.raises(InvalidSettings):
        settings(reading)
    await centre.put(4)
    assert (await source.load()).entries == {ENTRY: b"4"}


async def test_it_comes_back_with_what_it_had(centre: Server, opened: Opens) -> None:
    source = opened(centre.url)
    before = await source.load()
    await centre.kill()
    with pytest.raises(SourceError):
        await source.load()
    await centre.start()
    after = await source.load()
    assert after.entries == before.entries
    assert after.continuous


async def test_wiped_it_knows_of_nothing(centre: Server, opened: Opens) -> None:
    source = opened(centre.url)
    await source.load()
    await centre.wipe()
    reading = await source.load()
    assert reading.entries == {}
    assert not reading.continuous


async def test_cut_off_it_is_silent_and_so_is_what_was_connected(
    centre: Server, opened: Opens
) -> None:
    source, other = opened(centre.url), opened(centre.url)
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        await centre.put(3.5)
        assert (await following(readings)).entries == {ENTRY: b"3.5"}
        centre.partition()
        await centre.put(4)
        with pytest.raises(SourceError, match="not answered in time"):
            await other.load()
        centre.heal()
        assert (await other.load()).entries == {ENTRY: b"4"}
        # The watch is renewed, and asks first on the other connection of that time.
        with pytest.raises(SourceError, match="not answered in time"):
            await following(readings)
    assert (await source.load()).entries == {ENTRY: b"4"}
