"""A token issuer that the test questions and instructs, and an authorizer that trusts it."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

import pytest
from jwt import api_jws
from opentelemetry.trace import NoOpTracer
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from steadfast_service.runtime.auth.jwt import JwtAuthorizer
from steadfast_service.runtime.auth.keys import Keys
from steadfast_service.runtime.auth.opening import FETCHING
from steadfast_service.runtime.auth.sandbox_issuer import (
    JWKS_PATH,
    SandboxIssuer,
)
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.http.authorization import Credential
from steadfast_service.runtime.http.problems import Problem
from steadfast_service.runtime.http.server import loopback
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.outbound.client import Client

ISSUER = "https://issuer.example"
AUDIENCE = "https://orders.example"
LEEWAY = 30.0
TTL = 300.0
COOLDOWN = 30.0


class Authority:
    """An issuer with keys of its own, whose clock stands still."""

    def __init__(self, client: Client, *algorithms: str) -> None:
        self.issuer = SandboxIssuer(ISSUER, AUDIENCE)
        self.now = float(int(time.time()))
        self.fetches = 0
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()  # while it is not set there is no answer
        self.gate.set()
        self.answer: tuple[int, bytes] | None = None  # instead of its keys
        self._app = self.issuer.app()
        self.keys = Keys(
            client,
            JWKS_PATH,
            algorithms=algorithms or ("ES256",),
            ttl=TTL,
            cooldown=COOLDOWN,
            now=lambda: self.now,
        )
        self._authorize = JwtAuthorizer(
            self.keys, issuer=ISSUER, audience=AUDIENCE, leeway=LEEWAY, now=lambda: self.now
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.fetches += 1
        self.asked.set()
        await self.gate.wait()
        answer = self._app if self.answer is None else Response(self.answer[1], self.answer[0])
        await answer(scope, receive, send)

    def publish(self, *keys: Any) -> None:
        """Instead of its own keys."""
        self.answer = 200, json.dumps({"keys": keys}).encode()

    def token(self, **claims: Any) -> str:
        """A good one, but for these claims."""
        return self.issuer.token(**claims)

    def usual(self) -> dict[str, Any]:
        """The claims of a good token."""
        return {"iss": ISSUER, "aud": AUDIENCE, "exp": self.now + 60, "sub": "cus_1"}

    def signed(self, claims: Any) -> str:
        """The issuer's signature over claims that an encoder may refuse."""
        header = {"alg": "ES256", "kid": self.issuer.kid}
        content = json.dumps(claims).encode()
        return api_jws.encode(content, self.issuer.key, "ES256", headers=header)

    async def authorize(self, token: str, *scopes: str) -> None:
        await self._authorize(Credential("bearer", token, scopes))

    async def refused(self, token: str, *scopes: str) -> Problem:
        """The 401 that this token gets, after what holds for each of them."""
        with pytest.raises(Problem) as caught:
            await self.authorize(token, *scopes)
        problem = caught.value
        challenge = (
            f'Bearer realm="service", error="invalid_token", error_description="{problem.detail}"'
        )
        assert problem.status == 401
        assert problem.headers == {"WWW-Authenticate": challenge}
        # It tells what is wrong in one of our sentences, nothing of the token.
        assert problem.detail.startswith(("The token ", "The signature "))
        return problem


class Origin:
    """An HTTP server for the authority of the running test."""

    def __init__(self) -> None:
        self._url = ""
        self._client: Client | None = None
        self._authority: Authority | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._authority is not None
        await self._authority(scope, receive, send)

    def authority(self, *algorithms: str, client: Client | None = None) -> Authority:
        """A new one."""
        client = client or self._client
        assert client is not None
        self._authority = Authority(client, *algorithms)
        return self._authority

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """On a free port."""
        async with loopback(self) as self._url, calling(self._url) as self._client:
            yield

    def impatient(self) -> AbstractAsyncContextManager[Client]:
        """A client that soon gives up."""
        return calling(self._url, patience=0.1)


@asynccontextmanager
async def calling(url: str, *, patience: float = 10.0) -> AsyncIterator[Client]:
    """A client of the dependency "issuer"."""
    options = FETCHING.model_copy(update={"timeout": patience})
    client = Client("issuer", url, options, metrics=Metrics(), tracer=NoOpTracer())
    try:
        yield client
    finally:
        await client.close()


@contextmanager
def request() -> Iterator[RequestState]:
    """As if a request were being answered."""
    state = RequestState(time.monotonic(), "a" * 32, "req-1")
    token = current.set(state)
    try:
        yield state
    finally:
        current.reset(token)


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: Mapping[str, Any], claims: Any) -> str:
    """The first two parts of a token."""
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
