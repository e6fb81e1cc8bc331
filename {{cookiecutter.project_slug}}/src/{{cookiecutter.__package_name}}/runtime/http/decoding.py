"""From a request to the arguments of its handler, by the operation's declared types.

Everything is worked out once, when the router is built. What does not match is refused as a
`RequestValidationError`, with the place of each error.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope

from ..openapi.operation import Body, Operation, Parameter
from ..openapi.strict_json import read_json
from ..openapi.wire import adapter, deep_to_json, is_bytes, schema_of, text_to_json
from .forms import FormReader
from .problems import located

Pairs = Sequence[tuple[str, str]]
Errors = list[dict[str, Any]]
ReadBody = Callable[[Scope, bytes], Awaitable[Any]]


class Decoder:
    """The arguments of one operation's handler."""

    def __init__(self, operation: Operation[Any]) -> None:
        self._by_place = {
            place: [_reader(one) for one in operation.parameters if one.location == place]
            for place in ("path", "query", "header", "cookie")
        }
        self._body = _BodyReader(operation.body) if operation.body is not None else None
        self.is_empty = not operation.parameters and operation.body is None

    async def decode(
        self, scope: Scope, receive: Receive, path: Mapping[str, str]
    ) -> dict[str, Any]:
        """Raises `RequestValidationError`, and `HTTPException` for a body that is no such thing."""
        values: dict[str, Any] = {}
        errors: Errors = []
        places = self._by_place
        if places["path"]:
            _read(places["path"], list(path.items()), values, errors)
        if places["query"]:
            query = scope["query_string"]
            pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else []
            _read(places["query"], pairs, values, errors)
        if places["header"]:
            headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
            _read(places["header"], headers, values, errors)
        if places["cookie"]:
            _read(places["cookie"], _cookies(scope), values, errors)
        if self._body is not None:
            await self._body.read(scope, receive, values, errors)
        if errors:
            raise RequestValidationError(errors)
        return values


def _cookies(scope: Scope) -> Pairs:
    """Percent-encoded, as OpenAPI spells a form; a cookie has no other way to hold a `;`."""
    sent = b";".join(value for name, value in scope["headers"] if name == b"cookie")
    pairs = [pair.partition("=") for pair in sent.decode("latin-1").split(";")]
    return [(name.strip(), unquote(text.strip().strip('"'))) for name, _, text in pairs]


def _read(
    readers: Sequence["_Reader"], pairs: Pairs, values: dict[str, Any], errors: Errors
) -> None:
    for reader in readers:
        text = reader.text(pairs)
        if text is not None:
            try:
                values[reader.python] = reader.validate(
                    text, strict=True, by_alias=True, by_name=False
                )
            except ValidationError as exc:
                errors += located(exc, reader.loc, text)
        elif reader.required:
            errors.append(_missing(*reader.loc))
        else:
            values[reader.python] = reader.default


def _missing(*loc: str) -> dict[str, Any]:
    return {"type": "missing", "loc": loc, "msg": "Field required", "input": None}


class _Reader:
    __slots__ = ("default", "loc", "python", "required", "text", "validate")

    def __init__(
        self,
        parameter: Parameter,
        text: Callable[[Pairs], bytes | None],
        validate: Callable[..., Any],
    ) -> None:
        self.python = parameter.python
        self.required = parameter.required
        default = parameter.default
        self.default = None if default is None else validate(orjson.dumps(default), strict=True)
        self.loc = (parameter.location, parameter.name)
        self.text = text
        self.validate = validate


def _reader(parameter: Parameter) -> _Reader:
    type_ = adapter(parameter.type)
    schema = schema_of(type_)
    defs = schema.get("$defs", {})
    if parameter.style == "deepObject":
        text = deep_to_json(parameter.name, schema, defs)
    else:
        text = _by_name(
            parameter.name,
            text_to_json(schema, defs, style=parameter.style, explode=parameter.explode),
        )
    return _Reader(parameter, text, type_.validate_json)


def _by_name(
    name: str, convert: Callable[[Sequence[str]], bytes]
) -> Callable[[Pairs], bytes | None]:
    def text(pairs: Pairs) -> bytes | None:
        found = [value for key, value in pairs if key == name]
        return convert(found) if found else None

    return text


class _BodyReader:
    """Reads the body whole and decodes it by its media type."""

    def __init__(self, body: Body) -> None:
        self._required = body.required
        self._by_media = {media: _decoder(media, body) for media in body.content}
        self._takes = ", ".join(body.content)

    async def read(
        self, scope: Scope, receive: Receive, values: dict[str, Any], errors: Errors
    ) -> None:
        data = await _whole(receive)
        sent = next((v for k, v in scope["headers"] if k == b"content-type"), b"").decode("latin-1")
        if not data and not (sent and self._required and self._raw(sent)):
            if self._required:
                errors.append(_missing("body"))
            else:
                values["body"] = None
            return
        decode = self._for(sent)
        if decode is None:
            raise HTTPException(415, f"This route takes {self._takes}.")
        try:
            values["body"] = await decode(scope, data)
        except ValidationError as exc:
            errors += located(exc, ("body",), data)
        except RequestValidationError as exc:  # of a form, which is no JSON
            errors += exc.errors()

    def _for(self, sent: str) -> ReadBody | None:
        media = sent.partition(";")[0].strip().lower()
        by_media = self._by_media
        found = by_media.get(media) or by_media.get(f"{media.partition('/')[0]}/*")
        return found or by_media.get("*/*")

    def _raw(self, sent: str) -> bool:
        """Whether no bytes are a body all the same: of text and of files they are."""
        media = sent.partition(";")[0].strip().lower()
        return not (media.endswith("json") or "form" in media) and self._for(sent) is not None


async def _whole(receive: Receive) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        return body
    parts = []
    while True:
        if message["type"] == "http.disconnect":
            # Its caller is gone; what matters is that it is no failure of ours.
            raise HTTPException(400, "The body did not arrive whole.")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()


def _decoder(media: str, body: Body) -> ReadBody:
    type_ = adapter(body.content[media])
    if media.endswith(("/json", "+json")):

        async def read(_: Scope, data: bytes) -> Any:
            return read_json(type_, data)

        return read
    if media in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return FormReader(type_, body.styles).read

    async def read_text(_: Scope, data: bytes) -> Any:
        try:
            return type_.validate_python(data.decode())
        except UnicodeDecodeError:
            raise HTTPException(400, "The body is not UTF-8.") from None

    async def read_bytes(_: Scope, data: bytes) -> Any:
        return type_.validate_python(data)

    return read_bytes if is_bytes(type_) else read_text
