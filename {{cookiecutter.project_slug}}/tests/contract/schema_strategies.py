"""Random schemas, mutations of them, and values that have a chance to be valid."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Schema = Any
Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMES = ("a", "b", "c")
REF = "#/components/schemas/"
SCALARS = st.sampled_from([None, True, False, 0, 1, 2, 1.0, 1.5, -3, "", "x", "xy", "yyy"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "z"]), inner)
    ),
    max_leaves=6,
)
_SMALL = st.integers(-3, 4)
_SIZE = st.integers(0, 3)


def _some(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


KEYWORDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "boolean": {},
    "null": {},
    "integer": {
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _SMALL),
        "multipleOf": st.integers(1, 4),
    },
    "number": {
        "minimum": _SMALL | st.just(0.5),
        "exclusiveMaximum": _SMALL | st.just(1.5),
        "multipleOf": st.integers(1, 4),
    },
    "string": {
        "minLength": _SIZE,
        "maxLength": _SIZE,
        "pattern": st.sampled_from(["x", "^y"]),
    },
}


def leaves() -> st.SearchStrategy[Schema]:
    typed = st.sampled_from(sorted(KEYWORDS)).flatmap(
        lambda name: _some(**KEYWORDS[name]).map(lambda rest: {"type": name, **rest})
    )
    enums = st.lists(VALUES, min_size=1, max_size=3).map(lambda values: {"enum": values})
    loose = _some(**KEYWORDS["string"], **KEYWORDS["number"])
    return typed | enums | loose | st.booleans()


_PARTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "array": {
        "items": leaves(),
        "minItems": _SIZE,
        "maxItems": _SIZE,
        "uniqueItems": st.just(True),
    },
    "object": {
        "additionalProperties": st.just(False) | leaves(),
        "minProperties": _SIZE,
        "maxProperties": _SIZE,
    },
}


def _grown(inner: st.SearchStrategy[Schema], refs: tuple[str, ...]) -> st.SearchStrategy[Schema]:
    # Below a property or an item, a reference may lead back up: the value gets smaller there.
    below = inner | st.sampled_from(refs).map(lambda name: {"$ref": REF + name}) if refs else inner
    objects = _some(
        properties=st.dictionaries(st.sampled_from(NAMES), below),
        required=st.lists(st.sampled_from(NAMES), unique=True).map(sorted),
        additionalProperties=st.just(False) | below,
        minProperties=_SIZE,
        maxProperties=_SIZE,
    ).map(lambda rest: {"type": "object", **rest})
    arrays = _some(items=below, minItems=_SIZE, maxItems=_SIZE, uniqueItems=st.just(True))
    variants = st.lists(inner, min_size=1, max_size=3)
    tagged = st.lists(inner, min_size=2, max_size=3).map(
        lambda parts: {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"a": {"enum": [index]}, "b": part},
                    "required": ["a"],
                }
                for index, part in enumerate(parts)
            ]
        }
    )
    return (
        objects
        | arrays.map(lambda rest: {"type": "array", **rest})
        | variants.map(lambda them: {"anyOf": them})
        | variants.map(lambda them: {"oneOf": them})
        | tagged
        | st.tuples(objects, variants).map(lambda both: {**both[0], "anyOf": both[1]})
    )


def schemas(refs: tuple[str, ...] = ()) -> st.SearchStrategy[Schema]:
    return st.recursive(leaves(), lambda inner: _grown(inner, refs), max_leaves=6)


def mutated(draw: Draw, schema: Schema) -> Schema:
    """The schema with about one place changed, for better or worse."""
    choice = draw(st.integers(0, 9))
    if choice == 0 or isinstance(schema, bool):
        return draw(schemas())
    if "$ref" in schema:
        return schema
    if choice == 1:
        return {"anyOf": [schema, draw(leaves())]}
    if choice == 2 and len(schema) > 1:
        return {name: schema[name] for name in list(schema)[1:]}
    name = draw(st.sampled_from(sorted(schema))) if schema else ""
    options = {**KEYWORDS, **_PARTS}.get(schema.get("type", ""), {})
    if choice == 3 and options:
        added = draw(st.sampled_from(sorted(options)))
        return {**schema, added: draw(options[added])}
    return {**schema, name: _mutated_keyword(draw, name, schema[name])} if name else schema


def _mutated_keyword(draw: Draw, name: str, value: Any) -> Any:
    if name in ("anyOf", "oneOf"):
        them = list(draw(st.permutations(value)))
        change = draw(st.integers(0, 2))
        if change == 0 and len(them) > 1:
            return them[1:]
        return [*them, draw(schemas())] if change == 1 else [mutated(draw, them[0]), *them[1:]]
    if name == "properties":
        chosen = draw(st.sampled_from(NAMES))
        if chosen in value and draw(st.booleans()):
            return {other: part for other, part in value.items() if other != chosen}
        return {**value, chosen: mutated(draw, value.get(chosen, {}))}
    if name == "required":
        return sorted(set(value) ^ {draw(st.sampled_from(NAMES))})
    if name in ("items", "additionalProperties"):
        return mutated(draw, value)
    if name == "enum":
        return [*value[1:], draw(VALUES)]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(value + draw(st.sampled_from([-1, 1])), int(name == "multipleOf"))
    return value


def value_for(draw: Draw, schema: Schema, components: dict[str, Schema], depth: int = 5) -> Any:
    """A value that follows the schema where that is easy."""
    if not depth or not isinstance(schema, dict) or draw(st.integers(0, 14)) == 0:
        return draw(VALUES)

    def inner(part: Schema) -> Any:
        return value_for(draw, part, components, depth - 1)

    if "$ref" in schema:
        return inner(components[schema["$ref"].removeprefix(REF)])
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            return inner(draw(st.sampled_from(schema[keyword])))
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    low: Any = schema.get("minLength", schema.get("minItems", 0))
    high: Any = schema.get("maxLength", schema.get("maxItems", 3))
    size = draw(st.integers(low, max(low, high)))
    match schema.get("type"):
        case "object":
            parts = schema.get("properties", {})
            others = schema.get("additionalProperties", {})
            chosen = draw(st.sets(st.sampled_from([*NAMES, "z"])))
            names = {*schema.get("required", ()), *chosen}
            declared = sorted(name for name in names if name in parts or others is not False)
            return {name: inner(parts.get(name, others)) for name in declared}
        case "array":
            return [inner(schema.get("items", {})) for _ in range(size)]
        case "string":
            return draw(st.text("xy", min_size=size, max_size=size))
        case "integer" | "number":
            return draw(st.integers(-3, 5) | st.sampled_from([0.5, 1.0, 1.5]))
        case _:
            return draw(VALUES)


def rewritten(schema: Schema, renamed: dict[str, str]) -> Schema:
    """The same values in other words: other orders and other names of components."""
    if isinstance(schema, bool):
        return {} if schema else False
    it = dict(schema)
    for name, value in schema.items():
        if name in ("anyOf", "oneOf"):
            it[name] = [rewritten(part, renamed) for part in reversed(value)]
        elif name == "properties":
            it[name] = {part: rewritten(value[part], renamed) for part in reversed(value)}
        elif name in ("items", "additionalProperties"):
            it[name] = rewritten(value, renamed)
        elif name in ("required", "enum"):
            it[name] = value[::-1]
        elif name == "$ref":
            it[name] = REF + renamed[value.removeprefix(REF)]
    if it.get("type") == "integer" and "minimum" in it:
        it["exclusiveMinimum"] = max(it.pop("minimum") - 1, it.get("exclusiveMinimum", -99))
    return it


def widened(draw: Draw, schema: Schema) -> Schema:
    """A schema for at least the same values. Not within a oneOf: there, more may become fewer."""
    if isinstance(schema, bool) or "oneOf" in schema or "$ref" in schema:
        return schema
    change = draw(st.integers(0, 3))
    if change == 0:
        return {"anyOf": [draw(leaves()), schema]}
    it = dict(schema)
    for name, value in schema.items():
        if draw(st.booleans()):
            continue
        if name == "anyOf":
            it[name] = [draw(leaves()), *(widened(draw, part) for part in value)]
        elif name in ("items", "additionalProperties"):
            it[name] = widened(draw, value)
        elif name == "properties":
            it[name] = {part: widened(draw, inner) for part, inner in value.items()}
        elif name == "enum":
            it[name] = [draw(VALUES), *value]
        elif name == "required":
            it[name] = value[1:]
        elif name == "type":
            it[name] = "number" if value == "integer" else value
        elif name.startswith(("m", "e", "pattern", "unique")):
            del it[name]
    return it
