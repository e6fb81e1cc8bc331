"""Nacos that wants a login, changes its generation, breaks off, or is not Nacos at all."""

import time
from contextlib import aclosing
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from steadfast_service.runtime.config.reading import SourceError

from .....support.centre import (
    BAD_GATEWAY,
    LOST_PAGE,
    PAGE,
    Drip,
    cut_off,
    following,
    hang,
    sign,
)
from .....support.nacos import Nacos
from .....support.tls import Authority, hypercorn_server
from .conftest import Open

SECRET = "s3cr3t"
CONTENT = "log:\n  level: debug\n"
CHANGED = "log:\n  level: error\n"


def whole(**data: object) -> Response:
    """An answer of 3.x with this in it."""
    return JSONResponse({"code": 0, "message": "success", "data": data})


async def test_a_user_logs_in_once(nacos: Nacos, opened: Open) -> None:
    nacos.user = ("reader", SECRET)
    await nacos.publish(CONTENT)
    source = opened(f"nacos://reader:{SECRET}@{nacos.host}/orders.yaml")
    reading = await source.load()
    async with aclosing(source.watch(reading)) as readings:
        await sign(readings)
        await nacos.publish(CHANGED)
        await following(readings)
    assert nacos.logins == 1
    assert not [r for r in nacos.requests if "token-" in str(r.url) or SECRET in str(r.url)]
    assert SECRET not in source.where


async def test_a_token_is_renewed_before_its_end(nacos: Nacos, opened: Open) -> None:
    nacos.user, nacos.ttl = ("reader", SECRET), 1
    source = opened(f"nacos://reader:{SECRET}@{nacos.host}/orders.yaml")
    reading = await source.load()
    began = time.monotonic()
    async with aclosing(source.watch(reading)) as readings:
        while time.monotonic() - began < 0.9:
            assert await sign(readings) is None
        await sign(readings)
    assert nacos.logins == 2


async def test_a_token_that_is_not_taken_any_longer_is_replaced(nacos: Nacos, opened: Open) -> None:
    nacos.user = ("reader", SECRET)
    await nacos.publish(CONTENT)
    source = opened(f"nacos://reader:{SECRET}@{nacos.host}/orders.yaml")
    async with aclosing(source.watch(await source.load())) as readings:
        await sign(readings)
        nacos.tokens.clear()  # as after a restart with another key
        await nacos.publish(CHANGED)
        await following(readings)
    assert nacos.logins == 2


async def test_a_wrong_password_is_said_in_one_line(nacos: Nacos, opened: Open) -> None:
    nacos.user = ("reader", "another")
    with pytest.raises(SourceError) as caught:
        await opened(f"nacos://reader:{SECRET}@{nacos.host}/orders.yaml").load()
    assert str(caught.value) == ("Nacos does not let us log in: it answers 403 (unknown user!)")


async def test_who_has_to_log_in_and_does_not_is_told_so(nacos: Nacos, opened: Open) -> None:
    nacos.user = ("reader", SECRET)
    with pytest.raises(SourceError, match=r"^Nacos refuses whoever does not log in orders"):
        await opened(f"nacos://{nacos.host}/orders.yaml").load()


async def test_a_user_without_the_right_is_told_so(nacos: Nacos, opened: Open) -> None:
    nacos.user = ("reader", SECRET)
    source = opened(f"nacos://reader:{SECRET}@{nacos.host}/orders.yaml")
    async with aclosing(source.watch(await source.load())) as readings:
        nacos.forbidden = True
        with pytest.raises(SourceError, match=r"^Nacos refuses our user orders"):
            await sign(readings)
    assert nacos.logins == 2


async def test_an_upgrade_is_noticed_after_a_loss(old: Nacos, opened: Open) -> None:
    await old.publish(CONTENT)
    source = opened(f"nacos://{old.host}/orders.yaml")
    reading = await source.load()
    old.generation = 3
    async with aclosing(source.watch(reading)) as readings:
        with pytest.raises(SourceError, match="answers 404"):
            await sign(readings)
    again = await source.load()
    assert again == reading
    async with aclosing(source.watch(again)) as readings:
        await sign(readings)
        await old.publish(CHANGED)
        assert (await following(readings)).entries == {"orders.yaml": CHANGED.encode()}


PROBE: list[tuple[ASGIApp, str]] = [
    (BAD_GATEWAY, "answers 502"),
    (PlainTextResponse(f"you sent {SECRET}", 500), r"answers 500 .*\(you sent \*\*\*\)"),
    (PAGE, "answers 200"),
    (Response(status_code=302, headers={"Location": "/login"}), "answers 302"),
    (Response(b'{"code": 0, "da'), "answers 200"),
    (cut_off, "http://127"),
    (hang, "in time"),
    (Drip({}), "in time"),
]
V1: list[tuple[ASGIApp, str]] = [
    *PROBE,
    (LOST_PAGE, "answers 404"),
    (JSONResponse({"status": 404, "error": "Not Found"}, 404), "answers 404"),
    (PlainTextResponse("requested file is being modified", 409), "answers 409"),
    (PlainTextResponse("over limit", 503), "answers 503"),
    (PlainTextResponse("too many", 429), "answers 429"),
    (Response(b"A" * 3_000_000, headers={"Content-MD5": "0" * 32}), "more than 2 MiB"),
    (
        Response(b"x", headers={"Content-MD5": "0" * 32, "Encrypted-Data-Key": "k"}),
        "encrypted",
    ),
]
V3: list[tuple[ASGIApp, str]] = [
    *PROBE,
    (LOST_PAGE, "answers 404"),
    (JSONResponse({"code": 30000, "message": "server error"}, 500), "500 with the code 30000"),
    (JSONResponse({"code": 0, "data": None}), "answers 200 with the code 0"),
    (JSONResponse({"code": 0, "data": [1]}), "answers 200 with the code 0"),
    (whole(content=None, md5="0"), "answers 200 with the code 0"),
    (whole(content="a", md5=None), "answers 200 with the code 0"),
    (whole(content="a", md5="0", encryptedDataKey="k"), "encrypted"),
    (whole(content="A" * 3_000_000, md5="0"), "more than 2 MiB"),
]


async def broken(nacos: Nacos, opened: Open, answers: list[ASGIApp], reason: str) -> None:
    """These answers are no reading, and say so for this reason; the next one is."""
    nacos.user = ("reader", SECRET)
    source = opened(f"nacos://reader:{SECRET}@{nacos.host}/orders.yaml", request_timeout=0.5)
    await source.load()
    nacos.instead = answers
    with pytest.raises(SourceError, match=reason) as caught:
        await source.load()
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert nacos.instead == []
    assert (await source.load()).entries == {}


@pytest.mark.parametrize(("answer", "reason"), PROBE)
async def test_a_server_that_cannot_be_recognised(
    nacos: Nacos, opened: Open, answer: ASGIApp, reason: str
) -> None:
    await broken(nacos, opened, [answer], reason)


@pytest.mark.parametrize(("answer", "reason"), V1)
async def test_a_broken_answer_of_the_older_generations(
    old: Nacos, opened: Open, answer: ASGIApp, reason: str
) -> None:
    await broken(old, opened, [JSONResponse({}, 404), answer], reason)


@pytest.mark.parametrize(("answer", "reason"), V3)
async def test_a_broken_answer_of_the_newest_generation(
    new: Nacos, opened: Open, answer: ASGIApp, reason: str
) -> None:
    await broken(new, opened, [JSONResponse({"code": 10001}, 403), answer], reason)


async def test_no_beginning_of_an_answer_is_a_reading(new: Nacos, opened: Open) -> None:
    source = opened(f"nacos://{new.host}/orders.yaml")
    body = bytes(whole(content="a", md5="0").body)
    for end in range(len(body)):
        new.instead = [JSONResponse({"code": 0}), Response(body[:end])]
        with pytest.raises(SourceError, match="answers 200"):
            await source.load()


async def test_over_tls(nacos: Nacos, opened: Open, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    await nacos.publish(CONTENT)
    async with hypercorn_server(nacos, authority.certificate) as url:
        where = f"nacoss://{url.removeprefix('https://')}/orders.yaml"
        reading = await opened(where, ca_file=str(authority.root)).load()
        assert reading.entries == {"orders.yaml": CONTENT.encode()}
        with pytest.raises(SourceError):
            await opened(where).load()  # nobody vouches for it
