"""Runs the generated code to see what it holds to, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from .compare.drift import differences
from .contract import Contract
from .document import Json, Refusal, parse, validated
from .reader import understand

# Warnings are errors: pydantic only warns of a field that shadows something of its own.
PROGRAM: Final = """
import importlib, json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
operations = importlib.import_module(sys.argv[2] + ".operations")
importlib.import_module(sys.argv[2] + ".api")
importlib.import_module(sys.argv[2] + ".client")
root = sys.argv[2].partition(".")[0]
operation = importlib.import_module(root + ".runtime.openapi.operation")
describe = importlib.import_module(root + ".runtime.openapi.describe")
found = [one for one in vars(operations).values() if isinstance(one, operation.Operation)]
print(json.dumps(describe.document(found)))
"""


def described(source: Path, package: str) -> Json:
    """What the generated package says of itself, as an OpenAPI document.

    Args:
        source: the folder that the package is imported from.
        package: the generated package's full name.
    """
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(source), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise Refusal("", f"the generated code does not load: {said[-1]}")
    return json.loads(done.stdout)


def prove(contract: Contract, source: Path, package: str) -> None:
    """Raises `Refusal` for what the contract says and the generated types do not hold to."""
    document = validated(parse(json.dumps(described(source, package))))
    found = differences(contract, understand(document))
    if found:
        pointer, _, rest = found[0].partition(": ")
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Refusal(pointer, f"cannot be expressed: {rest}{more}")
