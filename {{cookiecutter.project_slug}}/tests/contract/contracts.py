"""Small contracts to test with, and what is generated from them."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from tools.contract.compare.drift import differences
from tools.contract.contract import Contract
from tools.contract.document import validated
from tools.contract.emit.operations import operations
from tools.contract.emit.plan import plan
from tools.contract.generate import render, write
from tools.contract.prove import described
from tools.contract.reader import understand

Json = dict[str, Any]
STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MACHINERY = import_module("steadfast_service.runtime")
RUNTIME = Path(next(iter(MACHINERY.__path__)))


def document(
    paths: Json | None = None,
    schemas: Json | None = None,
    version: str = "3.1.0",
    **components: Any,
) -> Json:
    """An OpenAPI document."""
    return {
        "openapi": version,
        "info": {"title": "test", "version": "1"},
        "paths": paths or {},
        "components": {"schemas": schemas or {}, **components},
    }


def ref(name: str, **beside: Any) -> Json:
    return {"$ref": f"#/components/schemas/{name}", **beside}


def obj(properties: Json, *required: str, **rest: Any) -> Json:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needed, **rest}


def array(items: Json, **rest: Any) -> Json:
    return {"type": "array", "items": items, **rest}


def parameter(name: str = "p", place: str = "query", schema: Any = STRING, **rest: Any) -> Json:
    needed = {"required": True} if place == "path" else {}
    return {"name": name, "in": place, "schema": schema, **needed, **rest}


def content(schema: Any, media: str = JSON, **rest: Any) -> Json:
    return {"content": {media: {"schema": schema, **rest}}}


def answer(schema: Any = None, media: str = JSON, **rest: Any) -> Json:
    return {"description": "", **(content(schema, media) if schema is not None else {}), **rest}


def operation(*parameters: Json, **rest: Any) -> Json:
    taken = {"parameters": list(parameters)} if parameters else {}
    return {**taken, "responses": {"204": answer()}, **rest}


def with_parameters(*parameters: Json, path: str = "/x") -> Json:
    return document({path: {"get": operation(*parameters)}})


def with_answers(responses: Json, **rest: Any) -> Json:
    return document({"/x": {"get": operation(responses=responses, **rest)}})


def with_body(schema: Any, media: str = JSON, **rest: Any) -> Json:
    return document({"/x": {"post": operation(requestBody=content(schema, media, **rest))}})


def with_schemas(version: Any = "3.1.0", **schemas: Any) -> Json:
    """Each schema as the body of an operation of its own."""
    paths = {f"/{n}": {"post": operation(requestBody=content(ref(n)))} for n in schemas}
    return document(paths, schemas, version)


def understood(contract: Json) -> Contract:
    return understand(validated(json.loads(json.dumps(contract))))


def planned(contract: Json) -> str:
    """As far as generation goes without datamodel-code-generator: `operations.py`."""
    found = understood(contract)
    return operations(found, plan(found))


def rendered(contract: Json, folder: Path) -> dict[str, str]:
    source = folder / "contract.json"
    source.write_text(json.dumps(contract), encoding="utf-8")
    return render(source)


def generated(contract: Json, folder: Path, package: str = "generated") -> list[str]:
    """Write the package `<package>.contract` into `folder`; where it differs from the contract."""
    root = folder / package
    root.mkdir()
    (root / "__init__.py").touch()
    (root / "runtime").symlink_to(RUNTIME, target_is_directory=True)
    write(rendered(contract, folder), root / "contract")
    said = described(folder, f"{package}.contract")
    return differences(understood(contract), understood(said))
