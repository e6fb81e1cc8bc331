"""Stands in for kubectl and for what a cluster does by itself: objects in a file, real patches.

`CLUSTER` names the file. A Deployment has its pods at once; one whose image says `crash` never.
"""

import copy
import fcntl
import json
import os
import sys
from pathlib import Path
from typing import Any


def member(document: Any, pointer: str) -> tuple[Any, Any]:
    """What holds the value of a JSON pointer, and its key there."""
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in path:
        document = document[int(part) if isinstance(document, list) else part]
    return document, int(last) if isinstance(document, list) else last


def json_patch(document: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902, as far as it is asked for."""
    document = copy.deepcopy(document)
    for operation in operations:
        holder, key = member(document, operation["path"])
        if operation["op"] == "test":
            if holder[key] != operation["value"]:
                sys.exit(f"the server rejected our request: test failed: {operation}")
        elif operation["op"] == "replace":
            assert holder[key] is not None
            holder[key] = operation["value"]
        else:
            sys.exit(f"unknown operation {operation['op']}")
    return document


def merge_patch(document: Any, change: Any) -> Any:
    """RFC 7386."""
    if not isinstance(change, dict):
        return change
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def settle(one: dict[str, Any]) -> dict[str, Any]:
    """As the server and its controller would."""
    if not one["metadata"].get("annotations", True):
        del one["metadata"]["annotations"]
    if one["kind"] == "Deployment":
        image = one["spec"]["template"]["spec"]["containers"][0]["image"]
        pods = one["spec"].setdefault("replicas", 1)
        one["status"] = {"availableReplicas": 0 if "crash" in image else pods}
    return one


def main(words: list[str], objects: dict[str, Any]) -> None:
    """One call; changes `objects`."""
    options = dict(word.removeprefix("--").partition("=")[::2] for word in words if "=" in word)
    verb, *names = [word for word in words if not word.startswith("-")]
    key = "/".join(names[-1].split("/") if verb == "rollout" else names)
    if verb == "create":
        one = json.load(sys.stdin)
        key = f"{one['kind'].lower()}/{one['metadata']['name']}"
        if key in objects:
            sys.exit(f'Error from server (AlreadyExists): "{key}" already exists')
        objects[key] = settle(one)
    elif verb == "get":
        print(json.dumps(objects[key]) if key in objects else "")
    elif verb == "delete":
        objects.pop(key, None)
    elif key not in objects:
        sys.exit(f'Error from server (NotFound): "{key}" not found')
    elif verb == "patch":
        apply = {"json": json_patch, "merge": merge_patch}[options["type"]]
        objects[key] = settle(apply(objects[key], json.loads(options["patch"])))
    elif verb == "rollout":
        if objects[key]["status"]["availableReplicas"] != objects[key]["spec"]["replicas"]:
            sys.exit("error: exceeded its progress deadline")
    else:
        sys.exit(f"unknown command {verb}")


if __name__ == "__main__":
    file = Path(os.environ["CLUSTER"])
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        objects = json.loads(file.read_text())
        before = copy.deepcopy(objects)
        main(sys.argv[1:], objects)
        if objects != before:
            new = file.with_suffix(".new")
            new.write_text(json.dumps(objects))
            new.rename(file)
