"""Consul that loses its data, its leader, its connections or its mind."""

from pathlib import Path

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from steadfast_service.runtime.config.reading import Reading, SourceError

from .....support.centre import (
    BAD_GATEWAY,
    LOST_PAGE,
    PAGE,
    Drip,
    cut_off,
    hang,
)
from .....support.consul import Consul
from .....support.tls import Authority, hypercorn_server
from .conftest import Open

INDEX = {"X-Consul-Index": "7"}
SECRET = "s3cr3t-token"
PAIR = {"Key": "orders/a", "Value": "MQ==", "ModifyIndex": 7}


def pairs(*found: object) -> Response:
    """A whole answer with these in it."""
    return JSONResponse(list(found), headers=INDEX)


async def test_the_token_goes_in_a_header(consul: Consul, opened: Open) -> None:
    consul.token = SECRET
    source = opened(f"consul://:{SECRET}@{consul.host}/orders?dc=dc2&ns=team&partition=east")
    await source.load()
    (request,) = consul.requests
    assert dict(request.query_params) == {
        "recurse": "true",
        "dc": "dc2",
        "ns": "team",
        "partition": "east",
    }
    assert SECRET not in str(request.url)
    assert source.where == f"http://{consul.host} /orders?dc=dc2&ns=team&partition=east"


async def test_a_refused_token_is_said_in_one_line(consul: Consul, opened: Open) -> None:
    consul.token = "another"
    source = opened(f"consul://:{SECRET}@{consul.host}/orders")
    with pytest.raises(SourceError) as caught:
        await source.load()
    assert str(caught.value) == "Consul refuses the token for orders/ (ACL not found)"


async def test_what_the_token_may_not_read_is_not_taken_for_deleted(
    consul: Consul, opened: Open
) -> None:
    consul.filtered = True
    with pytest.raises(SourceError, match="may not read all of orders/"):
        await opened(f"consul://{consul.host}/orders").load()


BROKEN: list[tuple[ASGIApp, str]] = [
    (PlainTextResponse("No cluster leader", 500), r"answers 500 .*\(No cluster leader\)"),
    (PlainTextResponse("rate limit exceeded", 429), r"answers 429 .*\(rate limit exceeded\)"),
    (PlainTextResponse("x\nTraceback", 503), r"answers 503 .*\(x\)$"),
    (PlainTextResponse(f"your token: {SECRET}", 500), r"\(your token: \*\*\*\)"),
    (BAD_GATEWAY, "answers 502 for orders/$"),
    (Response(status_code=301, headers={"Location": "/ui/"}), "answers 301"),
    (LOST_PAGE, "answers 404 for orders/$"),
    (PAGE, "is not Consul"),
    (JSONResponse([PAIR], headers={"X-Consul-Index": "-1"}), "is not Consul"),
    (JSONResponse([PAIR], headers={"X-Consul-Index": "9" * 5000}), "is not Consul"),
    (Response(b"", headers=INDEX), "no list of keys"),
    (Response(b'[{"Key": "orders/a", "Val', headers=INDEX), "no list of keys"),
    (Response(b"[" * 100_000, headers=INDEX), "no list of keys"),
    (JSONResponse({"Key": "orders/a"}, headers=INDEX), "no list of keys"),
    (JSONResponse(None, headers=INDEX), "no list of keys"),
    (pairs(1), "no list of keys"),
    (pairs({"Key": "orders/a"}), "no list of keys"),
    (pairs({"Key": 1, "Value": "MQ=="}), "no list of keys"),
    (pairs({"Key": "orders/a", "Value": 1}), "no list of keys"),
    (pairs({"Key": "orders/a", "Value": "%%%"}), "not base64"),
    (pairs({"Key": "orders/a", "Value": "MQ="}), "not base64"),
    (pairs({"Key": "orders/a", "Value": "ü"}), "not base64"),
    (pairs({"Key": "orders/a", "Value": "A" * 3_000_000}), "more than 2 MiB"),
    (cut_off, "http://127"),
    (hang, "in time"),
    (Drip(INDEX), "in time"),
]


@pytest.mark.parametrize(("answer", "reason"), BROKEN)
async def test_a_broken_answer_is_no_reading(
    consul: Consul, opened: Open, answer: ASGIApp, reason: str
) -> None:
    source = opened(f"consul://:{SECRET}@{consul.host}/orders", request_timeout=0.5)
    consul.instead = [answer]
    with pytest.raises(SourceError, match=reason) as caught:
        await source.load()
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (await source.load()).entries == {}  # and the next one is


async def test_no_beginning_of_an_answer_is_a_reading(consul: Consul, opened: Open) -> None:
    source = opened(f"consul://{consul.host}/orders")
    body = bytes(pairs(PAIR, {**PAIR, "Key": "orders/b"}).body)
    for end in range(len(body)):
        consul.instead = [Response(body[:end], headers=INDEX)]
        with pytest.raises(SourceError, match="no list of keys"):
            await source.load()


async def test_over_tls(consul: Consul, opened: Open, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    await consul.put({"orders/a": b"1"})
    async with hypercorn_server(consul, authority.certificate) as url:
        where = f"consuls://{url.removeprefix('https://')}/orders"
        reading = await opened(where, ca_file=str(authority.root)).load()
        assert reading.entries == {"a": b"1"}
        with pytest.raises(SourceError):
            await opened(where).load()  # nobody vouches for it


async def test_the_media_type_of_a_good_answer_does_not_matter(
    consul: Consul, opened: Open
) -> None:
    good = pairs(PAIR)
    good.headers["Content-Type"] = "text/html"
    consul.instead = [good]
    reading = await opened(f"consul://{consul.host}/orders").load()
    assert reading == Reading({"a": b"1"}, "7")


async def test_nobody_there(opened: Open) -> None:
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:9: "):
        await opened(f"consul://:{SECRET}@127.0.0.1:9/orders").load()


async def test_another_server_is_asked_where_one_is_gone(consul: Consul, opened: Open) -> None:
    await consul.put({"orders/a": b"1"})
    reading = await opened(f"consul://127.0.0.1:9,{consul.host}/orders").load()
    assert reading.entries == {"a": b"1"}
