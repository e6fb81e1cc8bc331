"""To FastAPI, the routes of operations are routes like the others."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from starlette.routing import Mount

from steadfast_service.runtime.http import openapi, problems
from steadfast_service.runtime.http.authorization import Credential
from steadfast_service.runtime.http.operations import (
    OperationRouter,
    bind,
)
from steadfast_service.runtime.openapi.operation import (
    JSON,
    Answer,
    Need,
    Parameter,
    Scheme,
)

from ...support.operations import (
    OK,
    Keeper,
    TestClient,
    app_of,
    client_of,
    operation,
)

ID = Parameter("id_", "path", "id", int, required=True)
GET = operation("/things/{id}", method="GET", id="getThing", parameters=[ID])
PUT = operation("/things/{id}", method="PUT", id="putThing", parameters=[ID], body=dict[str, int])
MINE = operation("/things/mine", method="GET", id="getMine")


def router(**options: Any) -> OperationRouter:
    async def get(*, id_: int) -> Any:
        return id_

    async def put(*, id_: int, body: dict[str, int]) -> Any:
        return body

    return OperationRouter(bind(GET, get), bind(PUT, put), bind(MINE, Keeper("mine")), **options)


def client(*routers: Any, **inclusion: Any) -> TestClient:
    return TestClient(app_of(*(routers or (router(),)), **inclusion))


async def test_methods_of_a_path() -> None:
    async with client_of(app_of(router())) as http:
        assert (await http.get("/things/7")).json() == 7
        assert (await http.get("/things/mine")).json() == "mine"
        assert (await http.put("/things/7", json={"a": 1})).json() == {"a": 1}
        for method in ("HEAD", "OPTIONS", "POST", "BREW"):
            response = await http.request(method, "/things/7")
            assert (response.status_code, response.headers["allow"]) == (405, "GET, PUT")
        for path in ("/things", "/things/7/8", "/thing", "/things/x"):
            assert (await http.get(path)).status_code == 404


def test_a_prefix_and_a_router_in_a_router() -> None:
    outer = APIRouter(prefix="/outer")
    outer.include_router(router(), prefix="/inner")
    app = app_of(router(), prefix="/v1")
    app.include_router(outer)
    http = TestClient(app)
    for prefix in ("/v1", "/outer/inner"):
        assert http.get(f"{prefix}/things/7").json() == 7
        assert http.post(f"{prefix}/things/7").status_code == 405
    assert http.get("/things/7").status_code == 404
    assert app.url_path_for("getThing", id="7") == "/v1/things/7"


def test_the_same_router_twice() -> None:
    seen: list[str] = []

    def note(request: Request) -> None:
        seen.append(request.url.path)

    both = router()
    app = FastAPI(openapi_url=None)
    app.include_router(both, prefix="/open")
    app.include_router(both, prefix="/noted", dependencies=[Depends(note)])
    http = TestClient(app)
    for _ in range(2):
        assert http.get("/open/things/7").json() == http.get("/noted/things/7").json() == 7
    assert seen == ["/noted/things/7"] * 2


def test_under_a_mount_and_under_a_root_path() -> None:
    app = app_of(router())
    mounted = TestClient(FastAPI(routes=[Mount("/below", app)]))
    assert mounted.get("/below/things/7").json() == 7
    assert mounted.post("/below/things/7").status_code == 405
    rooted = TestClient(app, root_path="/proxy")
    assert rooted.get("/proxy/things/7").json() == 7
    assert rooted.get("/things/7").json() == 7


def token(x_token: Annotated[str, Header()]) -> str:
    if x_token != "right":
        raise problems.Problem(403)
    return x_token


@pytest.mark.parametrize("level", ["app", "inclusion", "outer router"])
def test_dependencies_run_and_are_documented(level: str) -> None:
    needs = [Depends(token), Depends(APIKeyHeader(name="x-key", scheme_name="outer"))]
    app = FastAPI(dependencies=needs if level == "app" else [], openapi_url=None)
    problems.install(app)
    outer = APIRouter(dependencies=needs if level == "outer router" else [])
    outer.include_router(router(), dependencies=needs if level == "inclusion" else [])
    app.include_router(outer)
    openapi.publish(app)
    http = TestClient(app)
    right = {"x-token": "right", "x-key": "1"}
    assert http.get("/things/7", headers=right).json() == 7
    assert http.put("/things/7", headers=right, json={"a": 1}).json() == {"a": 1}
    assert http.get("/things/7", headers=right | {"x-token": "x"}).status_code == 403
    assert http.get("/things/7", headers={"x-key": "1"}).status_code == 422
    document = http.get("/openapi.json").json()
    operation = document["paths"]["/things/{id}"]["get"]
    names = [(one["in"], one["name"]) for one in operation["parameters"]]
    assert sorted(names) == [("header", "x-token"), ("path", "id")]
    assert operation["security"] == [{"outer": []}]
    assert "outer" in document["components"]["securitySchemes"]
    app.dependency_overrides[token] = lambda: "anyone"
    assert http.get("/things/7", headers={"x-key": "1"}).json() == 7


def test_needs_of_operation_and_dependency_hold_together() -> None:
    shown: list[Credential] = []

    async def authorize(credential: Credential) -> None:
        shown.append(credential)

    basic = Need(Scheme("basic", {"type": "http", "scheme": "basic"}))
    bearer = Need(Scheme("bearer", {"type": "http", "scheme": "bearer"}), ("read",))
    one = operation(method="GET", security=(basic, bearer))
    secured = OperationRouter(bind(one, Keeper()), authorize=authorize)
    key = Depends(APIKeyHeader(name="x-key", scheme_name="outer"))
    http = client(secured, dependencies=[key])
    for value, expected in (("Basic YTpi", "a:b"), ("bearer  x", "x")):
        headers = {"authorization": value, "x-key": "1"}
        assert http.get("/it", headers=headers).status_code == 200
        assert shown[-1].value == expected
    for value in ("Basic \xe9", "Basic ====", "Basic /w==", "Basic", "Digest x", ""):
        raw = {b"authorization": value.encode("latin-1"), b"x-key": b"1"}
        response = http.get("/it", headers=raw)
        assert (response.status_code, response.headers["www-authenticate"][:5]) == (401, "Basic")
    document = http.get("/openapi.json").json()
    needs = document["paths"]["/it"]["get"]["security"]
    assert needs == [{"outer": [], "basic": []}, {"outer": [], "bearer": ["read"]}]
    assert document["components"]["securitySchemes"].keys() == {"outer", "basic", "bearer"}


def test_a_dependency_may_take_the_operations_own_parameter() -> None:
    def same(id: int) -> None:  # noqa: A002 - the path's name
        assert id == 7

    http = client(router(), dependencies=[Depends(same)])
    assert http.get("/things/7").json() == 7
    [parameter] = http.get("/openapi.json").json()["paths"]["/things/{id}"]["get"]["parameters"]
    assert (parameter["name"], parameter["in"]) == ("id", "path")


@pytest.mark.parametrize("dependencies", [[], [Depends(lambda: None)]])
def test_the_applications_own_handlers_are_asked(dependencies: list[Any]) -> None:
    class Teapot(Exception):
        pass

    async def broken() -> Any:
        raise Teapot

    async def teapot(_: Request, exc: Exception) -> Response:
        return JSONResponse("teapot", 418)

    async def refused(_: Request, exc: Exception) -> Response:
        assert isinstance(exc, RequestValidationError)
        return JSONResponse([error["loc"] for error in exc.errors()], 499)

    brew = operation(method="GET")
    typed = operation("/typed", id="typed", body=list[int])
    made = OperationRouter(bind(brew, broken), bind(typed, Keeper()))
    app = app_of(made, dependencies=dependencies)
    app.add_exception_handler(Teapot, teapot)
    app.add_exception_handler(RequestValidationError, refused)
    http = TestClient(app)
    assert (http.get("/it").status_code, http.get("/it").json()) == (418, "teapot")
    response = http.post("/typed", json=[1, "2"])
    assert (response.status_code, response.json()) == (499, [["body", 1]])


@pytest.mark.parametrize("dependencies", [[], [Depends(lambda: None)]])
def test_middleware_and_plain_routes_live_beside(dependencies: list[Any]) -> None:
    app = app_of(router(), dependencies=dependencies)

    @app.get("/things/plain")
    async def plain() -> str:
        return "plain"

    @app.middleware("http")
    async def marked(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-route"] = getattr(request.scope.get("route"), "path", "")
        return response

    http = TestClient(app)
    assert http.get("/things/7").headers["x-route"] == "/things/{id}"
    assert http.put("/things/7", json={"a": 2}).json() == {"a": 2}
    assert http.get("/things/plain").status_code == 404  # the contract's `{id}` came first


def test_one_place_is_given_once() -> None:
    twice = (bind(GET, Keeper()), bind(operation("/things/{x}", method="GET"), Keeper()))
    with pytest.raises(ValueError, match="two routes answer GET"):
        app_of(OperationRouter(*twice))


def test_nothing_is_added_by_hand() -> None:
    with pytest.raises(TypeError, match="/things is not in the contract"):
        OperationRouter(bind(GET, Keeper())).get("/things")(lambda: None)


def test_the_document_is_of_the_contract() -> None:
    answers = OK | {"404": Answer("None", {JSON: str})}
    made = OperationRouter(bind(operation("/a/{id}", answers=answers, parameters=[ID]), Keeper()))
    document = client(made, prefix="/v1").get("/openapi.json").json()
    assert list(document["paths"]) == ["/v1/a/{id}"]
    described = document["paths"]["/v1/a/{id}"]["post"]
    assert described["operationId"] == "it"
    assert list(described["responses"]) == ["200", "404"]
