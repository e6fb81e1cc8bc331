"""A stand-in for Nacos: the generation, the users and the mistakes are the test's to choose."""

import asyncio
import hashlib
import json
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from .centre import LOST_PAGE, Centre

Key = tuple[str, str, str]  # namespace, group, dataId


class Nacos(Centre):
    """Answers as the servers of one generation do, as far as a reader of configurations asks.

    Attributes:
        generation: 2 (as 1) or 3.
        user: name and password that log in; None: nobody has to.
        ttl: of a token, in seconds.
        min_hold: how long it holds a listener at least, in seconds.
        early: how much before its time it lets a listener go, in seconds.
        charset: that it computes the MD5 of a content in.
        tokens: that it takes.
        forbidden: nobody may read, whoever he is.
    """

    def __init__(self, generation: int = 2) -> None:
        super().__init__()
        self.generation = generation
        self.context = "/nacos"
        self.user: tuple[str, str] | None = None
        self.ttl = 18_000
        self.min_hold = 0.2
        self.early = 0.05
        self.charset = "utf-8"
        self.tokens: list[str] = []
        self.forbidden = False
        self.logins = 0
        self._contents: dict[Key, tuple[str, str]] = {}

    async def publish(
        self,
        content: str,
        kind: str = "yaml",
        *,
        data_id: str = "orders.yaml",
        group: str = "DEFAULT_GROUP",
        namespace: str = "",
    ) -> None:
        self._contents[namespace, group, data_id] = content, kind
        self.changed()

    async def delete(self, data_id: str = "orders.yaml") -> None:
        del self._contents["", "DEFAULT_GROUP", data_id]
        self.changed()

    def paths(self) -> list[str]:
        """What was asked for, one after the other."""
        return [request.url.path for request in self.requests]

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        if not path.startswith(f"{self.context}/"):
            return LOST_PAGE
        match self.generation, request.method, path.removeprefix(self.context):
            case (2, "POST", "/v1/auth/users/login") | (3, "POST", "/v3/auth/user/login"):
                return await self._log_in(request)
            case 2, "GET", "/v1/cs/configs":
                return self._refused(request) or self._content(request)
            case 2, "POST", "/v1/cs/configs/listener":
                return self._refused(request) or await self._listen(request)
            case 3, "GET", "/v3/client/cs/config":
                return self._refused(request) or self._result(request)
        missing = {"timestamp": 1, "status": 404, "error": "Not Found", "path": path}
        return JSONResponse(missing, 404)

    async def _log_in(self, request: Request) -> Response:
        self.logins += 1
        form = dict(parse_qsl((await request.body()).decode()))
        if (form["username"], form["password"]) != self.user:
            return PlainTextResponse("unknown user!", 403)
        self.tokens.append(f"token-{self.logins}")
        answer = {"accessToken": self.tokens[-1], "tokenTtl": self.ttl, "globalAdmin": False}
        return JSONResponse(answer)

    def _refused(self, request: Request) -> Response | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self.forbidden and (self.user is None or token in self.tokens):
            return None
        if self.generation == 3:
            return _result(10001, "access denied", "token invalid!", status=403)
        problem = {"status": 403, "error": "Forbidden", "message": "token expired!"}
        return JSONResponse(problem, 403)

    def _content(self, request: Request) -> Response:
        query = request.query_params
        found = self._contents.get((query["tenant"], query["group"], query["dataId"]))
        if found is None:
            return PlainTextResponse("config data not exist\n", 404)
        headers = {"Content-MD5": self._md5(found), "Config-Type": found[1]}
        return Response(found[0].encode(), 200, headers, "text/plain;charset=UTF-8")

    async def _listen(self, request: Request) -> Response:
        listening = dict(parse_qsl((await request.body()).decode()))["Listening-Configs"]
        line, end, rest = unquote(listening).partition("\x01")
        assert (end, rest) == ("\x01", "")
        data_id, group, md5, *namespace = line.split("\x02")
        key = (namespace[0] if namespace else "", group, data_id)
        asked = int(request.headers["Long-Pulling-Timeout"]) / 1000
        with suppress(TimeoutError):
            async with asyncio.timeout(max(self.min_hold, asked - self.early)):
                while self._md5(self._contents.get(key)) == md5:
                    await self.hold(request)
            names = "\x02".join([data_id, group, *namespace]) + "\x01"
            return PlainTextResponse(f"{quote(names)}\r\n")
        return Response(b"")

    def _result(self, request: Request) -> Response:
        query = request.query_params
        found = self._contents.get((query["namespaceId"], query["groupName"], query["dataId"]))
        if found is None:
            return _result(20004, "resource not found", None)
        data = {
            "resultCode": 200,
            "errorCode": 0,
            "content": found[0],
            "contentType": found[1],
            "md5": self._md5(found),
            "lastModified": 1,
            "encryptedDataKey": None,
            "beta": False,
        }
        return _result(0, "success", data)

    def _md5(self, found: tuple[str, str] | None) -> str:
        if found is None:
            return ""
        return hashlib.md5(found[0].encode(self.charset), usedforsecurity=False).hexdigest()


def _result(code: int, message: str, data: Any, *, status: int = 200) -> Response:
    body = json.dumps({"code": code, "message": message, "data": data})
    return Response(body, status, media_type="application/json")
