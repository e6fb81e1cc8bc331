"""What is read from Nacos, and when: of each generation."""

import asyncio
import time
from contextlib import aclosing

import pytest

from steadfast_service.runtime.config.reading import Reading, SourceError
from steadfast_service.runtime.config.sources.nacos import open_nacos

from .....support.centre import following, impatient, sign
from .....support.nacos import Nacos
from .....support.process import until
from .conftest import Open

DEBUG = "log:\n  level: debug\n"
ERROR = "log:\n  level: error\n"


async def test_the_configuration_is_one_document(nacos: Nacos, opened: Open) -> None:
    await nacos.publish(DEBUG)
    reading = await opened(f"nacos://{nacos.host}/orders.yaml").load()
    assert reading.entries == {"orders.yaml": DEBUG.encode()}
    assert len(reading.revision) == 32
    assert reading.continuous


async def test_no_configuration_is_an_empty_reading_that_can_be_waited_on(
    nacos: Nacos, opened: Open
) -> None:
    source = opened(f"nacos://{nacos.host}/orders.yaml")
    nothing = await source.load()
    assert nothing == Reading({}, "absent")
    async with aclosing(source.watch(nothing)) as readings:
        assert await sign(readings) is None
        await nacos.publish(DEBUG)
        assert (await following(readings)).entries == {"orders.yaml": DEBUG.encode()}
        await nacos.delete()
        assert (await following(readings)) == nothing


async def test_a_change_between_reading_and_watching_is_not_lost(
    nacos: Nacos, opened: Open
) -> None:
    await nacos.publish(DEBUG)
    source = opened(f"nacos://{nacos.host}/orders.yaml")
    reading = await source.load()
    await nacos.publish(ERROR)
    async with aclosing(source.watch(reading)) as readings:
        assert (await following(readings)).entries == {"orders.yaml": ERROR.encode()}


async def test_watching_may_begin_where_another_process_ended(nacos: Nacos, opened: Open) -> None:
    await nacos.publish(DEBUG)
    reading = await opened(f"nacos://{nacos.host}/orders.yaml").load()
    successor = opened(f"nacos://{nacos.host}/orders.yaml")
    async with aclosing(successor.watch(reading)) as readings:
        assert await sign(readings) is None
        await nacos.publish(ERROR)
        assert (await following(readings)).entries == {"orders.yaml": ERROR.encode()}


async def written(nacos: Nacos, times: int) -> None:
    """Publish again and again, and let others have a turn between."""
    for number in range(1, times + 1):
        await nacos.publish(f"n: {number}\n")
        await asyncio.sleep(0)


async def test_the_last_value_of_a_burst_arrives(nacos: Nacos, opened: Open) -> None:
    source = opened(f"nacos://{nacos.host}/orders.yaml")
    async with aclosing(source.watch(await source.load())) as readings:
        burst = asyncio.ensure_future(written(nacos, 60))
        seen = [await following(readings)]
        while seen[-1].entries["orders.yaml"] != b"n: 60\n":
            seen.append(await following(readings))
        await burst
    assert len(seen) <= 60


async def test_a_change_of_the_newest_generation_takes_a_poll(new: Nacos, opened: Open) -> None:
    await new.publish(DEBUG)
    source = opened(f"nacos://{new.host}/orders.yaml", poll_interval=0.3)
    async with aclosing(source.watch(await source.load())) as readings:
        await sign(readings)
        await new.publish(ERROR)
        began = time.monotonic()
        await following(readings)
        assert time.monotonic() - began < 0.3 + 0.2
    polls = new.paths()[2:]
    assert set(polls) == {"/nacos/v3/client/cs/config"}
    assert len(polls) <= 3


async def test_a_change_of_the_older_generations_does_not_wait(old: Nacos, opened: Open) -> None:
    await old.publish(DEBUG)
    source = opened(f"nacos://{old.host}/orders.yaml", poll_interval=60, watch_timeout=60)
    async with aclosing(source.watch(await source.load())) as readings:
        waiting = asyncio.ensure_future(following(readings))
        await until(lambda: old.waiting == 1)
        began = time.monotonic()
        await old.publish(ERROR)
        await waiting
        assert time.monotonic() - began < 1


async def test_content_that_the_server_hashes_in_its_own_way_is_no_change(
    old: Nacos, opened: Open
) -> None:
    old.charset = "gb18030"
    await old.publish("name: 订单\n")
    source = opened(f"nacos://{old.host}/orders.yaml", watch_timeout=0.4)
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
    assert old.paths().count("/nacos/v1/cs/configs") == 1


async def test_namespace_group_and_context(nacos: Nacos, opened: Open) -> None:
    nacos.context = "/config/centre"
    place = {"namespace": "team-a", "group": "ORDERS"}
    await nacos.publish(DEBUG, **place)
    query = "namespace=team-a&group=ORDERS&context=/config/centre"
    source = opened(f"nacos://{nacos.host}/orders.yaml?{query}")
    assert "ORDERS" in source.where
    reading = await source.load()
    assert reading.entries == {"orders.yaml": DEBUG.encode()}
    async with aclosing(source.watch(reading)) as readings:
        await sign(readings)
        await nacos.publish(ERROR, **place)
        assert (await following(readings)).entries == {"orders.yaml": ERROR.encode()}


async def test_a_server_may_be_found_without_a_context(nacos: Nacos, opened: Open) -> None:
    nacos.context = ""
    await nacos.publish(DEBUG)
    reading = await opened(f"nacos://{nacos.host}/orders.yaml?context=/").load()
    assert reading.entries == {"orders.yaml": DEBUG.encode()}


async def test_the_default_namespace_has_a_name_too(old: Nacos, opened: Open) -> None:
    await old.publish(DEBUG)
    reading = await opened(f"nacos://{old.host}/orders.yaml?namespace=public").load()
    assert reading.entries == {"orders.yaml": DEBUG.encode()}


@pytest.mark.parametrize("kind", ["yaml", "json", "toml", "YAML"])
async def test_without_an_extension_the_type_tells_the_format(
    nacos: Nacos, opened: Open, kind: str
) -> None:
    await nacos.publish("{}", kind, data_id="orders")
    reading = await opened(f"nacos://{nacos.host}/orders").load()
    assert reading.entries == {f"orders.{kind.lower()}": b"{}"}


@pytest.mark.parametrize(("data_id", "kind"), [("orders", "properties"), ("a.properties", "text")])
async def test_properties_are_single_settings(
    nacos: Nacos, opened: Open, data_id: str, kind: str
) -> None:
    lines = "# levels\n! and more\n\nlog.level = debug\r\nhttp.port=8000\nname=a=b\nempty=\n"
    await nacos.publish(lines, kind, data_id=data_id)
    reading = await opened(f"nacos://{nacos.host}/{data_id}").load()
    assert reading.entries == {
        "log.level": b"debug",
        "http.port": b"8000",
        "name": b"a=b",
        "empty": b"",
    }


@pytest.mark.parametrize("line", ["no value", "=b", "=", "größe=1"])
async def test_other_properties_are_refused_without_being_quoted(
    nacos: Nacos, opened: Open, line: str
) -> None:
    await nacos.publish(f"a=b\n{line}\n", "properties", data_id="orders")
    with pytest.raises(SourceError) as caught:
        await opened(f"nacos://{nacos.host}/orders").load()
    assert str(caught.value) == "line 2 is not of the form name=value"


@pytest.mark.parametrize("kind", ["text", "xml", "html", ""])
async def test_what_has_no_format_is_refused(nacos: Nacos, opened: Open, kind: str) -> None:
    await nacos.publish("whatever", kind, data_id="orders")
    with pytest.raises(SourceError, match=f"type {kind or 'unset'} in Nacos"):
        await opened(f"nacos://{nacos.host}/orders").load()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nacos://127.0.0.1", "names no configuration"),
        ("nacos://127.0.0.1/nacos/orders.yaml", "names no configuration"),
        ("nacos:///orders.yaml", "not scheme://"),
        ("nacos://127.0.0.1/orders.yaml?tenant=x", "unknown option 'tenant'"),
    ],
)
def test_an_address_that_cannot_be_meant(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        open_nacos(url, impatient())
