"""Forms, urlencoded or multipart, as JSON: each field by its own type, files as bytes."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Scope

from ..openapi.wire import deep_to_json, files, schema_of, text_to_json
from .problems import located

Pairs = Sequence[tuple[str, str]]
_ANY: TypeAdapter[Any] = TypeAdapter(Any)


class FormReader:
    """Reads a form into the object that the type describes."""

    def __init__(self, type_: TypeAdapter[Any], styles: Mapping[str, str]) -> None:
        schema = schema_of(type_)
        defs = schema.get("$defs", {})
        target = defs[schema["$ref"]] if "$ref" in schema else schema
        properties = target.get("properties", {})
        extra = target.get("additionalProperties")
        self._type = type_
        self._json = {name for name, style in styles.items() if style == "json"}
        self._plain: dict[str, Callable[[Sequence[str]], bytes]] = {}
        self._deep: dict[str, Callable[[Pairs], bytes | None]] = {}
        for name, node in properties.items():
            if styles.get(name) == "deepObject":
                self._deep[name] = deep_to_json(name, node, defs)
            else:
                style = styles.get(name, "form")
                self._plain[name] = text_to_json(node, defs, style=style, explode=style == "form")
        self._deep_names = {name.removesuffix("[]") for name in self._deep}
        self._files = {
            name: kind for name, node in properties.items() if (kind := files(node, defs))
        }
        additional = extra if isinstance(extra, dict) else {}
        self._other = text_to_json(additional, defs, style="form", explode=True)

    async def read(self, scope: Scope, data: bytes) -> Any:
        """Raises `RequestValidationError`, and `HTTPException` for what is no form at all."""
        pairs: list[tuple[str, str]] = []
        contents: dict[str, list[bytes]] = {}
        try:
            for name, content in await _fields(scope, data):
                if name in self._files:
                    contents.setdefault(name, []).append(content)
                else:
                    pairs.append((name, content.decode()))
        except UnicodeError:
            raise HTTPException(400, "The form is not UTF-8.") from None
        members = self._texts(pairs)
        # JSON has no bytes: a text of the same length stands for a file until it is put back.
        for name, parts in contents.items():
            stand_ins = ["x" * len(part) for part in parts]
            members[name] = orjson.dumps(self._one_or_all(name, stand_ins))
        body = _validated(self._type, members)
        for field, info in type(body).model_fields.items():
            name = info.alias or field
            if name in contents:
                setattr(body, field, self._one_or_all(name, contents[name]))
        return body

    def _texts(self, pairs: Pairs) -> dict[str, bytes]:
        texts: dict[str, list[str]] = {}
        for name, text in pairs:
            if name in self._plain or name.partition("[")[0] not in self._deep_names:
                texts.setdefault(name, []).append(text)
        members: dict[str, bytes] = {}
        for name, found in texts.items():
            members[name] = self._plain.get(name, self._other)(found)
            if name in self._json:
                _check_json(name, members[name])
        for name, convert in self._deep.items():
            if (member := convert(pairs)) is not None:
                members[name] = member
        return members

    def _one_or_all(self, name: str, parts: Sequence[Any]) -> Any:
        return parts if self._files[name] == "list" else parts[-1]


def _check_json(name: str, text: bytes) -> None:
    """Before it stands beside other members: it must not spell more than its own."""
    try:
        _ANY.validate_json(text)
    except ValidationError as exc:
        raise RequestValidationError(located(exc, ("body", name), text)) from None


def _validated(type_: TypeAdapter[Any], members: Mapping[str, bytes]) -> Any:
    inside = b",".join([orjson.dumps(name) + b":" + text for name, text in members.items()])
    body = b"{" + inside + b"}"
    try:
        return type_.validate_json(body, strict=True, by_alias=True, by_name=False)
    except ValidationError as exc:
        raise RequestValidationError(located(exc, ("body",), body)) from None


class _Parser(MultiPartParser):
    ended = False

    def on_end(self) -> None:
        self.ended = True


async def _fields(scope: Scope, data: bytes) -> list[tuple[str, bytes]]:
    """Names and contents, taken as Latin-1 on the way, which keeps every byte as it was sent."""
    sent = Headers(scope=scope)["content-type"]
    if not sent.lower().startswith("multipart/"):
        pairs = parse_qsl(data.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        return [_as_sent(name, text) for name, text in pairs]

    async def once() -> AsyncGenerator[bytes]:
        yield data

    # The last one counts: a charset of the caller's choice may decode to anything, or never.
    headers = Headers({"content-type": f"{sent}; charset=latin-1"})
    parser = _Parser(headers, once(), max_part_size=len(data) + 1)
    try:
        form = await parser.parse()
    except MultiPartException:
        raise HTTPException(400, "The body is not a multipart form.") from None
    try:
        if not parser.ended:
            raise HTTPException(400, "The multipart form has no end.")
        return [
            (name.encode("latin-1").decode(), await value.read())
            if isinstance(value, UploadFile)
            else _as_sent(name, value)
            for name, value in form.multi_items()
        ]
    finally:
        await form.close()


def _as_sent(name: str, text: str) -> tuple[str, bytes]:
    return name.encode("latin-1").decode(), text.encode("latin-1")
