"""etcd's JSON gateway: interface v3 over HTTP, as etcd 3.4 to 3.6 have it."""

import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..options import ConfigOptions
from ..reading import MAX_BYTES, SourceError
from .remote import MAX_ANSWER, Address, Remote, TimedOut

RANGE, WATCH, LOGIN = "/v3/kv/range", "/v3/watch", "/v3/auth/authenticate"
# Far more than there are settings; without a limit etcd puts together all there is.
MAX_ENTRIES = 10_000
# A member that has lost the others ends such a watch, and else would stay silent.
REQUIRE_LEADER = {"Grpc-Metadata-hasleader": "true"}
# Codes of gRPC.
INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE, UNAUTHENTICATED = 3, 9, 11, 16
# Kinds of invalid argument that a new token mends; only the text tells them from others.
TOKEN_NEEDED = ("user name is empty", "revision of auth store is old")


@dataclass(frozen=True, slots=True)
class State:
    """What etcd held at one of its revisions."""

    cluster: int
    revision: int
    entries: Mapping[str, bytes]


class Message(BaseModel):
    """etcd leaves out what is zero or empty, and writes numbers of 64 bits as strings."""

    model_config = ConfigDict(frozen=True, val_json_bytes="base64")


class Header(Message):
    cluster_id: int
    revision: int = 0


class Entry(Message):
    key: bytes
    value: bytes = b""


class Range(Message):
    header: Header
    kvs: tuple[Entry, ...] = ()
    more: bool = False


class Login(Message):
    token: str = Field(pattern=r"^[!-~]+$", max_length=8192)


class Change(Message):
    header: Header
    created: bool = False
    canceled: bool = False
    cancel_reason: str = ""
    compact_revision: int = 0
    events: tuple[Any, ...] = ()


class Line(Message):
    result: Change


class Failure(Message):
    """Before 3.6 the message is there as `error`, too, and a stream has `grpc_code`."""

    message: str
    code: int = 0
    grpc_code: int = 0


class StreamFailure(Message):
    error: Failure


class Refused(SourceError):
    """etcd answers that it failed."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class TokenNeeded(Refused):
    """There is no token, or it has expired, or users have changed since."""


class Forgotten(Refused):
    """The revision is compacted."""


M = TypeVar("M", bound=Message)


class EtcdApi:
    """What a `Source` needs of it, for the keys below one prefix."""

    def __init__(self, address: Address, options: ConfigOptions) -> None:
        self._user, self._password = address.user, address.password
        self._remote = Remote(address, options)
        self._watch_timeout = options.watch_timeout
        self._prefix = f"{address.path}/".encode()  # with the slash: `orders` is not `orders-test`
        end = self._prefix[:-1] + bytes([ord("/") + 1])
        self._range = {"key": _base64(self._prefix), "range_end": _base64(end)}
        self._token = ""

    async def read(self, revision: int = 0) -> State:
        """What there is, agreed on by a majority of the members; or was there at a revision.

        Raises:
            Forgotten: the revision is compacted.
            SourceError: it cannot be read, or is too much.
        """
        body = {**self._range, "limit": str(MAX_ENTRIES), "revision": str(revision)}
        answer = await self._ask(RANGE, body, Range)
        size = sum(len(entry.key) + len(entry.value) for entry in answer.kvs)
        if answer.more or size > MAX_BYTES:
            raise SourceError(f"etcd has more than {MAX_ENTRIES} keys or {MAX_BYTES} bytes there")
        entries = {self._name(entry.key): entry.value for entry in answer.kvs}
        entries.pop("", None)  # somebody's mark of a folder
        return State(answer.header.cluster_id, answer.header.revision, entries)

    async def changes(self, after: int) -> AsyncGenerator[int]:
        """Yield etcd's revision with each change after one, for as long as `watch_timeout`.

        Raises:
            SourceError: the stream was lost, or begins later than that.
        """
        create = {**self._range, "start_revision": str(after + 1)}
        async with (
            self._remote.stream(
                "POST",
                WATCH,
                seconds=self._watch_timeout,
                json={"create_request": create},
                headers={**self._headers(), **REQUIRE_LEADER},
            ) as response,
            aclosing(_lines(response)) as lines,
        ):
            async for line in lines:
                change = self._parsed(WATCH, response, line, Line).result
                if change.canceled:
                    reason = change.cancel_reason or f"compacted at {change.compact_revision}"
                    raise SourceError(f"etcd ends the watch: {self._quoted(reason)}")
                if change.created and change.header.revision < after:
                    raise SourceError(f"etcd has lost its revision {after}")
                if change.events:
                    yield change.header.revision

    async def close(self) -> None:
        """Close its connections."""
        await self._remote.close()

    def _name(self, key: bytes) -> str:
        return key.removeprefix(self._prefix).decode(errors="backslashreplace")

    async def _ask(self, path: str, body: Mapping[str, str], kind: type[M]) -> M:
        """One request, with a new token where that helps."""
        with suppress(TokenNeeded):
            return await self._once(path, body, kind)
        if not self._user:
            raise SourceError("etcd asks for a user and a password")
        await self._log_in()
        return await self._once(path, body, kind)

    async def _log_in(self) -> None:
        self._token = ""
        try:
            body = {"name": self._user, "password": self._password}
            self._token = (await self._once(LOGIN, body, Login)).token
        except Refused as exc:
            if exc.code != FAILED_PRECONDITION:  # it has just been switched off
                raise

    async def _once(self, path: str, body: Mapping[str, str], kind: type[M]) -> M:
        response = await self._remote.request("POST", path, json=body, headers=self._headers())
        return self._parsed(path, response, response.content, kind)

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": self._token} if self._token else {}

    def _parsed(self, path: str, response: httpx.Response, body: bytes, kind: type[M]) -> M:
        with suppress(ValidationError):
            return kind.model_validate_json(body)
        with suppress(ValidationError):
            raise self._refused(path, Failure.model_validate_json(body))
        with suppress(ValidationError):
            raise self._refused(path, StreamFailure.model_validate_json(body).error)
        kind_of = response.headers.get("Content-Type", "of no type")
        words = body.decode(errors="replace") if kind_of.startswith("text/plain") else kind_of
        said = f"{response.status_code}: {self._quoted(words)}"
        raise SourceError(f"what answers {path} is not etcd's JSON gateway ({said})")

    def _refused(self, path: str, failure: Failure) -> Refused:
        code, message = failure.code or failure.grpc_code, failure.message
        text = f"etcd answers {path}: {self._quoted(message)}"
        needed = code == INVALID_ARGUMENT and any(said in message for said in TOKEN_NEEDED)
        if needed or code == UNAUTHENTICATED:
            return TokenNeeded(text, code)
        return (Forgotten if code == OUT_OF_RANGE else Refused)(text, code)

    def _quoted(self, text: str) -> str:
        """One line of what a server says, without what it may have been sent."""
        line = "".join(filter(str.isprintable, text.strip().partition("\n")[0]))
        for secret in filter(None, (self._password, self._token)):
            line = line.replace(secret, "***")
        return line[:200]


async def _lines(response: httpx.Response) -> AsyncGenerator[bytes]:
    """Each line as it comes, until the time of the stream is over."""
    rest = b""
    with suppress(TimedOut):
        async for part in response.aiter_raw():
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                yield line
            if len(rest) > MAX_ANSWER:
                raise SourceError("etcd sends a message of more than 2 MiB")
        if rest:
            yield rest
        raise SourceError("etcd has ended the watch")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
