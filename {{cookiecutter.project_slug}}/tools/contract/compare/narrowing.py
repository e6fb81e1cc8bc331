"""Whether a schema accepts less than another: a proof, keyword by keyword.

`narrowed(old, new)` names every place where a value that is valid under `old` may be invalid under
`new`. What it cannot prove, it reports. For what a service sends, swap the two sides: then a
reason is something that callers may get and never saw before.

A pair of references is taken for proved while it is being proved: values are finite, so a
recursive schema that holds up one level deep holds up at every level.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import facts
from .parts import APART, Reason, Schema, Side, key, limits, linked, plain, resolved, step, without

__all__ = ["Reason", "Side", "narrowed"]

_CHOICES = ("oneOf", "anyOf")
_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}


def narrowed(old: Side, new: Side, *, undeclared: bool = True) -> Iterator[Reason]:
    """Why `new` may refuse a value that `old` accepts; nothing if it provably accepts them all.

    Without `undeclared`, an object is taken to hold only the properties that it declares, unless
    it says itself which others there may be. A new optional property is then no narrowing.
    """
    old_schema, new_schema, table = linked(old, new)
    yield from dict.fromkeys(_Proof(table, undeclared).compare(old_schema, new_schema, ""))


class _Proof:
    def __init__(self, table: Mapping[str, Any], undeclared: bool) -> None:
        self.table = table
        self.undeclared = undeclared
        self.probing = False
        self.assumed: set[str] = set()
        self.proved: set[str] = set()
        self.refused: set[str] = set()
        self.reported: set[str] = set()

    def compare(self, old: Schema, new: Schema, at: str) -> Iterator[Reason]:
        old, new = plain(old), plain(new)
        if not limits(new) or key(without(old, APART)) == key(new):
            return
        for keyword in ("$ref", *_CHOICES):
            if keyword in new and limits(without(new, keyword)):
                yield from self.compare(old, without(new, keyword), at)
                yield from self.compare(old, {keyword: new[keyword]}, at)
                return
            if keyword in old and self._part_suffices(old, keyword, new):
                return
        choice = next((keyword for keyword in _CHOICES if keyword in new), None)
        if choice and self._chosen(old, new[choice], exclusive=choice == "oneOf"):
            return
        if "$ref" in old or "$ref" in new:
            yield from self._pair(old, new, at)
            return
        missing = self._kinds(old) - self._kinds(new)
        if missing:
            rule = "nullable" if missing == {"null"} != self._kinds(old) else "type"
            said = facts.said(self._kinds(old)), facts.said(self._kinds(new))
            yield Reason(at, rule, *said)
        yield from self._compare_parts(old, new, at, missing)

    def _compare_parts(
        self, old: dict[str, Any], new: dict[str, Any], at: str, reported: frozenset[str]
    ) -> Iterator[Reason]:
        """Split `old` until a part is small enough for one answer."""
        if parts := facts.variants(old, self._kinds(old)):
            for path, part in parts:
                if not self._kinds(part) & reported:
                    yield from self.compare(part, new, at + path)
            return
        values = [v for v in facts.values(old) if facts.kind(v) in self._kinds(old) - reported]
        if len(values) > 1:
            lost = [v for v in values if not self._holds({**old, "enum": [v]}, new)]
            if lost:
                said = ", ".join(map(key, lost))
                yield Reason(f"{at}/enum", "enum", f"allows {said}", f"refuses {said}")
        elif reported or not self._kinds(old):
            return
        elif choice := next((keyword for keyword in _CHOICES if keyword in new), None):
            yield from self._unchosen(old, new[choice], at)
        else:
            known = {**old, **facts.of_value(values[0])} if values else old
            yield from self._leaf(known, new, at)

    def _part_suffices(self, old: dict[str, Any], keyword: str, new: dict[str, Any]) -> bool:
        """A value is valid under all of `old`; often a part of it says enough."""
        rest = without(old, keyword)
        if not limits(rest):
            return False
        alone = {name: old[name] for name in (keyword, APART) if name in old}
        return self._holds(rest, new) or self._holds(alone, new)

    # References and choices

    def _holds(self, old: Schema, new: Schema, *, undeclared: bool | None = None) -> bool:
        """Whether `new` provably accepts all of `old`.

        Begins by assuming every pair of references, and again without those that it refuted, until
        a round refutes none.
        """
        before = self.probing, self.undeclared
        if undeclared is not None:
            self.undeclared = undeclared
        self.probing = True
        try:
            while True:
                refused = len(self.refused)
                if not before[0]:
                    self.assumed = set(self.proved)
                answer = next(self.compare(old, new, ""), None) is None
                if before[0]:
                    return answer
                if len(self.refused) == refused:
                    self.proved |= self.assumed
                    return answer
        finally:
            self.probing, self.undeclared = before

    def _pair(self, old: dict[str, Any], new: dict[str, Any], at: str) -> Iterator[Reason]:
        pair = key([old, new, self.undeclared])
        bodies = resolved(old, self.table), resolved(new, self.table)
        if not self.probing:
            if pair not in self.reported and not self._holds(old, new):
                self.reported.add(pair)
                yield from self.compare(*bodies, at)
        elif pair not in self.assumed:
            if pair not in self.refused:
                self.assumed.add(pair)
                if self._holds(*bodies):
                    return
                self.assumed.discard(pair)
                self.refused.add(pair)
            yield Reason(at, "type", facts.named(old), facts.named(new))

    def _chosen(self, old: dict[str, Any], variants: Sequence[Schema], *, exclusive: bool) -> bool:
        """Whether one variant accepts all of `old` and, if it must be the only one, none else."""

        def beside(other: Schema) -> bool:
            return facts.apart(old, other, self.table) or any(
                self._holds(other, excluded, undeclared=True) for excluded in old.get(APART, ())
            )

        return any(
            self._holds(old, variant)
            and not (exclusive and not all(map(beside, [*variants[:i], *variants[i + 1 :]])))
            for i, variant in enumerate(variants)
        )

    def _unchosen(
        self, old: dict[str, Any], variants: Sequence[Schema], at: str
    ) -> Iterator[Reason]:
        likely = [v for v in variants if not facts.apart(old, v, self.table)]
        if len(likely) == 1 and not self._holds(old, likely[0]):
            yield from self.compare(old, likely[0], at)
        elif any(self._holds(old, variant) for variant in likely):
            yield Reason(at, "variant", "matches one variant", "may match several")
        else:
            yield Reason(at, "variant", f"variant {facts.named(old)}", "no such variant")

    def _kinds(self, schema: Schema) -> frozenset[str]:
        return facts.kinds(schema, self.table)

    # One type on either side, no references, no choices

    def _leaf(self, old: dict[str, Any], new: dict[str, Any], at: str) -> Iterator[Reason]:
        value = key(old["enum"][0]) if "enum" in old else ""
        if "enum" in new and value not in map(key, new["enum"]):
            only = ", ".join(map(key, new["enum"]))
            yield Reason(f"{at}/enum", "enum", value or facts.named(old), f"only {only}")
        yield from self._bounds(old, new, at, value)
        kinds = self._kinds(old)
        for keyword in sorted(limits(new) - facts.COMPARED):
            about = facts.ABOUT.get(keyword, kinds)
            if kinds & about and not self._keyword_holds(keyword, old, new):
                said = value or facts.stated(old, keyword), facts.stated(new, keyword)
                yield Reason(f"{at}/{keyword}", "constraint", *said)
        if "object" in kinds:
            yield from self._object(old, new, at)
        if "array" in kinds and "items" in new:
            # What stands before the items is not theirs.
            alike = key(old.get("prefixItems")) == key(new.get("prefixItems"))
            items = old.get("items", {}) if alike else {}
            yield from self.compare(items, new["items"], f"{at}/items")

    def _bounds(
        self, old: dict[str, Any], new: dict[str, Any], at: str, value: str
    ) -> Iterator[Reason]:
        kinds = self._kinds(old)
        for names, about in facts.BOUNDS.items():
            if not kinds & about or not set(names) & new.keys():
                continue
            if facts.bound(old, names, kinds) < facts.bound(new, names, kinds):
                said = value or facts.stated(old, *names), facts.stated(new, *names)
                place = next(name for name in names if name in new)
                yield Reason(f"{at}/{place}", "constraint", *said)

    def _keyword_holds(self, keyword: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
        wanted, had = new[keyword], old.get(keyword)
        if wanted is False and keyword == "uniqueItems":
            return True
        if keyword == "format" and (had, wanted) in _WIDER_FORMATS:
            return True
        if keyword == "multipleOf":
            return facts.divides(wanted, old, self._kinds(old))
        if keyword == "pattern" and "enum" in old:
            return facts.matches(wanted, old["enum"][0])
        return keyword in old and key(had) == key(wanted)

    def _object(self, old: dict[str, Any], new: dict[str, Any], at: str) -> Iterator[Reason]:
        declared = old.get("properties", {})
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            rule, had = ("required", "optional") if name in declared else ("missing", "absent")
            yield Reason(f"{at}/properties{step(name)}", rule, had, "required")
        silent = not self.undeclared and not {"additionalProperties", "patternProperties"} & set(
            old
        )
        for name in sorted({*declared, *new.get("properties", {})}):
            if name not in declared and silent:
                continue
            mine, theirs = (
                facts.child(old, name),
                facts.child(without(new, "patternProperties"), name),
            )
            place = f"{at}/properties{step(name)}"
            if self._kinds(mine) and not self._kinds(theirs):
                yield Reason(place, "property", "allowed", "refused")
            else:
                yield from self.compare(mine, theirs, place)
        alike = key(old.get("patternProperties")) == key(new.get("patternProperties"))
        others = old.get("additionalProperties", {}) if alike else {}
        allowed = new.get("additionalProperties", {})
        place = f"{at}/additionalProperties"
        if self._kinds(others) and not self._kinds(allowed):
            yield Reason(place, "closed", "other properties allowed", "refused")
        else:
            yield from self.compare(others, allowed, place)
