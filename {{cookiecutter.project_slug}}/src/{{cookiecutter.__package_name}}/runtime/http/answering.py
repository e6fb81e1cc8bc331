"""From what a handler returns to the bytes that are sent, by the operation's declared answers."""

from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import typing_extensions
from pydantic import BaseModel, ValidationError

from ..openapi.operation import Answer, Operation, Result, media_key
from ..openapi.strict_json import read_json
from ..openapi.wire import adapter, header_reader, is_bytes, json_to_texts
from .problems import HEADER_BREAK, Problem

RawHeaders = list[tuple[bytes, bytes]]
Encode = Callable[[Any], bytes]


class ContractViolated(Exception):
    """The service was about to send what its contract does not declare."""


class Reply(NamedTuple):
    """A response, ready to be sent."""

    status: int
    headers: RawHeaders
    body: bytes


def encoder(media: str | None, type_: Any) -> Encode:
    """The bytes of a body. What is not of the declared type is an error, not a warning."""
    if media is None:
        return _nothing
    if media.endswith(("/json", "+json")):
        return _json_encoder(type_)
    if is_bytes(adapter(type_)):
        return lambda value: value if isinstance(value, bytes) else _refuse(value, "bytes")
    return lambda value: value.encode() if isinstance(value, str) else _refuse(value, "str")


def _nothing(value: Any) -> bytes:
    return b"" if value is None else _refuse(value, "nothing")


def _refuse(value: Any, declared: str) -> bytes:
    raise ContractViolated(f"{type(value).__name__} where {declared} is declared")


def _json_encoder(type_: Any) -> Encode:
    """Two things pydantic sends without a warning: None, and any object in a model's place."""
    type_adapter = adapter(type_)
    serialise = type_adapter.serializer.to_json
    models, name = _models(type_), getattr(type_, "__name__", str(type_))
    expected = models[0] if len(models) == 1 else models

    def model(value: Any) -> bytes:
        if not isinstance(value, expected):
            return _refuse(value, name)
        return serialise(value, by_alias=True, warnings="error")

    def other(value: Any) -> bytes:
        if value is None and not nullable:
            return _refuse(value, name)
        return serialise(value, by_alias=True, warnings="error")

    try:
        nullable = type_adapter.validate_json(b"null", strict=True) is None
    except ValidationError:
        nullable = False
    return model if models else other


def _models(type_: Any) -> tuple[type, ...]:
    """The models that a type is a choice of; empty when it is something else."""
    if isinstance(type_, typing_extensions.TypeAliasType):
        return _models(type_.__value__)
    if get_origin(type_) is Annotated:
        return _models(get_args(type_)[0])
    if get_origin(type_) in (Union, UnionType):
        parts = [_models(one) for one in get_args(type_)]
        return tuple(model for part in parts for model in part) if all(parts) else ()
    known = isinstance(type_, type) and issubclass(type_, BaseModel | NoneType)
    return (type_,) if known else ()


class _Case:
    """One way to answer: a status, a media type and the headers that go with it."""

    def __init__(self, answer: Answer, media: str | None) -> None:
        self.media = media
        self.encode = encoder(media, answer.content[media] if media else None)
        self.headers = [(header, adapter(header.type)) for header in answer.headers]
        self._type = [(b"content-type", _content_type(media))] if media else []

    def reply(self, status: int, body: Any, result: Any) -> Reply:
        data = self.encode(body)
        headers = [*self._type]
        if status >= 200 and status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(data)))
        for header, type_ in self.headers:
            value = getattr(result, header.python)
            if value is not None:
                [text] = json_to_texts(
                    type_.dump_python(value, mode="json", warnings="error"),
                    style="simple",
                    explode=False,
                )
                headers.append((header.name.encode(), _header_text(header.name, text)))
        return Reply(status, headers, data)


def _content_type(media: str) -> bytes:
    if media == "*/*":
        return b"application/octet-stream"
    return f"{media}; charset=utf-8".encode() if media.startswith("text/") else media.encode()


def _header_text(name: str, text: str) -> bytes:
    if HEADER_BREAK.search(text):
        raise ContractViolated(f"a line break or NUL in the header {name}")
    return text.encode("latin-1")


class Answering:
    """Answers one operation."""

    def __init__(self, operation: Operation[Any]) -> None:
        self._plain: tuple[int, _Case] | None = None
        self.stream_media: str | None = None
        self._by_class: dict[type[Result], _Case] = {}
        for status, answer in operation.answers.items():
            for result in answer.results:
                self._by_class[result] = _Case(answer, result.media)
            if not answer.results and status[0] in "23":
                media = next(iter(answer.content), None)
                self._plain = int(status), _Case(answer, media)
                self.stream_media = media

    def reply(self, result: Any) -> Reply:
        """Raises `ContractViolated` for something that the contract does not declare."""
        case = self._by_class.get(type(result))
        if case is not None:
            return case.reply(result.status, getattr(result, "body", None), result)
        if self._plain is None:
            raise ContractViolated(f"{type(result).__name__} is none of the declared results")
        status, plain = self._plain
        return plain.reply(status, result, None)


class Check:
    """Holds what is sent to the contract: for tests and development, it doubles the work."""

    def __init__(self, operation: Operation[Any]) -> None:
        self._operation = operation
        self._types = {
            key: {media: adapter(type_) for media, type_ in answer.content.items()}
            for key, answer in operation.answers.items()
        }
        self._headers = {
            key: [(header, header_reader(header.type)) for header in answer.headers]
            for key, answer in operation.answers.items()
        }

    def reply(self, reply: Reply) -> None:
        """Raises `ContractViolated`, saying what differs."""
        operation = self._operation
        key = operation.answer_key(reply.status)
        where = f"{operation.method} {operation.path}, status {reply.status}"
        if key is None:
            raise ContractViolated(f"{where}: not declared")
        sent = {name.decode().lower(): value.decode("latin-1") for name, value in reply.headers}
        media = sent.get("content-type", "").partition(";")[0]
        declared = media_key(self._types[key], media)
        if (reply.body or media) and declared is None:
            raise ContractViolated(f"{where}: media type {media or 'none'} is not declared")
        try:
            type_ = self._types[key][declared] if declared else None
            if type_ and media.endswith(("/json", "+json")):
                read_json(type_, reply.body)
            elif type_ and not is_bytes(type_):
                type_.validate_python(reply.body.decode())
            for header, read in self._headers[key]:
                if header.name in sent:
                    read(sent[header.name])
                elif header.required:
                    raise ContractViolated(f"{where}: without the header {header.name}")
        except ValidationError as exc:
            [error, *_] = exc.errors(include_url=False, include_input=False)
            place = "/".join(str(part) for part in error["loc"])
            raise ContractViolated(f"{where}: /{place}: {error['msg']}") from exc

    def problem(self, problem: Problem) -> None:
        """A problem that a handler raised is an answer like the others."""
        headers: Sequence[tuple[str, str]] = list(problem.headers.items())
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        media = (b"content-type", b"application/problem+json")
        self.reply(Reply(problem.status, [media, *raw], problem.body()))
