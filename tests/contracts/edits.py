"""Changes of the example's own contract: what they do to its code, and to its callers."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Document = dict[str, Any]
Edit = Callable[[Document], Any]
HANDLER, APP = "src/orders/api/orders.py", "src/orders/app.py"
LIST, CANCEL = "    async def list_orders", "        raise Problem(404)\n\n"
TEXT = {"type": "string"}


def _operation(method: str, path: str = "/api/orders") -> Callable[[Document], Document]:
    return lambda document: document["paths"][path][method]


_list, _place = _operation("get"), _operation("post")


def _schema(document: Document, name: str) -> Any:
    return document["components"]["schemas"][name]


def _add(document: Document, schema: str, name: str, *, required: bool) -> None:
    _schema(document, schema)["properties"][name] = TEXT
    if required:
        _schema(document, schema)["required"].append(name)


def _query(name: str, *, required: bool) -> Document:
    return {"name": name, "in": "query", "required": required, "schema": TEXT}


def _cancel(document: Document) -> None:
    item = document["paths"]["/api/orders/{order_id}"]
    item["delete"] = {
        "tags": ["orders"],
        "operationId": "cancelOrder",
        "parameters": item["get"]["parameters"],
        "responses": {"204": {"description": "It is cancelled"}},
    }


def _created_is_200(document: Document) -> None:
    responses = _place(document)["responses"]
    responses["200"] = responses.pop("201")


def _keyed(document: Document) -> None:
    key = {"type": "apiKey", "in": "header", "name": "X-Key"}
    document["components"]["securitySchemes"] = {"key": key}
    _list(document)["security"] = [{"key": []}]


class Followed(NamedTuple):
    """A change, what mypy says of the code that does not follow it yet, and how it follows."""

    edit: Edit
    said: str
    follow: Mapping[str, str]


FOLLOWED = {
    "rename a parameter": Followed(
        lambda it: _list(it)["parameters"][0].update(name="since"),
        f'{HANDLER}:[0-9]+: error: Signature of "list_orders" incompatible with supertype',
        {"after: str | None": "since: str | None", "page(after, ": "page(since, "},
    ),
    "change a type": Followed(
        lambda it: _list(it)["parameters"][1].update(schema=TEXT),
        f'{HANDLER}:[0-9]+: error: Argument 2 of "list_orders" is incompatible with supertype',
        {"limit: int": "limit: str | None", "after, limit)": "after, int(limit or 20))"},
    ),
    "add an operation": Followed(
        _cancel,
        f'{APP}:[0-9]+: error: Cannot instantiate abstract class "OrdersHandler".*cancel_order',
        {LIST: f"    async def cancel_order(self, *, order_id: str) -> None:\n{CANCEL}{LIST}"},
    ),
    "add a required property to an answer": Followed(
        lambda it: _add(it, "Order", "note", required=True),
        f'{HANDLER}:[0-9]+: error: Missing named argument "note" for "Order"',
        {"id=order.id,": 'id=order.id,\n        note="",'},
    ),
}

_ROUTER = "        api.include_router(router)\n"
DRIFTS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "a route that the contract lacks": (
        {_ROUTER: f'{_ROUTER}        api.add_api_route("/api/hand", lambda: 1)\n'},
        "/paths/~1api~1hand: nothing in the contract",
    ),
    "an answer that it says otherwise": (
        {_ROUTER: f'        api.add_api_route("/api/version", lambda: 1)\n{_ROUTER}'},
        "/paths/~1api~1version/get/responses/200",
    ),
    "a parameter that a dependency adds": (
        {
            _ROUTER: "        api.include_router(router, dependencies=[Depends(_tenant)])\n",
            "import FastAPI\n": "import Depends, FastAPI, Header\n",
            "class Service(": "def _tenant(x_tenant: str = Header()) -> None:\n    pass\n\n\n"
            "class Service(",
        },
        "/paths/~1api~1orders/get/parameters/header:x-tenant: nothing in the contract",
    ),
}

_BODY = "/requestBody/content/application~1json/schema"
_PLACED = "POST /api/orders /responses/201"
BREAKING: Mapping[str, tuple[Edit, str]] = {
    "removed operation": (
        lambda it: it["paths"].pop("/api/orders/{order_id}"),
        "operation-removed GET /api/orders/{order_id}: ",
    ),
    "new required parameter": (
        lambda it: _list(it)["parameters"].append(_query("region", required=True)),
        "parameter-added-required GET /api/orders /parameters/query/region: absent -> required",
    ),
    "new required body property": (
        lambda it: _add(it, "NewOrder", "note", required=True),
        f"request-property-added-required POST /api/orders {_BODY}/properties/note: ",
    ),
    "narrowed type": (
        lambda it: it["components"]["schemas"].update(Sku={"type": "integer"}),
        f"request-type-changed POST /api/orders {_BODY}/properties/items/items/properties/sku: str",
    ),
    "narrowed range": (
        lambda it: _list(it)["parameters"][1]["schema"].update(maximum=50),
        "parameter-constraint-tightened GET /api/orders /parameters/query/limit/schema/maximum: ",
    ),
    "enum where any text was": (
        lambda it: _schema(it, "NewOrder")["properties"].update(
            currency={"type": "string", "enum": ["EUR", "USD"]}
        ),
        f"request-enum-narrowed POST /api/orders {_BODY}/properties/currency",
    ),
    "new enum value in an answer": (
        lambda it: _schema(it, "Status")["enum"].append("shipped"),
        f"response-enum-widened {_PLACED}/content/application~1json/schema/properties/status",
    ),
    "changed success status": (_created_is_200, "status-removed POST /api/orders /responses/201: "),
    "removed response property": (
        lambda it: (
            _schema(it, "Order")["properties"].pop("amount"),
            _schema(it, "Order")["required"].remove("amount"),
        ),
        f"response-property-removed {_PLACED}/content/application~1json/schema/properties/amount: ",
    ),
    "stricter security": (_keyed, "security-stricter GET /api/orders /security: nothing -> key"),
}
HARMLESS: Mapping[str, Edit] = {
    "optional parameter": lambda it: _list(it)["parameters"].append(
        _query("region", required=False)
    ),
    "new operation": _cancel,
    "new response property": lambda it: _add(it, "Order", "note", required=True),
    "new optional body property": lambda it: _add(it, "NewOrder", "note", required=False),
}
