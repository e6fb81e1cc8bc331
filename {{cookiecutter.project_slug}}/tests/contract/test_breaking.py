"""What breaks callers is found and named, and nothing else is."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tools.contract.compare import breaking

from .sample import INTEGER, STRING, Document, Edit, document, parameter

READ, WRITE = "GET /orders/{order_id}", "POST /orders"
OUT = "/responses/200/content/application~1json/schema"
IN = "/requestBody/content/application~1json/schema"

Change = Callable[[Edit], Any]


def both(*changes: Change) -> Change:
    return lambda e: [change(e) for change in changes]


BREAKING: list[tuple[Change, str]] = [
    (lambda e: e.paths.pop("/orders"), f"operation-removed {WRITE}"),
    (lambda e: e.read.update(operationId="order"), f"operation-id-changed {READ} /operationId"),
    (lambda e: e.read["parameters"].pop(), f"parameter-removed {READ} /parameters/header/x-tenant"),
    (
        lambda e: e.tenant.update({"in": "query"}),
        f"parameter-location-changed {READ} /parameters/header/x-tenant",
    ),
    (
        lambda e: e.read["parameters"].append(parameter("q", "query", required=True)),
        f"parameter-added-required {READ} /parameters/query/q",
    ),
    (
        lambda e: e.tenant.update(required=True),
        f"parameter-required {READ} /parameters/header/x-tenant",
    ),
    (
        lambda e: e.expand.update(explode=False),
        f"parameter-style-changed {READ} /parameters/query/expand",
    ),
    (
        lambda e: e.expand["schema"].update(default=True),
        f"parameter-default-changed {READ} /parameters/query/expand/schema/default",
    ),
    (
        lambda e: e.expand.update(schema=STRING | {"default": False}),
        f"parameter-type-changed {READ} /parameters/query/expand/schema",
    ),
    (
        lambda e: e.tenant.update(schema=STRING | {"pattern": "^t"}),
        f"parameter-constraint-tightened {READ} /parameters/header/x-tenant/schema/pattern",
    ),
    (lambda e: e.body.update(required=True), f"request-body-required {WRITE} /requestBody"),
    (lambda e: e.write.pop("requestBody"), f"request-body-removed {WRITE} /requestBody"),
    (
        lambda e: e.read.update(requestBody={"required": True, "content": {}}),
        f"request-body-required {READ} /requestBody",
    ),
    (
        lambda e: e.body["content"].pop("text/csv"),
        f"request-media-type-removed {WRITE} /requestBody/content/text~1csv",
    ),
    (
        both(lambda e: e.taken.update(size=INTEGER), lambda e: e.draft["required"].append("size")),
        f"request-property-added-required {WRITE} {IN}/properties/size",
    ),
    (
        lambda e: e.draft["required"].append("gift"),
        f"request-property-required {WRITE} {IN}/properties/gift",
    ),
    (lambda e: e.taken.pop("gift"), f"request-property-removed {WRITE} {IN}/properties/gift"),
    (
        lambda e: e.taken["speed"]["anyOf"][0]["enum"].pop(),
        f"request-enum-narrowed {WRITE} {IN}/properties/speed/anyOf/0/enum",
    ),
    (
        lambda e: e.taken["speed"]["anyOf"].pop(),
        f"request-not-nullable {WRITE} {IN}/properties/speed",
    ),
    (
        lambda e: e.taken.update(gift=INTEGER),
        f"request-type-changed {WRITE} {IN}/properties/gift",
    ),
    (
        lambda e: e.taken["sku"].update(maxLength=8),
        f"request-constraint-tightened {WRITE} {IN}/properties/sku/maxLength",
    ),
    (lambda e: e.read["responses"].pop("303"), f"status-removed {READ} /responses/303"),
    (
        lambda e: e.read["responses"].update({"202": e.ok}),
        f"status-added {READ} /responses/202",
    ),
    (
        lambda e: e.ok["content"].update({"text/csv": e.ok["content"].pop("application/json")}),
        f"response-media-type-removed {READ} /responses/200/content/application~1json",
    ),
    (
        lambda e: e.order["required"].remove("status"),
        f"response-property-optional {READ} {OUT}/properties/status",
    ),
    (
        both(lambda e: e.sent.pop("status"), lambda e: e.order["required"].remove("status")),
        f"response-property-removed {READ} {OUT}/properties/status",
    ),
    (
        lambda e: e.sent["status"]["enum"].append("lost"),
        f"response-enum-widened {READ} {OUT}/properties/status/enum",
    ),
    (
        lambda e: e.sent.update(id={"type": "null"}),
        f"response-type-changed {READ} {OUT}/properties/id",
    ),
    (lambda e: e.sent.update(id=INTEGER), f"response-type-changed {READ} {OUT}/properties/id"),
    (
        lambda e: e.sent.update(id={"anyOf": [STRING, {"type": "null"}]}),
        f"response-nullable {READ} {OUT}/properties/id",
    ),
    (
        lambda e: e.ok["headers"].clear(),
        f"response-header-removed {READ} /responses/200/headers/etag",
    ),
    (
        lambda e: e.ok["headers"]["etag"].update(required=False),
        f"response-header-optional {READ} /responses/200/headers/etag",
    ),
    (
        lambda e: e.ok["headers"]["etag"].update(schema=INTEGER),
        f"response-header-type-changed {READ} /responses/200/headers/etag/schema",
    ),
    (lambda e: e.read["security"].pop(), f"security-stricter {READ} /security"),
    (lambda e: e.write["security"].append({"token": []}), f"security-stricter {WRITE} /security"),
    (
        lambda e: e.read["security"][0]["token"].append("orders:all"),
        f"security-stricter {READ} /security",
    ),
    (lambda e: e.schemes["cookie"].update(name="session"), f"security-stricter {READ} /security"),
]
HARMLESS: list[Change] = [
    lambda e: e.paths.update({"/refunds": {"get": e.read}}),
    lambda e: e.read["parameters"].append(parameter("q", "query")),
    both(
        lambda e: e.paths.update({"/orders/{id}": e.paths.pop("/orders/{order_id}")}),
        lambda e: e.read["parameters"][0].update(name="id"),
    ),
    lambda e: e.expand.update(style="form", explode=True),
    lambda e: e.tenant.update(schema={"anyOf": [STRING, INTEGER]}),
    lambda e: e.body["content"].update({"text/*": e.body["content"].pop("text/csv")}),
    lambda e: e.taken.update(size=INTEGER),
    lambda e: e.draft["required"].clear(),
    lambda e: e.taken["speed"]["anyOf"][0]["enum"].insert(0, "late"),
    lambda e: e.taken["speed"]["anyOf"].reverse(),
    lambda e: e.taken["sku"].pop("maxLength"),
    lambda e: e.draft.pop("additionalProperties"),
    lambda e: e.read["responses"].pop("404"),
    lambda e: e.read["responses"].update({"429": e.ok}),
    lambda e: e.ok["headers"].update({"x-total": {"required": True, "schema": INTEGER}}),
    lambda e: e.ok["content"].update({"text/csv": {"schema": STRING}}),
    lambda e: e.sent.update(total=INTEGER),
    lambda e: e.sent.pop("note"),
    lambda e: e.order["required"].append("note"),
    lambda e: e.sent["status"]["enum"].pop(),
    lambda e: e.order.update(additionalProperties=False),
    lambda e: e.read["security"].append({"other": []}),
    lambda e: e.read["security"][0]["token"].clear(),
    lambda e: e.read["security"].clear(),
    both(
        lambda e: e.schemes.update({"session": e.schemes.pop("cookie")}),
        lambda e: e.read["security"].__setitem__(1, {"session": []}),
    ),
]


def edited(change: Change) -> Document:
    edit = Edit()
    change(edit)
    return edit.document


@pytest.mark.parametrize(("change", "expected"), BREAKING, ids=[it for _, it in BREAKING])
def test_a_breaking_change_is_found(change: Change, expected: str) -> None:
    found = breaking.changes(document(), edited(change))
    assert expected in [one.id for one in found]
    assert len({one.kind for one in found}) == 1  # though one schema may serve two operations
    assert all(str(one).startswith(f"{one.id}: ") and "\n" not in str(one) for one in found)


@pytest.mark.parametrize("change", HARMLESS)
def test_a_harmless_change_is_not(change: Change) -> None:
    assert breaking.changes(document(), edited(change)) == []


def test_nothing_changed() -> None:
    assert breaking.changes(document(), deepcopy(document())) == []


def test_a_closed_answer_may_not_grow() -> None:
    old, new = Edit(), Edit()
    for edit in (old, new):
        edit.order["additionalProperties"] = False
    new.sent["total"] = INTEGER
    found = breaking.changes(old.document, new.document)
    assert [one.kind for one in found] == ["response-property-added"] * 2
    del new.order["additionalProperties"]
    found = breaking.changes(old.document, new.document)
    assert {one.kind for one in found} == {"response-property-added", "response-opened"}


def test_a_range_of_statuses_covers_each_of_them() -> None:
    def answering(*statuses: str) -> Document:
        edit = Edit()
        edit.read["responses"] = dict.fromkeys(statuses, edit.ok)
        return edit.document

    assert breaking.changes(answering("2XX"), answering("200", "201")) == []
    kinds = [one.id for one in breaking.changes(answering("200"), answering("2XX"))]
    assert kinds == [f"status-added {READ} /responses/2XX"]


def test_allowances() -> None:
    new = Edit()
    new.taken.pop("gift")
    new.sent["id"] = INTEGER
    found = breaking.changes(document(), new.document)
    assert [one.operation for one in found] == [READ, WRITE, WRITE]
    allow = {
        "response-type-changed": "ids are numbers now",
        f"request-property-removed {WRITE} {IN}/properties/gift": "never worked",
        "request-property": "half a word is none",
    }
    remaining, used, unused = breaking.allowed(found, allow)
    assert (remaining, unused) == ([], ["request-property"])
    assert {reason for _, reason in used} == {"ids are numbers now", "never worked"}
    remaining, _, _ = breaking.allowed(found, {f"response-type-changed {READ}": "only there"})
    assert [one.operation for one in remaining] == [WRITE, WRITE]
    for wrong in ({"operation-removed": " "}, {"": "everything"}):
        with pytest.raises(ValueError, match="says why"):
            breaking.allowed(found, wrong)
