"""What the client writes, the service reads: operations made by hand, over a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import MISSING, Field
from starlette.responses import JSONResponse, StreamingResponse

from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.http.authorization import Credential
from steadfast_service.runtime.http.operations import (
    OperationRouter,
    bind,
    bind_stream,
)
from steadfast_service.runtime.http.server import loopback
from steadfast_service.runtime.openapi.model import Model
from steadfast_service.runtime.openapi.operation import (
    JSON,
    PROBLEM,
    Answer,
    Body,
    Need,
    Operation,
    Parameter,
    Scheme,
)
from steadfast_service.runtime.outbound.operations import (
    ApiError,
    Errors,
    OperationClient,
    Unavailable,
)

from ...support.api_client import outbound
from ...support.operations import Keeper, app_of, operation

ODD = 'a b,c;d=\u00e9\u20ac"\\%41/?#&+\t'


class Tree(Model):
    number: int | MISSING = MISSING
    from_: Annotated[str | MISSING, Field(alias="from")] = MISSING
    day: date | MISSING = MISSING
    leaves: list["Tree"] | MISSING = MISSING


class Upload(Model):
    title: str
    flag: bool | MISSING = MISSING
    numbers: list[int] | MISSING = MISSING
    tree: Tree | MISSING = MISSING
    file_: Annotated[bytes | MISSING, Field(alias="file")] = MISSING
    pages: list[bytes] | MISSING = MISSING


class Form(Model):
    title: str
    numbers: list[int] | MISSING = MISSING
    tree: Tree | MISSING = MISSING


@asynccontextmanager
async def calling(app: Any, token: Any = None) -> AsyncIterator[OperationClient]:
    async with loopback(app) as url, outbound(url) as client:
        yield OperationClient(client, token=token)


async def arrives(one: Operation[Any], **arguments: Any) -> Any:
    """What the handler gets when the client sends these."""
    keeper = Keeper()
    async with calling(app_of(bind(one, keeper))) as client:
        await client._call(one, {}, arguments)
    return keeper.arguments


PARAMETERS = (
    Parameter("key", "path", "key", str, required=True),
    Parameter("day", "path", "day", date, required=True),
    Parameter("text", "query", "text", str, style="form", explode=True),
    Parameter("ids", "query", "ids", list[int], style="form", explode=True),
    Parameter("listed", "query", "listed", list[float], style="form"),
    Parameter("piped", "query", "piped", list[str], style="pipeDelimited"),
    Parameter("spaced", "query", "spaced", list[str], style="spaceDelimited"),
    Parameter("tree", "query", "tree", Tree, style="deepObject", explode=True),
    Parameter("json", "query", "json", Tree, style="json"),
    Parameter("words", "header", "x-words", list[str]),
    Parameter("lines", "header", "x-lines", list[int], explode=True),
    Parameter("name", "header", "x-name", str),
    Parameter("crumb", "cookie", "crumb", str, style="form"),
    Parameter("flag", "cookie", "flag", bool, style="form"),
)
TREE = Tree(number=1, from_=ODD, leaves=[Tree(day=date(2024, 2, 29))])
VALUES = {
    "key": ODD.replace("/", "."),
    "day": date(2024, 2, 29),
    "text": ODD,
    "ids": [1, 2],
    "listed": [0.1, -1e300],
    "piped": ["a b", "c,d"],
    "spaced": ["a|b", "c,d"],
    "tree": TREE,
    "json": TREE,
    "words": ["a", "b c"],
    "lines": [1, 2],
    "name": 'it\'s; a, "name"',
    "crumb": ODD,
    "flag": True,
}


async def test_parameters_arrive_as_they_were() -> None:
    one = operation("/it/{key}/{day}", method="GET", parameters=PARAMETERS)
    assert await arrives(one, **VALUES) == VALUES
    absent = dict.fromkeys(VALUES) | {"key": "k", "day": date(2024, 1, 1)}
    assert await arrives(one, **absent) == absent


@pytest.mark.parametrize("text", ["caf\u00e9", "a\r\nb: c", "a\nb"])
async def test_a_header_takes_one_line_of_ascii(text: str) -> None:
    one = operation(parameters=[part for part in PARAMETERS if part.python == "name"])
    with pytest.raises(ValueError, match=r"ascii|header"):
        await arrives(one, name=text)


@pytest.mark.parametrize("name", ["piped", "spaced", "words"])
async def test_a_list_that_nobody_could_read_is_not_sent(name: str) -> None:
    one = operation(parameters=[part for part in PARAMETERS if part.python == name])
    with pytest.raises(ValueError, match="in it"):
        await arrives(one, **{name: ["a|b c,d"]})


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (Body({JSON: Tree}), TREE),
        (Body({JSON: list[int]}, required=False), None),
        (Body({"text/plain": str}), ODD),
        (Body({"text/plain": str}), ""),
        (Body({"application/octet-stream": bytes}), bytes(range(256))),
        (Body({"*/*": bytes}), b"x"),
        (Body({JSON: Tree, "text/plain": str}), "x"),
        (
            Body({"application/x-www-form-urlencoded": Form}, styles={"tree": "deepObject"}),
            Form(title=ODD, numbers=[1, 2], tree=TREE),
        ),
        (
            Body({"multipart/form-data": Upload}, styles={"tree": "json"}),
            Upload(
                title=ODD, flag=True, numbers=[1], tree=TREE, file_=b"\xff\r\n--", pages=[b"", b"x"]
            ),
        ),
        (Body({"multipart/form-data": Upload}), Upload(title="", pages=[])),
    ],
)
async def test_bodies_arrive_as_they_were(body: Body, value: Any) -> None:
    got = (await arrives(operation(body=body), body=value))["body"]
    if isinstance(value, Upload) and value.pages == []:
        assert got == Upload(title="")  # a list without a member has no spelling in a form
    else:
        assert got == value


KEYS = [
    {"type": "http", "scheme": "bearer"},
    {"type": "http", "scheme": "basic"},
    {"type": "oauth2"},
    *({"type": "apiKey", "in": place, "name": "X-Key"} for place in ("header", "query", "cookie")),
]


@pytest.mark.parametrize("definition", KEYS)
async def test_a_token_is_shown_where_the_contract_says(definition: dict[str, str]) -> None:
    shown: list[Credential] = []

    async def authorize(credential: Credential) -> None:
        shown.append(credential)

    async def token() -> str:
        return "YTpi+/=="[:4] if definition.get("scheme") == "basic" else "a+b/c=="

    one = operation(method="GET", security=(Need(Scheme("it", definition)),))
    router = OperationRouter(bind(one, Keeper()), authorize=authorize)
    async with calling(app_of(router), token) as client:
        await client._call(one, {}, {})
    assert shown[0].value == ("a:b" if definition.get("scheme") == "basic" else "a+b/c==")


class Busy(ApiError[Any], Unavailable):
    """A declared 503."""


@pytest.mark.parametrize("stream", [False, True])
async def test_a_declared_5xx_is_both_errors(*, stream: bool) -> None:
    answers = {"200": Answer("", {JSON: Any}), "503": Answer("", {PROBLEM: Any})}
    one = operation(method="GET", answers=answers)
    errors: Errors = {"503": (Busy, {})}
    async with calling(JSONResponse({}, 503, {"retry-after": "7"}, PROBLEM)) as client:
        call = anext(client._stream(one, errors, {})) if stream else client._call(one, errors, {})
        with pytest.raises(Busy, match=r"^shop: status 503$") as busy:
            await call
    assert isinstance(busy.value, DependencyUnavailable)
    assert (busy.value.retry_after, busy.value.body, busy.value.dependency) == (7, {}, "shop")


STREAM: Operation[AsyncIterator[bytes]] = operation(
    method="GET", answers={"200": Answer("", {"image/*": bytes})}, stream=True
)


async def test_a_stream_arrives_in_parts_and_a_cut_one_is_unavailable() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def cut() -> AsyncIterator[bytes]:
        yield b"a"
        raise ConnectionError

    async with calling(app_of(bind_stream(STREAM, parts))) as client:
        assert b"".join([chunk async for chunk in client._stream(STREAM, {}, {})]) == b"ab"
    async with calling(StreamingResponse(cut(), headers={"content-length": "9"})) as client:
        with pytest.raises(DependencyUnavailable, match="cut"):
            _ = [chunk async for chunk in client._stream(STREAM, {}, {})]
