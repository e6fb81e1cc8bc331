"""With `check`, an answer that the contract does not declare is a fault, and the log says which."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field

from steadfast_service.runtime.http.operations import bind
from steadfast_service.runtime.http.problems import Problem
from steadfast_service.runtime.http.recovery import Recovery
from steadfast_service.runtime.http.request_context import RequestContext
from steadfast_service.runtime.observability.sampling import Sampling
from steadfast_service.runtime.openapi.model import Model
from steadfast_service.runtime.openapi.operation import (
    JSON,
    PROBLEM,
    Answer,
    Header,
    Operation,
    Result,
)

from ...support.operations import Keeper, app_of, client_of, operation, send
from ...support.records import Records


class Tea(Model):
    name: Annotated[str, Field(max_length=5)]
    left: int = 0


class Pot(Model):
    size: int = 1


class Fault(Model):
    type: str
    title: str
    status: int
    errors: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Result):
    status: ClassVar[int] = 201
    media: ClassVar[str | None] = JSON
    body: Tea
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Any2XX(Result):
    status: int
    media: ClassVar[str | None] = JSON
    body: Tea


COUNT = Header("count", "x-count", Annotated[int, Field(le=9)], required=True)
ANSWERS = {
    "201": Answer("Made", {JSON: Tea}, headers=(COUNT,), results=(Made,)),
    "2XX": Answer("Else", {JSON: Tea}, results=(Any2XX,)),
    "409": Answer("Fault", {PROBLEM: Fault}),
    "410": Answer("Text", {"text/plain": str}),
    "411": Answer("Header", {PROBLEM: Any}, headers=(Header("a", "x-a", int, required=True),)),
}
MAKE = operation(answers=ANSWERS)
TEA = Tea(name="mint")
_UNNAMED = Tea.model_construct(left=1)  # type: ignore[call-arg]


def raising(*args: Any, **options: Any) -> Callable[..., Any]:
    async def handler() -> Any:
        raise Problem(*args, **options)

    return handler


def text_of(type_: Any) -> Operation[Any]:
    return operation(answers={"200": Answer("", {"text/plain": type_})})


# Operation, handler, the status that is sent unchecked, and what the log says.
UNDECLARED = [
    (MAKE, Keeper(Made(body=Tea.model_construct(name="x" * 6), count=1)), 201, "at most 5"),
    (
        MAKE,
        Keeper(Made(body=_UNNAMED, count=1)),
        201,
        "/name: Field required",
    ),
    (MAKE, Keeper(Made(body=TEA)), 201, "without the header x-count"),
    (MAKE, Keeper(Made(body=TEA, count=10)), 201, "less than or equal to 9"),
    (MAKE, Keeper(Any2XX(status=418, body=TEA)), 418, "status 418: not declared"),
    (MAKE, Keeper(Any2XX(status=410, body=TEA)), 410, "media type application/json is not"),
    (MAKE, raising(404), 404, "POST /it, status 404: not declared"),
    (MAKE, raising(409), 409, "/errors: Field required"),
    (MAKE, raising(409, errors=[1]), 409, "/errors/0"),
    (MAKE, raising(410), 410, f"media type {PROBLEM} is not"),
    (MAKE, raising(411), 411, "without the header x-a"),
    (MAKE, raising(411, headers={"X-A": "b"}), 411, "valid integer"),
    (text_of(Annotated[str, Field(max_length=2)]), Keeper("abc"), 200, "at most 2"),
]


@pytest.mark.parametrize(("one", "handler", "status", "said"), UNDECLARED)
async def test_what_is_not_declared_is_a_fault(
    one: Operation[Any], handler: Any, status: int, said: str, records: Records
) -> None:
    app: Any = app_of(bind(one, handler))
    sampling = Sampling(rate=1, key_rate=1, key_routes=[], trace_ratio=0)
    async with client_of(RequestContext(Recovery(app), sampling=sampling)) as client:
        response = await client.post("/it")
    assert response.status_code == 500
    assert response.headers["content-type"] == PROBLEM
    assert said not in response.text
    [record] = records.of("unhandled exception")
    assert "ContractViolated" in str(record)
    assert said in str(record)


@pytest.mark.parametrize(("one", "handler", "status", "said"), UNDECLARED)
async def test_without_it_nobody_looks(
    one: Operation[Any], handler: Any, status: int, said: str
) -> None:
    assert (await send(one, handler, check=False)).status_code == status


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "answer",
    [
        Keeper(Made(body=TEA, count=9)),
        Keeper(Any2XX(status=202, body=TEA)),
        raising(409, errors=["a"]),
        raising(411, headers={"X-A": "1"}),
    ],
)
async def test_what_is_declared_passes(answer: Any, *, check: bool) -> None:
    response = await send(MAKE, answer, check=check)
    assert response.status_code in (201, 202, 409, 411)


def json_of(type_: Any) -> Operation[Any]:
    return operation(answers={"200": Answer("", {JSON: type_})})


Drink = Annotated[Tea | Pot, Field(description="either")]
NOTHING = operation(answers={"204": Answer("")})
FOREIGN = [
    (json_of(Tea), None),
    (json_of(Tea), Pot()),
    (json_of(Tea), {"name": "mint"}),
    (json_of(Tea), object()),
    (json_of(Drink), Fault(type="", title="", status=1, errors=[])),
    (json_of(Drink), None),
    (json_of(list[Tea]), None),
    (json_of(list[Tea]), TEA),
    (json_of(dict[str, int]), {"a": "1"}),
    (json_of(int), "1"),
    (json_of(int | None), "1"),
    (json_of(str), 1),
    (json_of(str), None),
    (json_of(float), "1"),
    (MAKE, TEA),
    (MAKE, None),
    (MAKE, Made(body=Pot(), count=1)),  # type: ignore[arg-type]
    (MAKE, Made(body=TEA, count="many")),  # type: ignore[arg-type]
    (NOTHING, "something"),
    (text_of(str), b"\xff"),
    (text_of(str), None),
    (text_of(bytes), "text"),
    (operation(answers={"200": Answer("", {"image/png": bytes})}), "text"),
]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("one", "value"), FOREIGN)
async def test_a_value_of_another_type_is_never_sent(
    one: Operation[Any], value: Any, *, check: bool
) -> None:
    assert (await send(one, Keeper(value), check=check)).status_code == 500


@pytest.mark.parametrize(
    ("type_", "value"),
    [(Tea | None, None), (Drink, Pot()), (int | None, None), (Any, None), (list[Tea], [TEA])],
)
async def test_a_value_of_the_type_is(type_: Any, value: Any) -> None:
    for check in (True, False):
        assert (await send(json_of(type_), Keeper(value), check=check)).status_code == 200
