"""What is kept in memory of what came from outside is bounded, and says where it was cut."""

from typing import Any

import orjson

NAME = 100  # characters of a field's name


def excerpt(text: str, characters: int) -> str:
    """A text of at most about so many characters, that JSON can hold."""
    if len(text) > characters:
        text = _ends(text, characters)
    return text.encode("utf-8", "replace").decode()  # a lone surrogate


def shortened(line: bytes, limit: int) -> bytes:
    """A line of JSON, an object, cut to at most `limit` bytes: still an object, with `cut`.

    Long values lose their middle: an exception says at its end what it is. Fields for which
    there is no room then are left out, the last ones.
    """
    if len(line) <= limit:
        return line
    fields = fields_of(line)
    room = limit - 100  # for the mark and the braces
    kept: dict[str, Any] = {}
    left_out = 0
    for name, value in fields.items():
        short, most = name[:NAME], min(room - len(name[:NAME]) * 6 - 4, limit // 2)
        fitting = _fitting(value, most) if most > 0 else None
        if fitting is None:
            left_out += 1
            continue
        kept[short] = fitting
        room -= len(orjson.dumps({short: fitting}))
    return orjson.dumps({**kept, "cut": {"bytes": len(line), "fields_left_out": left_out}})


def fields_of(line: bytes) -> dict[str, Any]:
    """What a line says; a line of another form is the text of an event."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        fields = line.decode("utf-8", "replace")
    return fields if isinstance(fields, dict) else {"event": fields}


def _fitting(value: Any, most: int) -> Any:
    """The value, or as much of it as `most` bytes of JSON hold; None if that is nothing."""
    written = orjson.dumps(value)
    if len(written) <= most:
        return value
    text = value if isinstance(value, str) else written.decode()
    characters = most
    while characters >= 40:
        cut = _ends(text, characters)
        if len(orjson.dumps(cut)) <= most:  # some characters are six bytes there
            return cut
        characters //= 2
    return None


def _ends(text: str, characters: int) -> str:
    start = characters // 3
    end = characters - start
    return f"{text[:start]} [... {len(text) - characters} characters ...] {text[-end:]}"
