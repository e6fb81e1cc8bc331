"""Typed calls: the operations of a contract over the outbound client."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from ..errors import DependencyUnavailable
from ..openapi.operation import Answer, Operation, media_key
from ..openapi.strict_json import read_json
from ..openapi.wire import adapter, header_reader, is_bytes
from .bodies import encode_body, spelled
from .client import Client
from .pipeline import seconds_to_wait
from .retry import retry_after

R = TypeVar("R")
B = TypeVar("B")
Options = dict[str, Any]
# A declared error's class by status, and by the type of its body where that is a union.
Errors = Mapping[str, tuple[Callable[..., Exception], Mapping[type, Callable[..., Exception]]]]


class ApiError(Exception, Generic[B]):
    """A declared error answer.

    Attributes:
        dependency: who gave it.
        status: as sent.
        body: parsed, as the contract declares it; None when there is none.
        headers: of the response, names in lower case.
        retry_after: seconds after which asking again makes sense.
    """

    def __init__(self, dependency: str, status: int, body: B, headers: Mapping[str, str]) -> None:
        Exception.__init__(self, f"{dependency}: status {status}")
        self.dependency = dependency
        self.status = status
        self.body = body
        self.headers = headers
        self.retry_after = seconds_to_wait(retry_after(headers))


class Unavailable(DependencyUnavailable):
    """What a declared 429 or 5xx is as well: this service's own caller gets 503."""


class OperationClient:
    """What the generated client stands on.

    Args:
        client: of the dependency that serves the contract.
        token: gives what goes into `Authorization` after the scheme's name (a bearer token,
            or base64 of `user:password`), or an API key; asked for at every call.
    """

    def __init__(
        self, client: Client, *, token: Callable[[], Awaitable[str]] | None = None
    ) -> None:
        self._client = client
        self._token = token
        self._known: dict[tuple[Any, int], tuple[Any, Any]] = {}

    async def _call(
        self, operation: Operation[R], errors: Errors, arguments: Mapping[str, Any]
    ) -> R:
        options = await self._request(operation, arguments)
        response = await self._client.exchange(operation.method, operation.path, **options)
        result: R = self._result(operation, errors, response)
        return result

    async def _stream(
        self,
        operation: Operation[AsyncIterator[bytes]],
        errors: Errors,
        arguments: Mapping[str, Any],
    ) -> AsyncIterator[bytes]:
        options = await self._request(operation, arguments)
        response = await self._client.exchange(
            operation.method, operation.path, stream=True, **options
        )
        try:
            if response.status_code != 200:
                await response.aread()
                self._result(operation, errors, response)
                raise self._unexpected(response)
            async for chunk in response.aiter_bytes():
                yield chunk
        except httpx.HTTPError as exc:
            raise DependencyUnavailable(self._client.dependency, f"a cut stream: {exc}") from exc
        finally:
            await response.aclose()

    async def _request(self, operation: Operation[Any], arguments: Mapping[str, Any]) -> Options:
        values: dict[str, str] = {}
        query: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        cookies: list[str] = []
        for one in operation.parameters:
            value = arguments[one.python]
            if value is None:
                continue
            pairs = spelled(one.name, self._type(one.type).dump_python(value, mode="json"), one)
            if one.location == "path":
                values[one.name] = pairs[0][1]
            elif one.location == "query":
                query += pairs
            elif one.location == "header":
                headers[one.name] = pairs[0][1]
            else:
                cookies.append(f"{one.name}={quote(pairs[0][1], safe='')}")
        await self._authorise(operation, headers, query, cookies)
        if cookies:
            headers["cookie"] = "; ".join(cookies)
        options: Options = {"values": values, "params": query or None, "headers": headers}
        if operation.body is not None and arguments["body"] is not None:
            options |= encode_body(operation.body, arguments["body"], headers, self._type)
        return options

    async def _authorise(
        self,
        operation: Operation[Any],
        headers: dict[str, str],
        query: list[tuple[str, str]],
        cookies: list[str],
    ) -> None:
        if self._token is None or not operation.security:
            return
        definition, secret = operation.security[0].scheme.definition, await self._token()
        if definition["type"] == "apiKey":
            name = definition["name"]
            if definition["in"] == "header":
                headers[name.lower()] = secret
            elif definition["in"] == "query":
                query.append((name, secret))
            else:
                cookies.append(f"{name}={secret}")
        else:
            kind = definition.get("scheme", "bearer").capitalize()
            headers["authorization"] = f"{kind} {secret}"

    def _result(self, operation: Operation[Any], errors: Errors, response: httpx.Response) -> Any:
        status = response.status_code
        key = operation.answer_key(status)
        if key is None:
            raise self._unexpected(response)
        answer = operation.answers[key]
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            body = self._body(answer, media, response)
            if key in errors:
                raise self._error(errors[key], body, response)
            return self._success(answer, media, body, response)
        except ValidationError as exc:
            raise self._unexpected(response) from exc

    def _body(self, answer: Answer, media: str, response: httpx.Response) -> Any:
        if not answer.content:
            return None
        declared = media_key(answer.content, media)
        if declared is None:
            raise self._unexpected(response)
        type_ = self._type(answer.content[declared])
        if media.endswith(("/json", "+json")):
            return read_json(type_, response.content)
        raw = self._made(is_bytes, type_)
        return type_.validate_python(response.content if raw else response.text)

    def _error(
        self,
        declared: tuple[Callable[..., Exception], Mapping[type, Callable[..., Exception]]],
        body: Any,
        response: httpx.Response,
    ) -> Exception:
        general, variants = declared
        status = response.status_code
        raised = variants.get(type(body), general)
        error = raised(self._client.dependency, status, body, response.headers)
        if (status >= 500 or status == 429) and not isinstance(error, DependencyUnavailable):
            unavailable = DependencyUnavailable(
                self._client.dependency,
                f"status {status}",
                retry_after=seconds_to_wait(retry_after(response.headers)),
            )
            unavailable.__cause__ = error
            return unavailable
        return error

    def _success(self, answer: Answer, media: str, body: Any, response: httpx.Response) -> Any:
        if not answer.results:
            return body
        declared = media_key(answer.content, media)
        fitting = [one for one in answer.results if one.media in (None, declared)]
        fields: dict[str, Any] = {}
        for header in answer.headers:
            text = response.headers.get(header.name)
            if text is not None:
                fields[header.python] = self._made(header_reader, header.type)(text)
            elif header.required:
                raise self._unexpected(response)
        if answer.content:
            fields["body"] = body
        if not hasattr(fitting[0], "status") or not isinstance(fitting[0].status, int):
            fields["status"] = response.status_code
        return fitting[0](**fields)

    def _unexpected(self, response: httpx.Response) -> DependencyUnavailable:
        reason = f"an answer that its contract does not declare, status {response.status_code}"
        return DependencyUnavailable(
            self._client.dependency,
            reason,
            retry_after=seconds_to_wait(retry_after(response.headers)),
        )

    def _type(self, type_: Any) -> Any:
        return self._made(adapter, type_)

    def _made(self, make: Callable[[Any], Any], of: Any) -> Any:
        """What `make` makes of it, once: that costs a hundred times what using it does."""
        known = self._known.get((make, id(of)))
        if known is None:
            known = self._known[make, id(of)] = make(of), of  # kept, and so its id
        return known[0]
