"""`operations.py`: the results, and every operation as a value."""

from collections.abc import Iterator
from typing import Any

from ..contract import Contract, Operation
from ..document import Refusal
from ..naming import snake
from .plan import AnswerPlan, OperationPlan, ResultPlan
from .text import HEADER, docstring, literal, mapping, sentence


def operations(contract: Contract, plans: list[OperationPlan]) -> str:
    """The module's source, not yet formatted."""
    parts = [
        HEADER + docstring("What can be called, and how each operation ends."),
        "from collections.abc import AsyncIterator",
        "from dataclasses import dataclass",
        "from typing import Any, ClassVar",
        "from ..runtime.openapi.operation import (",
        "    Answer, Body, Header, Need, Operation, Parameter, Result, Scheme,",
        ")",
        "from . import models",
        "",
    ]
    used = {scheme for one in plans for way in one.operation.security for scheme in way}
    for name in sorted(used):
        if name not in contract.security_schemes:
            raise Refusal("/components/securitySchemes", f"{name!r} is not declared")
        definition = contract.security_schemes[name]
        _scheme(name, definition)
        parts.append(f"{_constant(name)} = Scheme({name!r}, {_without_notes(definition)!r})")
    results = [result for one in plans for answer in one.answers for result in answer.results]
    parts += [_result(one) for one in {id(one): one for one in results}.values()]
    parts += [_operation(one) for one in plans]
    return "\n\n".join(parts) + "\n"


def _scheme(name: str, definition: Any) -> None:
    kind = definition["type"]
    if kind == "mutualTLS" or (
        kind == "http" and definition["scheme"].lower() not in ("bearer", "basic")
    ):
        raise Refusal(f"/components/securitySchemes/{name}", "only bearer, basic and API keys")


def _without_notes(definition: Any) -> Any:
    return {key: value for key, value in definition.items() if key != "description"}


def _constant(name: str) -> str:
    return f"_{snake(name).upper()}"


def _result(result: ResultPlan) -> str:
    lines = [
        "@dataclass(frozen=True, slots=True, kw_only=True)",
        f"class {result.name}(Result):",
        docstring(sentence(result.description) or f"Status {result.status}.", indent="    "),
        "",
        f"    status: ClassVar[int] = {result.status}"
        if result.status.isdigit()
        else "    status: int",
    ]
    if result.media is not None:
        lines += [f"    media: ClassVar[str | None] = {result.media!r}", f"    body: {result.body}"]
    for header, name, kind in result.headers:
        lines.append(f"    {name}: {kind}" + ("" if header.required else " | None = None"))
    return "\n".join(lines)


def _operation(plan: OperationPlan) -> str:
    operation = plan.operation
    lines = [f"{plan.constant}: Operation[{plan.returns}] = Operation("]
    lines += [
        f"id={operation.id!r},",
        f"method={operation.method!r},",
        f"path={operation.path!r},",
        f"tag={operation.tag!r},",
    ]
    if operation.summary:
        lines.append(f"summary={literal(operation.summary)},")
    if operation.description:
        lines.append(f"description={literal(operation.description)},")
    if operation.deprecated:
        lines.append("deprecated=True,")
    if plan.parameters:
        lines += ["parameters=(", *_parameters(plan), "),"]
    if plan.body:
        lines.append(_body(plan))
    lines += ["answers={", *(_answer(one) for one in plan.answers), "},"]
    lines += _security(operation)
    extensions = operation.extensions
    if "x-deadline" in extensions:
        lines.append(f"deadline={float(extensions['x-deadline'])!r},")
    if extensions.get("x-key-route"):
        lines.append("key_route=True,")
    if "x-priority" in extensions:
        lines.append("critical=True,")
    if plan.stream:
        lines.append("stream=True,")
    return "\n".join([*lines, ")"])


def _parameters(plan: OperationPlan) -> Iterator[str]:
    for one, kind in zip(plan.operation.parameters, plan.parameters, strict=True):
        words = [repr(one.python), repr(one.location), repr(one.name), kind]
        if one.required:
            words.append("required=True")
        if "default" in one.schema:
            words.append(f"default={one.schema['default']!r}")
        if one.style != "simple":
            words.append(f"style={one.style!r}")
        if one.explode:
            words.append("explode=True")
        if one.description:
            words.append(f"description={literal(one.description)}")
        if one.deprecated:
            words.append("deprecated=True")
        yield f"Parameter({', '.join(words)}),"


def _body(plan: OperationPlan) -> str:
    operation = plan.operation
    content = ", ".join(f"{media!r}: {kind}" for media, kind in plan.body.items())
    words = [mapping(content)]
    if not operation.body_required:
        words.append("required=False")
    if operation.body_description:
        words.append(f"description={literal(operation.body_description)}")
    if operation.body_encoding:
        words.append(f"styles={operation.body_encoding!r}")
    return f"body=Body({', '.join(words)}),"


def _answer(plan: AnswerPlan) -> str:
    answer = plan.answer
    words = [literal(answer.description)]
    if plan.content:
        content = ", ".join(f"{media!r}: {kind}" for media, kind in plan.content.items())
        words.append(mapping(content))
    if plan.headers:
        headers = []
        for header, name, kind in plan.headers:
            said = [repr(name), repr(header.name), kind]
            if header.required:
                said.append("required=True")
            if header.description:
                said.append(f"description={literal(header.description)}")
            headers.append(f"Header({', '.join(said)}),")
        words.append(f"headers=({' '.join(headers)})")
    if plan.results:
        words.append(f"results=({', '.join(one.name for one in plan.results)},)")
    return f"{answer.status!r}: Answer({', '.join(words)}),"


def _security(operation: Operation) -> Iterator[str]:
    ways = [way for way in operation.security if way]
    if not ways:
        return
    for way in ways:
        if len(way) > 1:
            where = f"{operation.pointer}/security"
            raise Refusal(where, f"two schemes at once: {', '.join(way)}")
    needs = []
    for way in ways:
        [(name, scopes)] = way.items()
        said = f", ({', '.join(map(repr, scopes))},)" if scopes else ""
        needs.append(f"Need({_constant(name)}{said}),")
    yield f"security=({' '.join(needs)}),"
    if len(ways) < len(operation.security):
        yield "optional_security=True,"
