"""The proof against a validator: it misses no lost value, and is silent where none can be."""

from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tools.contract.compare.narrowing import Side, narrowed

from .schema_strategies import mutated, rewritten, schemas, value_for, widened

REFS = ("A", "B")


def valid(schema: Any, components: dict[str, Any], value: Any) -> bool:
    root = {"allOf": [schema], "components": {"schemas": components}}
    return bool(Draft202012Validator(root).is_valid(value))


@given(st.data())
def test_a_value_that_is_lost_is_always_reported(data: st.DataObject) -> None:
    components = {name: data.draw(schemas(REFS)) for name in REFS}
    old = data.draw(schemas(REFS))
    new = mutated(data.draw, old)
    after = dict(components)
    for name in data.draw(st.sets(st.sampled_from(REFS))):
        after[name] = mutated(data.draw, components[name])
    if data.draw(st.booleans()):
        new = mutated(data.draw, new)
    values = [value_for(data.draw, old, components) for _ in range(8)]
    lost = [v for v in values if valid(old, components, v) and not valid(new, after, v)]
    event(f"a value is lost: {bool(lost)}")
    if lost:
        reasons = list(narrowed(Side(old, components), Side(new, after)))
        assert reasons, f"lost: {lost}"


@given(st.data())
def test_the_same_in_other_words_is_never_reported(data: st.DataObject) -> None:
    components = {name: data.draw(schemas(REFS)) for name in REFS}
    schema = data.draw(schemas(REFS))
    renamed = {"A": "B", "B": "A"}
    after = {renamed[name]: rewritten(part, renamed) for name, part in components.items()}
    sides = Side(schema, components), Side(rewritten(schema, renamed), after)
    assert list(map(str, narrowed(sides[0], sides[0]))) == []
    assert list(map(str, narrowed(*sides))) == []
    assert list(map(str, narrowed(*reversed(sides)))) == []


@given(st.data())
def test_widening_is_never_reported(data: st.DataObject) -> None:
    components = {name: data.draw(schemas(REFS)) for name in REFS}
    schema = data.draw(schemas(REFS))
    wider = widened(data.draw, schema)
    assert list(map(str, narrowed(Side(schema, components), Side(wider, components)))) == []
