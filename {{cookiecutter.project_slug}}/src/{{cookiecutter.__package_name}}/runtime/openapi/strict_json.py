"""JSON read strictly, by the letter of JSON Schema where pydantic has another reading."""

import re
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

# Floats up to here are the integers that they look like.
EXACT = 2**53
_WHOLE_FLOAT = re.compile(rb"\d\.0|\d[eE]")
_NO_NUMBERS = (b"NaN", b"Infinity")


def read_json(type_: TypeAdapter[Any], data: bytes) -> Any:
    """From JSON text to a value of the type: nothing is converted, names are the contract's.

    Two things differ from pydantic. `2.0` is an integer; a second look that costs only what
    was going to be refused finds it. And NaN is no JSON, also where any value is taken.

    Raises:
        ValidationError: the text is not JSON, or not of the type.
    """
    for word in _NO_NUMBERS:
        if word in data:
            _refuse_what_is_not_json(data)
    try:
        return type_.validate_json(data, strict=True, by_alias=True, by_name=False)
    except ValidationError:
        if _WHOLE_FLOAT.search(data) is None:
            raise
        try:
            again = orjson.dumps(_integers(orjson.loads(data)))
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            again = data
    return type_.validate_json(again, strict=True, by_alias=True, by_name=False)


def _refuse_what_is_not_json(data: bytes) -> None:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        error = PydanticCustomError("json_invalid", "{error}", {"error": str(exc)})
        raise ValidationError.from_exception_data(
            "JSON", [{"type": error, "loc": (), "input": None}]
        ) from None


def _integers(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _integers(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_integers(value) for value in node]
    if isinstance(node, float) and node.is_integer() and abs(node) <= EXACT:
        return int(node)
    return node
