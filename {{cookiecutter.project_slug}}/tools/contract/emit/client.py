"""`client.py`: the typed client, with one exception type per problem."""

from ..contract import Contract
from ..document import Json
from ..naming import pascal, unique
from .api import returned, signature
from .plan import AnswerPlan, OperationPlan
from .text import HEADER, docstring, mapping, sentence
from .types import class_name

Errors = dict[str, tuple[str, dict[str, str]]]  # by status: the class, and one per variant


def client(contract: Contract, plans: list[OperationPlan]) -> str:
    """The module's source, not yet formatted."""
    emitter = _Emitter(contract)
    errors = {one.operation.id: emitter.errors(one) for one in plans}
    parts = [
        HEADER
        + docstring("A client of this API, over the outbound client, with its deadline and trace."),
        "from collections.abc import AsyncIterator",
        "from typing import Any",
        "from ..runtime.outbound.operations import (",
        "    ApiError, Errors, OperationClient, Unavailable,",
        ")",
        "from . import models, operations",
        *emitter.classes,
        *(_table(one, errors[one.operation.id]) for one in plans if errors[one.operation.id]),
        "class ApiClient(OperationClient):\n"
        + docstring(
            "Every operation of the contract. What is declared as an error is raised.",
            indent="    ",
        )
        + "\n"
        + "\n".join(_method(one, errors[one.operation.id]) for one in plans),
    ]
    return "\n\n".join(parts) + "\n"


class _Emitter:
    def __init__(self, contract: Contract) -> None:
        self._schemas = contract.schemas
        self._taken = {
            *("ApiClient", "ApiError", "Errors", "OperationClient", "Unavailable"),
            "AsyncIterator",
        }
        self._known: dict[tuple[str, str], str] = {}
        self.classes: list[str] = []

    def errors(self, plan: OperationPlan) -> Errors:
        """The exception of each declared error; of each variant, where its body is a union."""
        found: Errors = {}
        for one in plan.answers:
            if not one.answer.is_error:
                continue
            status = one.answer.status
            name = one.answer.component or f"{class_name(plan.operation)}{status.title()}Error"
            kind = " | ".join(dict.fromkeys(one.content.values())) or "None"
            base = self._class(one, name, kind, f"ApiError[{kind}]", one.answer.description)
            variants = {}
            for schema in one.answer.content.values():
                for variant in self._variants(schema):
                    doc = self._schemas.components[variant].get("description", "")
                    variants[f"models.{variant}"] = self._class(one, variant, "", base, doc)
            found[status] = base, variants
        return found

    def _variants(self, schema: Json) -> list[str]:
        union = self._schemas.resolve(schema).get("oneOf", ())
        return [variant["$ref"].rpartition("/")[2] for variant in union]

    def _class(self, one: AnswerPlan, name: str, kind: str, base: str, doc: str) -> str:
        key = (one.answer.pointer, name)
        if key not in self._known:
            if name in self._taken and not kind:  # a union's variant
                name = f"{base}{name}"
            self._known[key] = unique(pascal(name), self._taken)
            bases = base
            if one.answer.status[0] == "5" or one.answer.status == "429":
                bases = f"{base}, Unavailable" if base.startswith("ApiError") else base
            about = docstring(sentence(doc) or f"Status {one.answer.status}.", indent="    ")
            self.classes.append(f"class {self._known[key]}({bases}):\n{about}")
        return self._known[key]


def _table(plan: OperationPlan, errors: Errors) -> str:
    rows = []
    for status, (name, variants) in errors.items():
        inner = "".join(f"{model}: {error}, " for model, error in variants.items())
        rows.append(f"{status!r}: ({name}, " + mapping(inner) + "),")
    return "\n".join([f"_{plan.constant}_ERRORS: Errors = " + "{", *rows, "}"])


def _sent(plan: OperationPlan) -> list[str]:
    """What may be left out is None, whatever the service then takes in its place."""
    optional = {one.python for one in plan.operation.parameters if not one.required}
    if not plan.operation.body_required:
        optional.add("body")
    return [
        f"{name}: {kind.removesuffix(' | None')} | None = None"
        if name in optional
        else f"{name}: {kind}"
        for name, kind in plan.arguments
    ]


def _method(plan: OperationPlan, errors: Errors) -> str:
    operation = plan.operation
    raised = [name for base, variants in errors.values() for name in (base, *variants.values())]
    call = "self._stream" if plan.stream else "await self._call"
    begin = "def" if plan.stream else "async def"
    arguments = ", ".join(f"{name!r}: {name}" for name, _ in plan.arguments)
    table = f"_{plan.constant}_ERRORS" if errors else "{}"
    return "\n".join(
        [
            "",
            f"    {begin} {operation.python}({signature(_sent(plan))}) -> {returned(plan)}:",
            docstring(
                sentence(operation.summary) or f"`{operation.method} {operation.path}`.",
                f"Raises:\n    {', '.join(dict.fromkeys(raised))}" if raised else "",
                indent="        ",
            ),
            f"        return {call}(operations.{plan.constant}, {table}, {mapping(arguments)})",
        ]
    )
