"""Operations made by hand, in a FastAPI application of their own."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
from fastapi import FastAPI

from steadfast_service.runtime.http import openapi, problems
from steadfast_service.runtime.http.operations import (
    Bound,
    OperationRouter,
    bind,
)
from steadfast_service.runtime.openapi.operation import (
    JSON,
    Answer,
    Body,
    Operation,
    Parameter,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that there is an httpx2
    from starlette import testclient

TestClient = testclient.TestClient

OK = {"200": Answer("Done", {JSON: Any})}


class Keeper:
    """A handler that keeps its last arguments and answers with what it was made with."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.arguments: dict[str, Any] = {}

    async def __call__(self, **arguments: Any) -> Any:
        self.arguments = arguments
        return self.answer


def operation(
    path: str = "/it",
    *,
    method: str = "POST",
    answers: Mapping[str, Answer] = OK,
    parameters: Sequence[Parameter] = (),
    body: Any = None,
    **options: Any,
) -> Operation[Any]:
    """With defaults; a `body` that is a type is that of JSON."""
    return Operation(
        id=options.pop("id", "it"),
        method=method,
        path=path,
        answers=answers,
        parameters=tuple(parameters),
        body=body if body is None or isinstance(body, Body) else Body({JSON: body}),
        **options,
    )


def app_of(*bound: Bound | OperationRouter, check: bool = True, **inclusion: Any) -> FastAPI:
    """An application with one router of all that is bound, or with the routers given."""
    app = FastAPI(openapi_url=None)
    problems.install(app)
    routers = [one for one in bound if isinstance(one, OperationRouter)]
    routers = routers or [OperationRouter(*_bound(bound), check=check)]
    for router in routers:
        app.include_router(router, **inclusion)
    openapi.publish(app)
    return app


def _bound(them: Sequence[Bound | OperationRouter]) -> list[Bound]:
    return [one for one in them if isinstance(one, Bound)]


def client_of(app: Any) -> httpx.AsyncClient:
    """Exceptions of the application are its own matter: it has answered."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def send(
    one: Operation[Any], handler: Callable[..., Any], *, check: bool = True, **options: Any
) -> httpx.Response:
    """One request to an application of this operation alone; `options` are httpx's."""
    async with client_of(app_of(bind(one, handler), check=check)) as client:
        return await client.request(one.method, options.pop("url", one.path), **options)


def places(response: httpx.Response) -> list[tuple[str, str]]:
    """Where each error is."""
    assert response.status_code == 422, response.text
    return [(error["in"], error["pointer"]) for error in response.json()["errors"]]
