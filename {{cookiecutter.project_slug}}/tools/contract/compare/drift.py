"""Where two contracts mean different things, followed through their references."""

from collections.abc import Iterator
from typing import Any

from ..contract import Contract
from ..document import Json, escape
from .normal import normal, resolved

ABSENT = "nothing"


def differences(contract: Contract, other: Contract) -> list[str]:
    """One line per difference: the place in the contract, and what either side says there."""
    ours, theirs = normal(contract), normal(other)
    comparison = _Comparison(ours["components"]["schemas"], theirs["components"]["schemas"])
    schemes = "/components/securitySchemes"
    return [
        *comparison.tree(ours["paths"], theirs["paths"], "/paths"),
        *comparison.tree(
            ours["components"]["securitySchemes"], theirs["components"]["securitySchemes"], schemes
        ),
    ]


class _Comparison:
    def __init__(self, ours: Json, theirs: Json) -> None:
        self._ours, self._theirs = ours, theirs
        self._met: set[tuple[str | int, str | int]] = set()

    def tree(self, a: Any, b: Any, pointer: str) -> Iterator[str]:
        """Everything that is not a schema."""
        if isinstance(a, list) and isinstance(b, list) and pointer.endswith("/parameters"):
            a, b = ({f"{one['in']}:{one['name']}": one for one in side} for side in (a, b))
        if not (isinstance(a, dict) and isinstance(b, dict)):
            if a != b:
                yield _line(pointer, a, b)
            return
        for key in sorted(a.keys() | b.keys()):
            where = f"{pointer}/{escape(key)}"
            if key not in a or key not in b:
                yield _line(where, a.get(key, ABSENT), b.get(key, ABSENT))
            elif key == "schema":
                yield from self.schema(a[key], b[key], where)
            else:
                yield from self.tree(a[key], b[key], where)

    def schema(self, a: Json, b: Json, pointer: str) -> Iterator[str]:
        """Two schemas; what was compared or is being compared is not compared again."""
        pair = a.get("$ref", id(a)), b.get("$ref", id(b))
        a, b = resolved(a, self._ours), resolved(b, self._theirs)
        if a.get("default", ABSENT) != b.get("default", ABSENT):
            yield _line(f"{pointer}/default", a.get("default", ABSENT), b.get("default", ABSENT))
        ours, theirs = a.get("discriminator"), b.get("discriminator")
        if ours and theirs and ours != theirs:  # pydantic forgets that of a recursive union,
            # where each variant still says which one it is
            yield _line(f"{pointer}/discriminator", ours, theirs)
        if pair in self._met:
            return
        self._met.add(pair)
        left, right = _variants(a, self._ours), _variants(b, self._theirs)
        for one in list(left):
            for other in right:
                if self._equal(one, other):
                    left.remove(one)
                    right.remove(other)
                    break
        if len(left) == len(right) == 1:
            yield from self._keywords(left[0], right[0], pointer)
        elif left or right:
            yield _line(
                pointer, *(", ".join(map(_short, side)) or ABSENT for side in (left, right))
            )

    def _equal(self, a: Json, b: Json) -> bool:
        """What an attempt that fails took for equal counts for nothing."""
        before = set(self._met)
        if any(self._keywords(a, b, "")):
            self._met = before
            return False
        return True

    def _keywords(self, a: Json, b: Json, pointer: str) -> Iterator[str]:
        for key in sorted((a.keys() | b.keys()) - {"default", "discriminator"}):
            where = f"{pointer}/{key}"
            ours, theirs = a.get(key, ABSENT), b.get(key, ABSENT)
            if key == "properties" and ABSENT not in (ours, theirs):
                for name in sorted(ours.keys() | theirs.keys()):
                    place = f"{where}/{escape(name)}"
                    if name in ours and name in theirs:
                        yield from self.schema(ours[name], theirs[name], place)
                    else:
                        yield _line(place, ours.get(name, ABSENT), theirs.get(name, ABSENT))
            elif isinstance(ours, dict) and isinstance(theirs, dict):
                yield from self.schema(ours, theirs, where)
            elif ours != theirs:
                yield _line(where, ours, theirs)


def _variants(schema: Json, schemas: Json) -> list[Json]:
    """The members of a union, unions among them opened; of anything else, itself."""
    union = schema.get("anyOf") or schema.get("oneOf")
    if union is None:
        return [schema]
    members = [one for member in union for one in _variants(resolved(member, schemas), schemas)]
    return [one for index, one in enumerate(members) if one not in members[:index]]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _line(pointer: str, ours: Any, theirs: Any) -> str:
    left, right = (one if one is ABSENT else _short(one) for one in (ours, theirs))
    return f"{pointer}: {left} in the contract, {right} in the service"
