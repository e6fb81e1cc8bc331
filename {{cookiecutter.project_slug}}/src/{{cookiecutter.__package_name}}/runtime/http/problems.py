"""Every error of the HTTP side is an RFC 9457 problem with the request's id.

That includes what Starlette and FastAPI raise themselves: unknown paths, wrong methods,
bodies that are too large or not what the route takes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Send

from ..context import current
from ..deadlines import DeadlineExceeded
from ..errors import DependencyUnavailable

MEDIA_TYPE = "application/problem+json"
# A line break in a header would let its writer add headers of his own.
HEADER_BREAK = re.compile(r"[\r\n\0]")
# A caller should see what is wrong, not a page of it: 20 errors are enough to act on.
MAX_ERRORS = 20


class Problem(Exception):
    """An error with its HTTP answer; raise it in `api/`.

    Args:
        status: HTTP status, 400 to 599.
        detail: one sentence for the caller; nothing internal.
        type_: a stable name that clients may branch on, `about:blank` when the status says all.
        headers: extra response headers, such as `Retry-After`.
        extensions: further members of the problem.
    """

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        type_: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.type = type_
        self.headers = dict(headers or {})
        if any(HEADER_BREAK.search(text) for text in self.headers.values()):
            raise ValueError("a line break or NUL in a problem's header")
        self.extensions = extensions

    def body(self) -> bytes:
        """The problem as JSON."""
        state = current.get()
        members: dict[str, Any] = {
            "type": self.type,
            "title": _title(self.status),
            "status": self.status,
        }
        if self.detail:
            members["detail"] = self.detail
        if state is not None:
            members["request_id"] = state.request_id
        return orjson.dumps(members | self.extensions, default=str)

    def response(self) -> Response:
        """For exception handlers and routes."""
        return Response(self.body(), self.status, self.headers, MEDIA_TYPE)

    async def send(self, send: Send) -> None:
        """For a middleware: the whole answer in two messages."""
        body = self.body()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            *((k.lower().encode(), v.encode()) for k, v in self.headers.items()),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def internal_error() -> Problem:
    """A fault of ours; its cause is in the log under the request's id, never in the answer."""
    return Problem(500, "The service failed on this request. The log has the cause.")


def deadline_exceeded(exc: DeadlineExceeded | None = None) -> Problem:
    """The time of the request was used up, here or in what it waited for."""
    return Problem(504, f"{exc or 'The request ran out of time'}".capitalize() + ".")


def install(app: FastAPI) -> None:
    """Make every exception that reaches FastAPI a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(DeadlineExceeded, _deadline_exceeded)
    app.add_exception_handler(DependencyUnavailable, _dependency_unavailable)
    app.add_exception_handler(Exception, _unhandled)


async def _problem(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)
    return exc.response()


async def _http_exception(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    if exc.status_code < 400:
        return Response(status_code=exc.status_code, headers=exc.headers)
    detail = "" if exc.detail == _title(exc.status_code) else str(exc.detail)
    return Problem(exc.status_code, detail, headers=exc.headers).response()


async def _invalid_request(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    return invalid(exc.errors(), request.headers.get("content-type")).response()


async def _deadline_exceeded(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, DeadlineExceeded)
    return deadline_exceeded(exc).response()


async def _dependency_unavailable(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, DependencyUnavailable)
    structlog.get_logger().warning("dependency unavailable", error=str(exc))
    return Problem(
        503,
        "Something that this service needs is not available.",
        headers={"Retry-After": str(exc.retry_after)},
    ).response()


async def _unhandled(_: Request, __: Exception) -> Response:
    return internal_error().response()


def invalid(errors: Sequence[Any], content_type: str | None) -> Problem:
    """The problem for a request that the route's types refuse.

    - not JSON at all: 400; a body of another media type: 415;
    - a path parameter of the wrong form: 404, as for any other name of nothing;
    - everything else: 422 with a JSON pointer per error. The input is never echoed.
    """
    first = errors[0]
    place, *inside = first["loc"]
    # FastAPI adds the offset; a field of a form that should be JSON has its name here.
    in_field = any(isinstance(part, str) for part in inside)
    if first["type"] == "json_invalid" and place == "body" and not in_field:
        return Problem(400, "The body is not valid JSON.")
    # FastAPI hands on the bytes that it did not parse. Operations look at the type before.
    unparsed = isinstance(first.get("input", b""), bytes) and not _is_json(content_type)
    if unparsed and first["loc"] == ("body",) and first["type"] != "missing":
        return Problem(415, "This route takes application/json.")
    if any(error["loc"][0] == "path" for error in errors):
        return Problem(404)
    return Problem(
        422,
        "The request does not match what this route takes.",
        errors=[
            {
                "in": error["loc"][0],
                "pointer": "".join(f"/{_escape(part)}" for part in error["loc"][1:]),
                "detail": error["msg"],
                "code": error["type"],
            }
            for error in errors[:MAX_ERRORS]
        ],
    )


def located(exc: ValidationError, loc: tuple[str, ...], data: bytes) -> list[dict[str, Any]]:
    """Pydantic's errors, each at the place in the input, the JSON `data`, that it is about.

    Inside a union pydantic also names the variant it tried; a caller knows nothing of those.
    """
    found = exc.errors(include_url=False, include_context=False, include_input=False)
    try:
        whole = from_json(data)
    except ValueError:
        return [{**error, "loc": (*loc, *error["loc"]), "input": None} for error in found]
    return [{**error, "loc": (*loc, *_path(whole, error)), "input": None} for error in found]


def _path(node: Any, error: Any) -> Iterator[int | str]:
    """The parts of an error's place that are in the input, and the one that is missing there."""
    end = len(error["loc"]) - 1
    for index, part in enumerate(error["loc"]):
        if index == end and error["type"] == "missing":
            yield part
        elif (isinstance(node, dict) and part in node) or (
            isinstance(node, list) and isinstance(part, int) and part < len(node)
        ):
            node = node[part]
            yield part


def _is_json(content_type: str | None) -> bool:
    media_type = (content_type or "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _escape(part: Any) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
