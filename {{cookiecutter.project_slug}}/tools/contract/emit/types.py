"""Schemas as Python types: plain ones in place, all others as a class or alias of `models`."""

from ..contract import Operation, is_form, is_json
from ..document import Json
from ..naming import pascal
from ..schemas import Schemas
from ..spelling import NOTES

PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class Types:
    """Type expressions; an inline schema that has none gets a name in `models`."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def of(self, schema: Json, name: str, pointer: str) -> str:
        """The type of a prepared schema; `name` is what it would be called."""
        plain = _plain(schema)
        if plain is not None:
            return plain
        bare = {key: value for key, value in schema.items() if key != "default"}
        reference = self._schemas.adopt(bare, name, pointer)
        return _plain(reference) or ""

    def body(self, media: str, schema: Json, name: str, pointer: str) -> str:
        """The type of a body: JSON and forms by their schema, text as str, all else as bytes."""
        if is_json(media) or is_form(media):
            return self.of(schema, name, pointer)
        target = self._schemas.resolve(schema)
        if media.startswith("text/") and target.get("type", "string") == "string":
            return self.of(schema or {"type": "string"}, name, pointer)
        return "bytes"


def _plain(schema: Json) -> str | None:
    if "$ref" in schema:
        return f"models.{schema['$ref'].rpartition('/')[2]}"
    said = {key: value for key, value in schema.items() if key not in NOTES}
    kind = said.get("type")
    if not said:
        return "Any"
    if said.keys() == {"type"} and isinstance(kind, str) and kind in PLAIN:
        return PLAIN[kind]
    if said.keys() == {"type"} and isinstance(kind, list) and set(kind) <= set(PLAIN):
        rest = [PLAIN[one] for one in kind if one != "null"]
        return " | ".join([*rest, *(["None"] if "null" in kind else [])])
    if said.keys() == {"type", "items"} and kind == "array":
        items = _plain(said["items"])
        return f"list[{items}]" if items is not None else None
    if said == {"type": "object", "additionalProperties": True}:
        return "dict[str, Any]"
    return None


def class_name(operation: Operation) -> str:
    """The stem of whatever is named after an operation."""
    return pascal(operation.id)
