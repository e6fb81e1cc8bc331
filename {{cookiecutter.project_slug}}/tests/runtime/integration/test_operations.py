"""Parameters of operations made by hand, and what else a request carries them with."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import MISSING, ConfigDict, Field

from steadfast_service.runtime.http.operations import bind
from steadfast_service.runtime.openapi.model import Model
from steadfast_service.runtime.openapi.operation import Parameter

from ...support.operations import (
    Keeper,
    app_of,
    client_of,
    operation,
    places,
    send,
)


class Line(Model):
    model_config = ConfigDict(extra="forbid")
    count: int
    note: str | MISSING = MISSING


PARAMETERS = (
    Parameter("key", "path", "key", UUID, required=True),
    Parameter("limit", "query", "limit", Annotated[int, Field(le=9)], default=5, style="form"),
    Parameter("ids", "query", "ids", list[int], style="form", explode=True),
    Parameter("tags", "query", "tags", list[str], style="pipeDelimited"),
    Parameter("filter_", "query", "filter", Line, style="deepObject", explode=True),
    Parameter("where", "query", "where", Line, style="json"),
    Parameter("flags", "header", "x-flags", list[bool]),
    Parameter("session", "cookie", "session", str, style="form"),
    Parameter("either", "query", "either", int | bool, style="form"),
)
KEY = "0b9d3a0e-5d2f-4f0c-9c70-3f0c7c4e9d11"
ABSENT = dict.fromkeys(one.python for one in PARAMETERS) | {"key": UUID(KEY), "limit": 5}
READ = operation("/it/{key}", method="GET", parameters=PARAMETERS)


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ("", {}, {}),
        ("limit=1&limit=2", {}, {"limit": 2}),
        ("ids=1&other=0&ids=2", {}, {"ids": [1, 2]}),
        ("tags=a|b%7Cc", {}, {"tags": ["a", "b", "c"]}),
        ("tags=", {}, {"tags": []}),
        ("filter[count]=1&filter%5Bnote%5D=2", {}, {"filter_": Line(count=1, note="2")}),
        ("where=%7B%22count%22%3A1%7D", {}, {"where": Line(count=1)}),
        ("either=true", {}, {"either": True}),
        ("", [("X-Flags", "true, false"), ("x-flags", "true")], {"flags": [True, False, True]}),
        ("", {"Cookie": 'a=b; session="x%3By"; c'}, {"session": "x;y"}),
    ],
)
async def test_parameters_arrive_typed(query: str, headers: Any, expected: Any) -> None:
    keeper = Keeper()
    response = await send(READ, keeper, url=f"/it/{KEY}?{query}", headers=headers)
    assert response.status_code == 200, response.text
    assert keeper.arguments == ABSENT | expected


@pytest.mark.parametrize(
    ("query", "headers", "place"),
    [
        ("limit=10", {}, ("query", "/limit")),
        ("limit=", {}, ("query", "/limit")),
        ("Limit=1&limit=%31_0", {}, ("query", "/limit")),
        ("ids=1&ids=x", {}, ("query", "/ids/1")),
        ("filter[count]=x", {}, ("query", "/filter/count")),
        ("filter[none]=1&filter[count]=1", {}, ("query", "/filter/none")),
        ("filter" + "[x]" * 2000 + "=1&filter[count]=1", {}, ("query", "/filter/x")),
        ("where=nothing", {}, ("query", "/where")),
        ("where=%7B%7D", {}, ("query", "/where/count")),
        ("", {"X-Flags": "true,no"}, ("header", "/x-flags/1")),
    ],
)
async def test_parameters_are_refused_by_place(
    query: str, headers: dict[str, str], place: tuple[str, str]
) -> None:
    response = await send(READ, Keeper(), url=f"/it/{KEY}?{query}", headers=headers)
    assert places(response) == [place]


async def test_errors_of_every_place_are_told_at_once() -> None:
    parameters = [
        Parameter("a", "query", "a", int, required=True, style="form"),
        Parameter("b", "header", "x-b", int, required=True),
        Parameter("c", "cookie", "c", int | bool, style="form"),
    ]
    one = operation(parameters=parameters, body=Line)
    response = await send(one, Keeper(), json={}, headers={"x-b": "-", "cookie": "c=x"})
    assert dict.fromkeys(places(response)) == dict.fromkeys(
        [("query", "/a"), ("header", "/x-b"), ("cookie", "/c"), ("body", "/count")]
    )


async def test_a_malformed_path_names_nothing() -> None:
    assert (await send(READ, Keeper(), url="/it/1?limit=x")).status_code == 404


@given(query=st.binary(max_size=40), header=st.binary(max_size=20), body=st.binary(max_size=40))
@settings(max_examples=200)
def test_no_request_breaks_it(query: bytes, header: bytes, body: bytes) -> None:
    one = operation("/it/{key}", parameters=PARAMETERS, body=list[Line])

    async def call() -> int:
        status: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def answer(message: Any) -> None:
            status.append(message.get("status", 0))

        headers = [
            (b"x-flags", header),
            (b"cookie", header),
            (b"content-type", b"application/json"),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": f"/it/{KEY}",
            "raw_path": b"",
            "root_path": "",
        }
        scope |= {"query_string": b"filter[" + query + b"&tags=" + query, "headers": headers}
        await app_of(bind(one, Keeper()))(scope, receive, answer)
        return status[0]

    assert asyncio.run(call()) in (200, 400, 422)


async def test_two_requests_do_not_mix() -> None:
    async def slow(**arguments: Any) -> Any:
        await asyncio.sleep(0.001 * (arguments["limit"] % 3))
        return arguments["limit"], arguments["ids"]

    async with client_of(app_of(bind(READ, slow))) as client:
        urls = [f"/it/{KEY}?limit={n}&ids={n}" for n in range(10)]
        answers = await asyncio.gather(*(client.get(url) for url in urls))
    assert [answer.json() for answer in answers] == [[n, [n]] for n in range(10)]
