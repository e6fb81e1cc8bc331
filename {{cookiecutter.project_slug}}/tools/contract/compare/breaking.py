"""What a new contract breaks for the callers of an old one.

Both are documents in their normal form. `changes(old, new)` names what a caller who did nothing
wrong would notice; what only adds to the contract is not among it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from .allowances import Change, Verdict, allowed
from .narrowing import Side, narrowed
from .parts import step

Node: TypeAlias = Mapping[str, Any]

__all__ = ["Change", "Verdict", "allowed", "changes"]

_OPEN: Node = {}
# What a reason of the proof is called where the service receives, and where it sends.
_KINDS = {
    "closed": ("closed", "opened"),
    "constraint": ("constraint-tightened", "constraint-loosened"),
    "enum": ("enum-narrowed", "enum-widened"),
    "missing": ("property-added-required", "property-removed"),
    "nullable": ("not-nullable", "nullable"),
    "property": ("property-removed", "property-added"),
    "required": ("property-required", "property-optional"),
    "type": ("type-changed", "type-changed"),
    "variant": ("variant-removed", "variant-added"),
}


def changes(old: Node, new: Node) -> list[Change]:
    """All breaking changes, in the order of their operations."""
    found: set[Change] = set()
    after = dict(_operations(new))
    for shape, (path, operation) in _operations(old):
        name = f"{shape[0].upper()} {path}"
        if shape not in after:
            found.add(Change("operation-removed", name, "", "callers get 404 or 405"))
            continue
        new_path, new_operation = after[shape]
        renamed = dict(zip(_names(path), _names(new_path), strict=True))
        comparison = _Comparison(old.get("components", {}), new.get("components", {}))
        for kind, pointer, detail in comparison.operation(operation, new_operation, renamed):
            found.add(Change(kind, name, pointer, detail))
    return sorted(found, key=lambda it: (it.operation, it.pointer, it.kind))


_Found: TypeAlias = Iterator[tuple[str, str, str]]  # kind, pointer, detail


def _operations(document: Node) -> Iterator[tuple[tuple[str, str], tuple[str, Node]]]:
    """Operations by method and path without the names of its parameters: callers never see them."""
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            yield (method, re.sub(r"\{[^}]*\}", "{}", path)), (path, operation)


def _names(path: str) -> list[str]:
    return re.findall(r"\{([^}]*)\}", path)


class _Comparison:
    def __init__(self, old: Node, new: Node) -> None:
        self.old = old
        self.new = new

    def operation(self, old: Node, new: Node, renamed: Mapping[str, str]) -> _Found:
        was, now = old.get("operationId"), new.get("operationId")
        if was and was != now:
            yield "operation-id-changed", "/operationId", f"{was} -> {now or 'none'}"
        yield from self._parameters(old, new, renamed)
        yield from self._body(old.get("requestBody"), new.get("requestBody"))
        yield from self._responses(old.get("responses", {}), new.get("responses", {}))
        yield from self._security(old.get("security", []), new.get("security", []))

    def _accepted(self, place: str, old: Any, new: Any, at: str) -> _Found:
        """Whatever callers send today must do tomorrow."""
        sides = Side(old, self.old.get("schemas", {})), Side(new, self.new.get("schemas", {}))
        for reason in narrowed(*sides, undeclared=False):
            detail = f"{reason.accepts} -> {reason.refuses}"
            yield f"{place}-{_KINDS[reason.rule][0]}", at + reason.pointer, detail

    def _sent(self, place: str, old: Any, new: Any, at: str) -> _Found:
        """Whatever callers receive tomorrow must be something that they know today."""
        sides = Side(new, self.new.get("schemas", {})), Side(old, self.old.get("schemas", {}))
        for reason in narrowed(*sides, undeclared=False):
            detail = f"{reason.refuses} -> {reason.accepts}"
            yield f"{place}-{_KINDS[reason.rule][1]}", at + reason.pointer, detail

    # What callers send

    def _parameters(self, old: Node, new: Node, renamed: Mapping[str, str]) -> _Found:
        before = {(it["in"], it["name"]): it for it in old.get("parameters", ())}
        after = {(it["in"], it["name"]): it for it in new.get("parameters", ())}
        moved = set()
        for (place, name), parameter in before.items():
            at = f"/parameters/{place}{step(name)}"
            same = (place, renamed.get(name, name) if place == "path" else name)
            places = [it for it in after if it[1] == name and it not in before]
            if same in after:
                yield from self._parameter(parameter, after[same], at)
            elif places:
                moved.add(places[0])
                yield "parameter-location-changed", at, f"{place} -> {places[0][0]}"
            elif place != "path":  # the path alone says which there are
                yield "parameter-removed", at, "has no effect any more, or is refused"
        for (place, name), parameter in after.items():
            known = {
                (place, renamed.get(it, it) if place == "path" else it) for place, it in before
            }
            if (place, name) not in known | moved and parameter.get("required"):
                at = f"/parameters/{place}{step(name)}"
                yield "parameter-added-required", at, "absent -> required"

    def _parameter(self, old: Node, new: Node, at: str) -> _Found:
        if new.get("required") and not old.get("required"):
            yield "parameter-required", at, "optional -> required"
        was, now = _style(old), _style(new)
        if was != now:
            yield "parameter-style-changed", at, f"{was} -> {now}"
        defaults = self._default(old, self.old), self._default(new, self.new)
        if defaults[0] != defaults[1] and not old.get("required") and not new.get("required"):
            yield "parameter-default-changed", f"{at}/schema/default", " -> ".join(defaults)
        schemas = old.get("schema", {}), new.get("schema", {})
        yield from self._accepted("parameter", *schemas, f"{at}/schema")

    @staticmethod
    def _default(parameter: Node, components: Node) -> str:
        schema = parameter.get("schema", {})
        if isinstance(schema, Mapping) and "default" not in schema and "$ref" in schema:
            schema = components.get("schemas", {}).get(schema["$ref"].rpartition("/")[2], {})
        if not isinstance(schema, Mapping) or "default" not in schema:
            return "none"
        return json.dumps(schema["default"], sort_keys=True)

    def _body(self, old: Node | None, new: Node | None) -> _Found:
        at = "/requestBody"
        if new and new.get("required") and not (old and old.get("required")):
            yield "request-body-required", at, f"{'optional' if old else 'absent'} -> required"
        if old and not new:
            yield "request-body-removed", at, "has no effect any more, or is refused"
        if not old or not new:
            return
        content = new.get("content", {})
        for media, value in old.get("content", {}).items():
            place = f"{at}/content{step(media)}"
            names = (media, f"{media.partition('/')[0]}/*", "*/*")
            accepting = next((name for name in names if name in content), None)
            if accepting is None:
                yield "request-media-type-removed", place, f"{media} is refused"
            else:
                schemas = value.get("schema", {}), content[accepting].get("schema", {})
                yield from self._accepted("request", *schemas, f"{place}/schema")

    def _security(self, old: list[Node], new: list[Node]) -> _Found:
        """Whoever was let in is let in, with the same credentials."""
        needed = [_credentials(it, self.new) for it in new or [_OPEN]]
        for alternative in old or [_OPEN]:
            held = _credentials(alternative, self.old)
            if not any(
                all(name in held and scopes <= held[name] for name, scopes in need.items())
                for need in needed
            ):
                said = " or ".join(map(_credentials_said, new or [_OPEN]))
                detail = f"{_credentials_said(alternative)} -> {said}"
                yield "security-stricter", "/security", detail

    # What callers receive

    def _responses(self, old: Node, new: Node) -> _Found:
        for status in sorted({*old, *new}):
            at = f"/responses/{status}"
            was, now = _answer(old, status), _answer(new, status) or _part(new, status)
            if status.startswith("2") and was is None:
                yield "status-added", at, f"callers do not know {status}"
            elif status.startswith(("2", "3")) and now is None and was is not None:
                yield "status-removed", at, f"{status} is not among the answers any more"
            elif was is not None and now is not None:
                yield from self._response(was, now, at)

    def _response(self, old: Node, new: Node, at: str) -> _Found:
        headers = new.get("headers", {})
        for name, header in old.get("headers", {}).items():
            place = f"{at}/headers{step(name)}"
            if header.get("required") and name not in headers:
                yield "response-header-removed", place, "required -> absent"
            elif header.get("required") and not headers[name].get("required"):
                yield "response-header-optional", place, "required -> optional"
            if name in headers:
                schemas = header.get("schema", {}), headers[name].get("schema", {})
                yield from self._sent("response-header", *schemas, f"{place}/schema")
        content = new.get("content", {})
        for media, value in old.get("content", {}).items():
            place = f"{at}/content{step(media)}"
            if media not in content:
                yield "response-media-type-removed", place, f"{media} is not sent any more"
            else:
                schemas = value.get("schema", {}), content[media].get("schema", {})
                yield from self._sent("response", *schemas, f"{place}/schema")


def _answer(responses: Node, status: str) -> Any:
    """What the contract says about a status: by number, by range, or for an error by default."""
    names = [status, f"{status[0]}XX"] + ["default"] * (status[0] in "45")
    return next((responses[name] for name in names if name in responses), None)


def _part(responses: Node, range_: str) -> Any:
    """A range that is named by its statuses now: the first of them stands for it."""
    parts = [it for it in responses if range_.endswith("XX") and it[0] == range_[0]]
    return responses[min(parts)] if parts else None


def _style(parameter: Node) -> str:
    form = parameter["in"] in ("query", "cookie")
    style = parameter.get("style", "form" if form else "simple")
    return f"{style}{', exploded' if parameter.get('explode', style == 'form') else ''}"


def _credentials(alternative: Node, components: Node) -> dict[str, set[str]]:
    """Scopes by what the scheme asks for; how the document calls it is no matter to callers."""
    schemes = components.get("securitySchemes", {})
    held: dict[str, set[str]] = {}
    for name, scopes in alternative.items():
        scheme = dict(schemes.get(name, {"type": name}))
        for note in ("description", "bearerFormat"):
            scheme.pop(note, None)
        if "flows" in scheme:
            scheme["flows"] = {
                flow: [it.get("authorizationUrl"), it.get("tokenUrl")]
                for flow, it in scheme["flows"].items()
            }
        held.setdefault(json.dumps(scheme, sort_keys=True), set()).update(scopes)
    return held


def _credentials_said(alternative: Node) -> str:
    return (
        " and ".join(
            f"{name} ({', '.join(sorted(scopes))})" if scopes else name
            for name, scopes in alternative.items()
        )
        or "nothing"
    )
