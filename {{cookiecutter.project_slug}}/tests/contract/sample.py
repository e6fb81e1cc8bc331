"""A small contract in its normal form, to change here and there."""

from typing import Any

Document = dict[str, Any]
STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def parameter(name: str, place: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "required": False, "schema": STRING, **rest}


def document() -> Document:
    status = {"type": "string", "enum": ["paid", "open"]}
    order = {
        "type": "object",
        "properties": {"id": STRING, "status": status, "note": STRING},
        "required": ["id", "status"],
    }
    draft = {
        "type": "object",
        "properties": {
            "sku": {"type": "string", "maxLength": 9},
            "gift": {"type": "boolean"},
            "speed": {"anyOf": [{"enum": ["fast", "slow"]}, {"type": "null"}]},
        },
        "required": ["sku"],
        "additionalProperties": False,
    }
    answer = {
        "headers": {"etag": {"required": True, "schema": STRING}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
    }
    problem: dict[str, Any] = {
        "headers": {},
        "content": {"application/problem+json": {"schema": {}}},
    }
    read = {
        "operationId": "getOrder",
        "parameters": [
            parameter("order_id", "path", required=True),
            parameter("expand", "query", schema={"type": "boolean", "default": False}),
            parameter("x-tenant", "header"),
        ],
        "responses": {"200": answer, "404": problem, "303": {"headers": {}, "content": {}}},
        "security": [{"token": ["orders:read"]}, {"cookie": []}],
    }
    write = {
        "operationId": "createOrder",
        "parameters": [],
        "requestBody": {
            "required": False,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Draft"}},
                "text/csv": {"schema": STRING},
            },
        },
        "responses": {"201": answer, "default": problem},
        "security": [],
    }
    return {
        "paths": {"/orders/{order_id}": {"get": read}, "/orders": {"post": write}},
        "components": {
            "schemas": {"Order": order, "Draft": draft},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
            },
        },
    }


class Edit:
    """The parts of a document that the tables below change."""

    def __init__(self) -> None:
        self.document = document()
        self.paths = self.document["paths"]
        self.read = self.paths["/orders/{order_id}"]["get"]
        self.write = self.paths["/orders"]["post"]
        self.expand, self.tenant = self.read["parameters"][1:]
        self.ok = self.read["responses"]["200"]
        self.body = self.write["requestBody"]
        self.schemas = self.document["components"]["schemas"]
        self.order, self.draft = self.schemas["Order"], self.schemas["Draft"]
        self.sent, self.taken = self.order["properties"], self.draft["properties"]
        self.schemes = self.document["components"]["securitySchemes"]
