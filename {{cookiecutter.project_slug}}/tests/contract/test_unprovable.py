"""What datamodel-code-generator or pydantic lose silently is found when the package is proved."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.contract.document import Refusal
from tools.contract.prove import prove

from .contracts import (
    INTEGER,
    NUMBER,
    STRING,
    Json,
    array,
    generated,
    obj,
    ref,
    rendered,
    understood,
    with_answers,
    with_schemas,
)

# By the keyword that is lost.
LOST: dict[str, tuple[Json, str]] = {
    "MinProperties": (obj({"a": STRING}, minProperties=1), "/minProperties"),
    "MaxProperties": (obj({"a": STRING}, maxProperties=1), "/maxProperties"),
    "DatedPattern": ({"type": "string", "format": "date-time", "pattern": "^2"}, "/pattern"),
    "DatedLength": ({"type": "string", "format": "date", "minLength": 3}, "/minLength"),
    "UuidLength": ({"type": "string", "format": "uuid", "maxLength": 3}, "/maxLength"),
    "DatedInteger": ({"type": "integer", "format": "date-time"}, "/format"),
    "HalfMultiple": (INTEGER | {"multipleOf": 2.5}, "/multipleOf"),
    "HalfBound": (INTEGER | {"minimum": 0.5}, "/minimum"),
    "Untyped": ({"minLength": 3}, "/minLength"),
    "FloatConst": ({"const": 1.5}, "/enum"),
    "Mixed": ({"enum": ["a", 1, True]}, ""),
    "LongS": (obj({"s": STRING, "\u017f": INTEGER}), "/properties/\u017f"),
    "ClosedInside": (obj({"a": obj({}, additionalProperties=False)}), "/properties/a/additionalP"),
    "OnlyItself": (array(ref("OnlyItself")), "/items"),
    "MergedUnion": ({"allOf": [{"anyOf": [STRING, INTEGER]}, {"maxLength": 3}]}, "/maxLength"),
    "Defaulted": (obj({"a": ref("Three")}), "/properties/a"),
    "Three": (INTEGER | {"default": 3}, ""),
}


def test_each_difference_is_found_at_its_place(tmp_path: Path) -> None:
    schemas: Json = {name: schema for name, (schema, _) in LOST.items()}
    found = generated(with_schemas(**schemas), tmp_path)
    for name, (_, pointer) in LOST.items():
        if name != "Three":
            where = f"/paths/~1{name}/post/requestBody/content/application~1json/schema{pointer}"
            assert [line for line in found if line.startswith(where)], name


def test_a_package_that_differs_is_refused(tmp_path: Path) -> None:
    kept, changed = with_schemas(X=obj({"a": STRING})), with_schemas(X=obj({"a": INTEGER}))
    assert generated(kept, tmp_path) == []
    with pytest.raises(Refusal, match=r"cannot be expressed: 'integer' .* 'string'") as refusal:
        prove(understood(changed), tmp_path, "generated.contract")
    assert refusal.value.pointer.endswith("/schema/properties/a/type")
    (tmp_path / "generated" / "contract" / "api.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(Refusal, match="does not load: ModuleNotFoundError"):
        prove(understood(kept), tmp_path, "generated.contract")


DATE = {"type": "string", "format": "date"}
CLASS = obj({"a": STRING})
DEFAULTS: list[tuple[Json, Any]] = [
    (DATE, "2020-01-01"),
    ({"anyOf": [DATE, INTEGER]}, "2020-01-01"),
    (STRING | {"format": "binary"}, "a"),
    (array(DATE), ["2020-01-01"]),
    (CLASS, {}),
    (array(CLASS), [{}]),
    ({"type": "object", "additionalProperties": CLASS}, {"k": {}}),
    (array({"type": "string", "enum": ["a", "b"]}), ["a"]),
]


@pytest.mark.parametrize(("schema", "default"), DEFAULTS)
def test_defaults_that_nothing_would_convert(schema: Json, default: Any, tmp_path: Path) -> None:
    contract = with_schemas(X=obj({"a": schema | {"default": default}}))
    with pytest.raises(Refusal, match="more than its JSON") as refusal:
        rendered(contract, tmp_path)
    assert refusal.value.pointer == "/components/schemas/X/properties/a/default"
    understood(json.loads(json.dumps(contract)))  # a service that is compared may have them


def test_values_that_are_never_valid_are_left_out_and_named() -> None:
    contract = understood(
        with_schemas(
            A={"type": "integer", "enum": [1, 2, 30], "maximum": 5},
            B={"type": "string", "enum": ["a", None, 1, "abc"], "maxLength": 2},
            C={"type": "number", "enum": [1, 2, 1]},
        )
    )
    chosen = {name: schema["enum"] for name, schema in contract.schemas.components.items()}
    assert chosen == {"A": [1, 2], "B": ["a"], "C": [1, 2]}
    assert contract.schemas.notices == [
        "/components/schemas/A/enum: 30 is never valid",
        *(f"/components/schemas/B/enum: {value!r} is never valid" for value in (None, 1, "abc")),
    ]


def test_null_in_two_variants_is_valid_and_said() -> None:
    either = {"oneOf": [{"type": ["string", "null"]}, {"type": ["integer", "null"]}]}
    contract = understood(with_answers({"200": {"description": "", "content": {}}}))
    assert contract.schemas.notices == []
    contract = understood(with_schemas(X=either, Y=array(NUMBER)))
    [notice] = contract.schemas.notices
    assert notice.startswith("/components/schemas/X/oneOf: null")
