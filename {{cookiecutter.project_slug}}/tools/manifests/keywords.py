"""JSON Schema as Kubernetes writes it: its own keywords and formats, and messages for people."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.protocols import Validator

LIMIT = 240  # characters of a message: it may quote a whole object
FORMATS = FormatChecker(("date-time", "ipv4", "ipv6"))


@FORMATS.checks("int32")
def _int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@FORMATS.checks("int64")
def _int64(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _list_keys(
    _validator: Validator, keys: list[str], value: object, _schema: object
) -> Iterator[jsonschema.ValidationError]:
    """A list that is a map may hold each key once."""
    if not isinstance(value, list):
        return
    seen = set()
    for index, item in enumerate(value):
        if isinstance(item, Mapping):
            key = tuple(str(item.get(name)) for name in keys)
            if key in seen:
                named = ", ".join(f"{name}: {item.get(name)}" for name in keys)
                yield jsonschema.ValidationError(f"a second one with {named}", path=[index])
            seen.add(key)


def _list_type(
    _validator: Validator, kind: str, value: object, _schema: object
) -> Iterator[jsonschema.ValidationError]:
    """A list that is a set may hold each value once."""
    if kind == "set" and isinstance(value, list):
        for index, item in enumerate(value):
            if item in value[:index]:
                yield jsonschema.ValidationError(f"a second {item!r}", path=[index])


KubernetesValidator = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"x-kubernetes-list-map-keys": _list_keys, "x-kubernetes-list-type": _list_type},
)


def without_nulls(value: Any) -> Any:
    """A field that is null is not there, for Kubernetes' own kinds."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def place(path: Iterable[str | int]) -> str:
    """`spec.containers[0].image`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w$-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text or "the object"


def described(error: jsonschema.ValidationError) -> Iterator[tuple[str, str]]:
    """Yield what is wrong: a rule's name, and one line with the place of the mistake."""
    if error.validator == "additionalProperties" and error.validator_value is False:
        known = list(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
        assert isinstance(error.instance, Mapping)
        for name in error.instance:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; `{near[0]}` is one" if near else ""
                yield "unknown-field", f"there is no field {place([*error.path, name])}{hint}"
    elif error.validator in {"anyOf", "oneOf"} and error.context:
        # The branch that came furthest is the one that was meant.
        yield from described(max(error.context, key=lambda one: len(one.path)))
    else:
        message = error.message
        if len(message) > LIMIT:
            message = f"{message[: LIMIT // 2]} ... {message[-LIMIT // 2 :]}"
        yield "wrong-value", f"{place(error.absolute_path)}: {message}"
