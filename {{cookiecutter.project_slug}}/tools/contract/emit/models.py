"""`models.py`: the schemas, by datamodel-code-generator."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from ..contract import Contract
from ..document import Json, Refusal, escape, walk
from ..schemas import Schemas
from .text import HEADER

# Python 3.11 is the oldest that services are written for; the output is the same for all.
FLAGS: Final = (
    *("--input-file-type", "openapi", "--openapi-scopes", "schemas"),
    *("--output-model-type", "pydantic_v2.BaseModel", "--target-pydantic-version", "2.14"),
    *("--target-python-version", "3.11", "--formatters", "builtin", "--disable-timestamp"),
    *("--base-class", "contract_base.Model", "--output-datetime-class", "AwareDatetime"),
    *("--use-annotated", "--field-constraints", "--use-type-alias", "--use-standard-collections"),
    *("--use-union-operator", "--snake-case-field", "--capitalise-enum-members"),
    *("--strict-nullable", "--use-missing-sentinel", "--set-default-enum-member"),
    *("--enum-field-as-literal", "one"),
    *("--use-schema-description", "--use-single-line-docstring", "--use-double-quotes"),
)
DOC: Final = '"""The schemas of the contract, as types."""\n'


def models(contract: Contract) -> str:
    """The module's source. Raises `Refusal` when the generator gives up."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "contract", "version": "1"},
        "paths": {},
        "components": {"schemas": contract.schemas.components},
    }
    if not contract.schemas.components:
        return HEADER + DOC
    for name, schema in contract.schemas.components.items():
        _check_defaults(schema, contract.schemas.pointers[name], contract.schemas)
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        source, target = Path(folder, "schemas.json"), Path(folder, "models.py")
        source.write_text(json.dumps(document), encoding="utf-8")
        command = [sys.executable, "-m", "datamodel_code_generator", *FLAGS]
        done = subprocess.run(  # noqa: S603 - our own interpreter and flags
            [*command, "--input", str(source), "--output", str(target)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise Refusal("/components/schemas", f"datamodel-code-generator: {said[-1]}")
        text = target.read_text(encoding="utf-8")
    text = re.sub(r"\A(#.*\n)+", "", text).lstrip()
    text = text.replace("from contract_base import", "from ..runtime.openapi.model import")
    return HEADER + DOC + text


def _check_defaults(schema: Json, pointer: str, schemas: Schemas) -> None:
    for where, node in walk(schema, pointer):
        properties = node.get("properties") if isinstance(node, dict) else None
        for name, one in properties.items() if isinstance(properties, dict) else ():
            if isinstance(one, dict) and not _stands(one.get("default"), one, schemas):
                reason = "a default that is more than its JSON: nothing would make it of its type"
                raise Refusal(f"{where}/properties/{escape(name)}/default", reason)


def _stands(value: Any, schema: Json, schemas: Schemas, *, inside: bool = False) -> bool:
    """Whether a JSON value is one of the generated type, without being validated."""
    schema = schemas.resolve(schema)
    for variant in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if not _stands(value, variant, schemas, inside=inside):
            return False
    if isinstance(value, list):
        items = schema.get("items", {})
        return all(_stands(one, items, schemas, inside=True) for one in value)
    if isinstance(value, dict):
        extra = schema.get("additionalProperties")
        rest = extra if isinstance(extra, dict) else {}
        members = (_stands(one, rest, schemas, inside=True) for one in value.values())
        return "properties" not in schema and all(members)
    # An enum's own default is written as its member.
    return not (inside and "enum" in schema) and not (isinstance(value, str) and "format" in schema)
