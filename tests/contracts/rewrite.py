"""Says in OpenAPI 3.0 what a contract says in 3.1: for callers the same contract."""

from typing import Any

NULL = {"type": "null"}


def in_3_0(document: dict[str, Any]) -> dict[str, Any]:
    """A copy, as `openapi: 3.0.3`."""
    return {name: _node(value) for name, value in document.items()} | {"openapi": "3.0.3"}


def _node(node: Any) -> Any:
    if isinstance(node, list):
        return [_node(one) for one in node]
    if not isinstance(node, dict):
        return node
    out = {name: _node(value) for name, value in node.items()}
    kind = node.get("type")
    if isinstance(kind, list):
        [out["type"]] = [one for one in kind if one != "null"]
        if "null" in kind:
            out["nullable"] = True
    variants = node.get("anyOf")
    if isinstance(variants, list) and NULL in variants:
        out["anyOf"] = [_node(one) for one in variants if one != NULL]
        out["nullable"] = True
    if "const" in node:
        out["enum"] = [out.pop("const")]
    if isinstance(node.get("examples"), list):  # those of a media type have names, here and there
        out["example"] = out.pop("examples")[0]
    return out
