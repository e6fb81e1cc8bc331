"""Every kind of difference between two contracts is found, at its place."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tools.contract.compare.drift import differences

from .contracts import (
    FORM,
    INTEGER,
    NUMBER,
    STRING,
    Json,
    answer,
    array,
    content,
    document,
    obj,
    operation,
    parameter,
    ref,
    understood,
)

NULLABLE = {"type": ["string", "null"]}


def differing(one: Json, other: Json) -> list[str]:
    return differences(understood(one), understood(other))


def base() -> Json:
    item = obj(
        {"sku": STRING | {"pattern": "^a", "maxLength": 9}, "n": INTEGER | {"minimum": 1}}, "n"
    )
    tree = obj({"kids": array(ref("Tree")), "leaf": STRING})
    pets = {name: obj({"kind": STRING, "sort": STRING}, "kind", "sort") for name in ("Cat", "Dog")}
    pet = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind"}}
    closed = obj({"item": ref("Item"), "note": NULLABLE}, additionalProperties=False)
    taken = operation(
        parameter("limit", schema=INTEGER | {"default": 20}),
        parameter("ids", schema=array(STRING)),
        requestBody=content(ref("Closed")) | {"required": True},
        responses={
            "200": answer(ref("Tree"), headers={"X-Left": {"schema": INTEGER, "required": True}}),
            "default": answer(ref("Pet"), "application/problem+json"),
        },
        security=[{"token": ["read"]}],
        **{"x-deadline": 3},
    )
    size = obj({"size": {"type": "string", "enum": ["s", "m"]}})
    listed = operation(requestBody=content(size, FORM))
    schemas = {"Item": item, "Tree": tree, "Pet": pet, "Closed": closed, **pets}
    scheme = {"type": "openIdConnect", "openIdConnectUrl": "https://example.org"}
    paths = {"/a": {"post": taken}, "/b": {"put": listed}}
    return copy.deepcopy(document(paths, schemas, securitySchemes={"token": scheme}))


class Edit:
    """The parts of `base` that the table below changes."""

    def __init__(self) -> None:
        self.document = base()
        self.paths = self.document["paths"]
        self.post, self.put = self.paths["/a"]["post"], self.paths["/b"]["put"]
        self.limit, self.ids = self.post["parameters"]
        self.answers = self.post["responses"]
        self.left = self.answers["200"]["headers"]["X-Left"]
        self.schemas = self.document["components"]["schemas"]
        self.item = self.schemas["Item"]["properties"]
        self.form = self.put["requestBody"]["content"][FORM]["schema"]["properties"]
        self.token = self.document["components"]["securitySchemes"]["token"]


POST = "/paths/~1a/post"
BODY = f"{POST}/requestBody/content/application~1json/schema"
SENT = "/paths/~1b/put/requestBody/content/application~1x-www-form-urlencoded/schema"
OK = f"{POST}/responses/200"
SEEDED: dict[str, tuple[Callable[[Edit], Any], str]] = {
    "operation removed": (lambda e: e.paths.pop("/a"), "/paths/~1a"),
    "operation added": (lambda e: e.paths.update({"/c": {"get": operation()}}), "/paths/~1c"),
    "method": (lambda e: e.paths["/b"].update(get=e.paths["/b"].pop("put")), "/paths/~1b/get"),
    "deprecated": (lambda e: e.post.update(deprecated=True), f"{POST}/deprecated"),
    "parameter": (lambda e: e.post["parameters"].pop(), f"{POST}/parameters/query:ids"),
    "place": (lambda e: e.limit.update({"in": "header"}), f"{POST}/parameters/header:limit"),
    "required": (
        lambda e: e.limit.update(required=True),
        f"{POST}/parameters/query:limit/required",
    ),
    "style": (
        lambda e: e.ids.update(style="pipeDelimited", explode=False),
        f"{POST}/parameters/query:ids/style",
    ),
    "explode": (lambda e: e.ids.update(explode=False), f"{POST}/parameters/query:ids/explode"),
    "default": (
        lambda e: e.limit["schema"].update(default=10),
        f"{POST}/parameters/query:limit/schema/default",
    ),
    "type of a parameter": (
        lambda e: e.limit.update(schema=STRING | {"default": "x"}),
        f"{POST}/parameters/query:limit/schema",
    ),
    "type": (lambda e: e.item.update(n=NUMBER), f"{BODY}/properties/item/properties/n/"),
    "bound": (lambda e: e.item["n"].update(minimum=2), f"{BODY}/properties/item/properties/n/min"),
    "length": (
        lambda e: e.item["sku"].pop("maxLength"),
        f"{BODY}/properties/item/properties/sku/maxLength",
    ),
    "pattern": (
        lambda e: e.item["sku"].update(pattern="^b"),
        f"{BODY}/properties/item/properties/sku/pattern",
    ),
    "property": (lambda e: e.item.pop("sku"), f"{BODY}/properties/item/properties/sku"),
    "required property": (
        lambda e: e.schemas["Item"].pop("required"),
        f"{BODY}/properties/item/required",
    ),
    "format": (
        lambda e: e.schemas["Tree"]["properties"]["leaf"].update(format="date"),
        f"{OK}/content/application~1json/schema/properties/leaf/format",
    ),
    "nullable": (
        lambda e: e.schemas["Closed"]["properties"].update(note=STRING),
        f"{BODY}/properties/note",
    ),
    "additionalProperties": (
        lambda e: e.schemas["Closed"].pop("additionalProperties"),
        f"{BODY}/additionalProperties",
    ),
    "enum": (
        lambda e: e.form["size"]["enum"].append("l"),
        f"{SENT}/properties/size/enum",
    ),
    "body required": (
        lambda e: e.post["requestBody"].pop("required"),
        f"{POST}/requestBody/required",
    ),
    "body": (lambda e: e.post.pop("requestBody"), f"{POST}/requestBody"),
    "media type": (
        lambda e: e.post["requestBody"]["content"].update({"text/csv": {}}),
        f"{POST}/requestBody/content/text~1csv",
    ),
    "status": (lambda e: e.answers.update({"202": answer()}), f"{POST}/responses/202"),
    "answer's media type": (
        lambda e: e.answers.update({"200": answer(STRING, "text/plain")}),
        f"{OK}/content/application~1json",
    ),
    "header": (lambda e: e.answers["200"].pop("headers"), f"{OK}/headers/x-left"),
    "header's type": (lambda e: e.left.update(schema=STRING), f"{OK}/headers/x-left/schema/type"),
    "header required": (lambda e: e.left.pop("required"), f"{OK}/headers/x-left/required"),
    "security": (lambda e: e.post.pop("security"), f"{POST}/security"),
    "scope": (lambda e: e.post.update(security=[{"token": ["write"]}]), f"{POST}/security"),
    "optional security": (lambda e: e.post["security"].append({}), f"{POST}/security"),
    "scheme": (
        lambda e: e.token.update(openIdConnectUrl="https://example.com"),
        "/components/securitySchemes/token/openIdConnectUrl",
    ),
    "x-deadline": (lambda e: e.post.update({"x-deadline": 4}), f"{POST}/x-deadline"),
    "x-priority": (lambda e: e.post.update({"x-priority": "critical"}), f"{POST}/x-priority"),
    "x-key-route": (lambda e: e.post.update({"x-key-route": True}), f"{POST}/x-key-route"),
    "discriminator": (
        lambda e: e.schemas["Pet"].update(discriminator={"propertyName": "sort"}),
        f"{POST}/responses/default/content/application~1problem+json/schema",
    ),
    "variant": (
        lambda e: e.schemas["Pet"]["oneOf"].pop(),
        f"{POST}/responses/default/content/application~1problem+json/schema",
    ),
    "deep inside": (
        lambda e: e.schemas["Tree"]["properties"].update(
            kids=array(obj({"kids": array(ref("Tree")), "leaf": INTEGER}))
        ),
        f"{OK}/content/application~1json/schema/properties/kids/items/properties/leaf",
    ),
}


def test_the_same_contract_is_no_difference() -> None:
    assert differing(base(), base()) == []


@pytest.mark.parametrize("kind", SEEDED)
def test_each_kind_of_difference_is_found(kind: str) -> None:
    change, pointer = SEEDED[kind]
    edit = Edit()
    change(edit)
    for lines in (differing(base(), edit.document), differing(edit.document, base())):
        assert [line for line in lines if line.startswith(pointer)], lines
