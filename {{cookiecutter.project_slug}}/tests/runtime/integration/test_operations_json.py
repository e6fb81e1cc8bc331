"""JSON bodies of operations made by hand: what reaches a handler, what is refused before."""

import time
from typing import Annotated, Any, Literal

import pytest
from pydantic import MISSING, ConfigDict, Field

from steadfast_service.runtime.http.operations import bind
from steadfast_service.runtime.openapi.model import Model
from steadfast_service.runtime.openapi.operation import JSON, Body

from ...support.operations import Keeper, app_of, operation, places, send


class Line(Model):
    model_config = ConfigDict(extra="forbid")
    count: int
    note: str | MISSING = MISSING
    price: float | MISSING = MISSING
    class_: Annotated[str | MISSING, Field(alias="class")] = MISSING
    odd: Annotated[int | MISSING, Field(alias="a/b~c")] = MISSING


class Open(Model):
    model_config = ConfigDict(extra="allow")
    count: int


class Card(Model):
    kind: Literal["card"]
    number: int


class Cash(Model):
    kind: Literal["cash"]
    coins: list[int]


Payment = Annotated[Card | Cash, Field(discriminator="kind")]
TYPE = {"content-type": JSON}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"count": true}', "/count"),
        ('{"count": "1"}', "/count"),
        ('{"count": 1.5}', "/count"),
        ('{"count": null}', "/count"),
        ('{"count": 1, "note": null}', "/note"),
        ('{"count": 1, "note": 1}', "/note"),
        ('{"count": 1, "price": "1.5"}', "/price"),
        ('{"count": 1, "price": 1e999}', "/price"),
        ('{"count": 1, "other": 1}', "/other"),
        ('{"count": 1, "class_": "x"}', "/class_"),
        ('{"count": 1, "a/b~c": "x"}', "/a~1b~0c"),
        ("{}", "/count"),
        ("null", ""),
        ("[]", ""),
        ('"x"', ""),
    ],
)
async def test_a_body_is_taken_strictly(text: str, place: str) -> None:
    response = await send(operation(body=Line), Keeper(), content=text, headers=TYPE)
    assert places(response) == [("body", place)]
    assert '"input"' not in response.text


@pytest.mark.parametrize("media", [JSON, "application/json;charset=utf-8", "Application/JSON ; x"])
async def test_a_body_is_a_model_of_its_own(media: str) -> None:
    keeper, text = Keeper(), '{"count": 0, "count": 1, "class": "x", "price": 2}'
    await send(operation(body=Line), keeper, content=text, headers={"content-type": media})
    assert keeper.arguments == {"body": Line(count=1, class_="x", price=2)}
    assert keeper.arguments["body"].note is MISSING


async def test_what_a_model_does_not_know_is_kept_where_the_contract_says_so() -> None:
    keeper = Keeper()
    await send(operation(body=Open), keeper, json={"count": 1, "other": [1]})
    assert keeper.arguments["body"].other == [1]


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"{", JSON, 400),
        (b"nothing", JSON, 400),
        (b'{"count": 1}x', JSON, 400),
        (b'{"count": 1, "note": "\xff"}', JSON, 400),
        (b'{"count": 1, "note": "\\ud800"}', JSON, 400),
        (b'\xef\xbb\xbf{"count": 1}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"count": ' + b"1" * 5000 + b"}", JSON, 400),
        (b"{}", "text/json", 415),
        (b"{}", "application/problem+json", 415),
        (b"{}", "", 415),
        (b"{}", "nonsense", 415),
        (b"", JSON, 422),
        (b"", "", 422),
        (b"", "text/plain", 422),
    ],
)
async def test_what_is_no_such_body(content: bytes, media: str, status: int) -> None:
    headers = {"content-type": media} if media else {}
    response = await send(operation(body=Line), Keeper(), content=content, headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize(("content", "status"), [(b"", 200), (b"null", 422), (b"{}", 422)])
async def test_a_body_may_be_left_out(content: bytes, status: int) -> None:
    keeper = Keeper()
    one = operation(body=Body({JSON: Line}, required=False))
    response = await send(one, keeper, content=content, headers=TYPE)
    assert (response.status_code, keeper.arguments) == (
        status,
        {"body": None} if status == 200 else {},
    )


class Basket(Model):
    payments: list[Payment] | MISSING = MISSING
    either: int | Line | MISSING = MISSING
    names: dict[str, Line] | MISSING = MISSING
    card: Card | MISSING = MISSING


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"payments": [{"kind": "card", "number": "1"}]}, {"/payments/0/number"}),
        ({"payments": [{"kind": "card"}]}, {"/payments/0/number"}),
        ({"payments": [{"kind": "cash", "coins": [1, "2"]}]}, {"/payments/0/coins/1"}),
        ({"payments": [{"kind": "x"}, 5]}, {"/payments/0", "/payments/1"}),
        ({"either": "x"}, {"/either"}),
        ({"either": {"count": "x"}}, {"/either", "/either/count"}),
        ({"names": {"a/b": {"count": True}, "~": {}}}, {"/names/a~1b/count", "/names/~0/count"}),
        ({"card": {"kind": "cash", "number": 1}}, {"/card/kind"}),
    ],
)
async def test_the_place_of_an_error_is_in_the_body(body: Any, expected: set[str]) -> None:
    response = await send(operation(body=Basket), Keeper(), json=body)
    assert {pointer for _, pointer in places(response)} == expected


async def test_many_errors_are_no_attack() -> None:
    """Each of them is found in the body, which is read once for it."""
    body = {"payments": [{"kind": "card"}] * 20_000}
    began = time.perf_counter()
    response = await send(operation(body=Basket), Keeper(), json=body)
    assert time.perf_counter() - began < 5
    assert len(places(response)) == 20


async def test_a_caller_who_breaks_off_is_no_failure_of_ours() -> None:
    messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def answer(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/it", "raw_path": b"/it", "root_path": ""}
    headers = [(b"content-type", b"application/json")]
    app = app_of(bind(operation(body=Line), Keeper()))
    await app(scope | {"query_string": b"", "headers": headers}, receive, answer)
    assert sent[0]["status"] == 400


@pytest.mark.parametrize("type_", [Line, Any])
async def test_nan_is_not_json(type_: Any) -> None:
    one, text = operation(body=type_), '{"count": NaN}'
    response = await send(one, Keeper(), content=text, headers=TYPE)
    assert response.status_code in (400, 422)


@pytest.mark.parametrize("text", ["1.0", "10e-1", "1E0"])
async def test_a_whole_number_is_an_integer_however_it_is_written(text: str) -> None:
    keeper = Keeper()
    response = await send(
        operation(body=Line), keeper, content='{"count": ' + text + "}", headers=TYPE
    )
    assert response.status_code == 200
