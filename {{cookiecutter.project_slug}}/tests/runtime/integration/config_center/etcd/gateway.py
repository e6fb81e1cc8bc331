"""etcd 3.6 as its JSON gateway shows it: errors without `error`, in streams as in answers."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from steadfast_service.runtime.http.server import loopback

# grpc-gateway 2's HTTP status of each code of gRPC that etcd has here.
STATUS = {3: 400, 7: 403, 9: 400, 11: 400, 14: 503, 16: 401}


def failure(code: int, message: str) -> JSONResponse:
    """As of etcd 3.6: https://github.com/etcd-io/etcd/issues/21100."""
    body = {"code": code, "message": f"etcdserver: {message}", "details": []}
    return JSONResponse(body, STATUS[code])


async def hang(scope: Scope, receive: Receive, send: Send) -> None:
    """Take the request and never answer."""
    await receive()


async def drip(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin well, then send a byte now and then for ever."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(receive())
    while not gone.done():
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.wait({gone}, timeout=0.02)


class Gateway:
    """One member with a few keys and at most one user.

    Attributes:
        host: once it is serving.
        requests: what it was asked.
        instead: answers in place of its own, each given once.
        always: an answer in place of every one of its own.
        password: of the user, if there are users.
        token: the only one that is good.
        compacted: nothing before this revision is known any more.
    """

    def __init__(self) -> None:
        self.host = ""
        self.requests: list[Request] = []
        self.instead: list[ASGIApp] = []
        self.always: ASGIApp | None = None
        self.keys: dict[bytes, bytes] = {}
        self.revision = 1
        self.password = ""
        self.token = "first"
        self.compacted = 0
        self._changed = asyncio.Event()

    def put(self, key: str, value: str) -> None:
        self.keys[key.encode()] = value.encode()
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer on a free port."""
        async with loopback(self) as url:
            self.host = url.removeprefix("http://")
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        self.requests.append(request)
        answer = self.instead.pop(0) if self.instead else self.always
        await (answer or await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = await request.json()
        if request.url.path == "/v3/auth/authenticate":
            return self._logged_in(body)
        if self.password and request.headers.get("Authorization") is None:
            return failure(3, "user name is empty")
        if self.password and request.headers.get("Authorization") != self.token:
            return failure(16, "invalid auth token")
        if request.url.path == "/v3/watch":
            told = int(body["create_request"]["start_revision"]) - 1
            return StreamingResponse(self._stream(told), media_type="application/json")
        if 0 < int(body["revision"]) < self.compacted:
            return failure(11, "mvcc: required revision has been compacted")
        kvs = [
            {"key": _base64(key), "mod_revision": str(self.revision), "value": _base64(value)}
            for key, value in self.keys.items()
        ]
        return JSONResponse({"header": self._header(), "kvs": kvs, "count": str(len(kvs))})

    def _logged_in(self, body: dict[str, str]) -> Response:
        if not self.password:
            return failure(9, "authentication is not enabled")
        if body["password"] != self.password:
            return failure(3, "authentication failed, invalid user ID or password")
        return JSONResponse({"header": self._header(), "token": self.token})

    async def _stream(self, told: int) -> AsyncGenerator[bytes]:
        yield _line({"result": {"header": self._header(), "created": True}})
        while True:
            if self.revision > told:
                told = self.revision
                yield _line({"result": {"header": self._header(), "events": [{"kv": {}}]}})
            await self._changed.wait()

    def _header(self) -> dict[str, str]:
        return {"cluster_id": "7", "member_id": "8", "revision": str(self.revision)}


def _line(message: dict[str, Any]) -> bytes:
    # protojson puts in spaces at random, so that nobody relies on there being none
    return json.dumps(message, separators=(", ", ":  ")).encode() + b"\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
