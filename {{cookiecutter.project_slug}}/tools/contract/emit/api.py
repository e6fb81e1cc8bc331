"""`api.py`: a protocol per tag to implement, and the router that binds it."""

from ..contract import by_tag
from ..naming import pascal, snake, unique
from .plan import OperationPlan
from .text import HEADER, docstring, sentence


def api(plans: list[OperationPlan]) -> str:
    """The module's source, not yet formatted."""
    by_id = {id(one.operation): one for one in plans}
    tags = [
        (tag, [by_id[id(one)] for one in found])
        for tag, found in by_tag([one.operation for one in plans])
    ]
    taken = {"authorize", "check", "bind", "bind_stream"}
    names = {tag: unique(snake(tag), taken) for tag, _ in tags}
    classes: set[str] = set()
    classnames = {tag: unique(f"{pascal(tag)}Api", classes) for tag, _ in tags}
    parts = [
        HEADER + docstring("What to implement, one class per tag, and the router that binds it."),
        "from abc import abstractmethod",
        "from collections.abc import AsyncIterator",
        "from typing import Any, Protocol",
        "from ..runtime.http.authorization import Authorize",
        "from ..runtime.http.operations import OperationRouter, bind, bind_stream",
        "from . import models, operations",
    ]
    for tag, found in tags:
        doc = docstring(f"The operations of the tag `{tag}`.", indent="    ")
        methods = [_method(one) for one in found]
        parts.append("\n".join([f"class {classnames[tag]}(Protocol):", doc, *methods]))
    secured = any(way for one in plans for way in one.operation.security)
    parts.append(_build_router([(names[t], classnames[t], found) for t, found in tags], secured))
    return "\n\n".join(parts) + "\n"


def signature(arguments: list[str]) -> str:
    """`self` and the keywords of a method."""
    return ", ".join(["self", *(["*"] if arguments else []), *arguments])


def _method(plan: OperationPlan) -> str:
    operation = plan.operation
    # An async generator is called, not awaited.
    begin = "def" if plan.stream else "async def"
    return "\n".join(
        [
            "",
            "    @abstractmethod",
            f"    {begin} {operation.python}({signature(_handed(plan))}) -> {returned(plan)}:",
            docstring(
                sentence(operation.summary) or f"`{operation.method} {operation.path}`.",
                operation.description,
                indent="        ",
            ),
        ]
    )


def _handed(plan: OperationPlan) -> list[str]:
    return [f"{name}: {kind}" for name, kind in plan.arguments]


def returned(plan: OperationPlan) -> str:
    """What a method gives back, as another module names it."""
    results = [result.name for one in plan.answers for result in one.results]
    return " | ".join(
        f"operations.{kind}" if kind in results else kind for kind in plan.returns.split(" | ")
    )


def _build_router(tags: list[tuple[str, str, list[OperationPlan]]], secured: bool) -> str:
    arguments = [f"{name}: {classname}" for name, classname, _ in tags]
    if secured:
        arguments.append("authorize: Authorize")
    arguments.append("check: bool = False")
    binds = [
        f"bind{'_stream' if one.stream else ''}"
        f"(operations.{one.constant}, {name}.{one.operation.python}),"
        for name, _, found in tags
        for one in found
    ]
    doc = docstring(
        "Bind an implementation of every tag to the routes of the contract.",
        "Args:\n"
        + ("    authorize: verifies what callers show.\n" if secured else "")
        + "    check: hold every answer to the contract, for tests and development.",
        indent="    ",
    )
    return "\n".join(
        [
            f"def build_router(*, {', '.join(arguments)}) -> OperationRouter:",
            doc,
            "    return OperationRouter(",
            *binds,
            *(["authorize=authorize,"] if secured else []),
            "check=check,",
            ")",
        ]
    )
