"""What a request carries, encoded by its media type."""

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlencode

from pydantic import TypeAdapter, ValidationError

from ..openapi.operation import Body
from ..openapi.wire import json_to_deep, json_to_texts

Adapter = Callable[[Any], TypeAdapter[Any]]


class Spelling(Protocol):
    """How a value is written as text."""

    @property
    def style(self) -> str: ...
    @property
    def explode(self) -> bool: ...


def spelled(name: str, value: Any, spelling: Spelling) -> list[tuple[str, str]]:
    """A plain JSON value as the pairs that spell it; at least one."""
    if spelling.style == "deepObject":
        return json_to_deep(name, value)
    texts = json_to_texts(value, style=spelling.style, explode=spelling.explode)
    return [(name, text) for text in texts]


def encode_body(
    body: Body, value: Any, headers: dict[str, str], adapter: Adapter
) -> dict[str, Any]:
    """httpx's options for it; the media type goes into `headers`."""
    media = _media(body, value, adapter)
    type_ = adapter(body.content[media])
    if media == "multipart/form-data":
        return _multipart(body, value)
    headers["content-type"] = media
    if media.endswith(("/json", "+json")):
        return {"content": type_.dump_json(value, by_alias=True)}
    if media == "application/x-www-form-urlencoded":
        plain = type_.dump_python(value, mode="json", by_alias=True)
        return {"content": urlencode(_pairs(body, plain)).encode()}
    headers["content-type"] = media.replace("*/*", "application/octet-stream")
    return {"content": value if isinstance(value, bytes) else value.encode()}


def _media(body: Body, value: Any, adapter: Adapter) -> str:
    """The first media type whose type the value has."""
    [*medias] = body.content
    for media in medias[:-1]:
        try:
            adapter(body.content[media]).validate_python(value, strict=True)
        except ValidationError:
            continue
        return media
    return medias[-1]


def _pairs(body: Body, plain: dict[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in plain.items():
        style = body.styles.get(name, "form")
        if style == "deepObject":
            pairs += json_to_deep(name, value)
        else:
            texts = json_to_texts(value, style=style, explode=style == "form")
            pairs += [(name, text) for text in texts]
    return pairs


def _multipart(body: Body, value: Any) -> dict[str, Any]:
    """Files as files; everything else as fields. httpx writes the boundary."""
    fields = value.model_dump(mode="python", by_alias=True)
    files: list[tuple[str, tuple[str | None, bytes]]] = []
    for name, content in fields.items():
        contents = content if isinstance(content, list) else [content]
        files += [(name, (name, one)) for one in contents if isinstance(one, bytes)]
    sent = {name for name, _ in files}
    plain = {
        name: one
        for name, one in value.model_dump(
            mode="json", by_alias=True, exclude=_python_names(value, sent)
        ).items()
        if name not in sent
    }
    files += [(name, (None, text.encode())) for name, text in _pairs(body, plain)]
    return {"files": files}


def _python_names(value: Any, names: set[str]) -> set[str]:
    """Bytes need not be UTF-8, so they must not be dumped as JSON."""
    fields = type(value).model_fields
    return {field for field, info in fields.items() if (info.alias or field) in names}
