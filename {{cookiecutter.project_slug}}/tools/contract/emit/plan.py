"""The Python side of the contract: every type and name decided, ready to be written."""

from dataclasses import dataclass, field

from ..contract import Answer, Contract, Header, Operation
from ..document import Refusal, escape
from ..naming import pascal, snake, unique
from .types import Types, class_name

# What `operations.py` imports.
IMPORTED = {
    *("Answer", "Body", "Header", "Need", "Operation", "Parameter", "Result", "Scheme"),
    *("AsyncIterator", "ClassVar"),
}


@dataclass
class ResultPlan:
    """One class that a handler returns."""

    name: str
    status: str
    media: str | None
    body: str | None
    headers: list[tuple[Header, str, str]]  # the header, its field, its type
    description: str


@dataclass
class AnswerPlan:
    """One response: the type of each media type, the classes that say it."""

    answer: Answer
    content: dict[str, str]
    headers: list[tuple[Header, str, str]]
    results: list[ResultPlan] = field(default_factory=list)


@dataclass
class OperationPlan:
    """One operation in Python's terms; `returns` is what its handler gives back."""

    operation: Operation
    constant: str
    arguments: list[tuple[str, str]]  # keyword and type, as the handler gets them
    parameters: list[str]  # types in the order of the operation's parameters
    body: dict[str, str]
    answers: list[AnswerPlan]
    returns: str

    @property
    def stream(self) -> bool:
        """Whether the handler is an async iterator."""
        return bool(self.operation.extensions.get("x-stream"))


def plan(contract: Contract) -> list[OperationPlan]:
    """Decide on every operation. Raises `Refusal`."""
    constants = {snake(one.python).upper() for one in contract.operations}
    types, shared = Types(contract.schemas), Shared(constants | IMPORTED)
    return [_operation(one, types, shared) for one in contract.operations]


class Shared:
    """Results of responses that several operations refer to, made once."""

    def __init__(self, taken: set[str]) -> None:
        self._known: dict[tuple[str, str], list[ResultPlan]] = {}
        self._taken = taken

    def results(self, one: AnswerPlan, stem: str) -> list[ResultPlan]:
        """The classes of one response, one for each of its media types."""
        key = (one.answer.pointer, one.answer.status)
        if key not in self._known:
            name = one.answer.component or f"{stem}{one.answer.status.title()}"
            self._known[key] = list(_results(one, unique(name, self._taken)))
        return self._known[key]


def _operation(operation: Operation, types: Types, shared: Shared) -> OperationPlan:
    stem = class_name(operation)
    arguments, parameters = [], []
    body = {
        media: types.body(
            media,
            schema,
            f"{stem}Request",
            f"{operation.pointer}/requestBody/content/{escape(media)}/schema",
        )
        for media, schema in operation.body.items()
    }
    if body:
        kind = " | ".join(dict.fromkeys(body.values()))
        arguments.append(("body", kind if operation.body_required else f"{kind} | None"))
    for one in operation.parameters:
        hint = one.component or f"{stem}{pascal(one.name)}"
        kind = types.of(one.schema, hint, f"{one.pointer}/schema")
        parameters.append(kind)
        absent = one.required or "default" in one.schema or kind.endswith("None")
        arguments.append((one.python, kind if absent else f"{kind} | None"))
    answers = [_answer(one, stem, types) for one in operation.answers]
    returns = _returns(operation, answers, stem, shared)
    return OperationPlan(
        operation, snake(operation.python).upper(), arguments, parameters, body, answers, returns
    )


def _answer(answer: Answer, stem: str, types: Types) -> AnswerPlan:
    content = {
        media: types.body(
            media,
            schema,
            answer.component or f"{stem}{answer.status.title()}Body",
            f"{answer.pointer}/content/{escape(media)}/schema",
        )
        for media, schema in answer.content.items()
    }
    taken = {"body", "status", "media"}
    headers = []
    for header in answer.headers:
        hint = header.component or f"{stem}{pascal(header.name)}"
        kind = types.of(header.schema, hint, f"{header.pointer}/schema")
        headers.append((header, unique(snake(header.name), taken), kind))
    return AnswerPlan(answer, content, headers)


def _returns(operation: Operation, answers: list[AnswerPlan], stem: str, shared: Shared) -> str:
    good = [one for one in answers if not one.answer.is_error]
    if not good:
        raise Refusal(f"{operation.pointer}/responses", "no response says how it ends well")
    if operation.extensions.get("x-stream"):
        [*rest] = [one for one in good if one.answer.status != "200" or one.headers]
        if rest or len(good[0].content) != 1:
            reason = "a stream answers with 200, one media type and no headers"
            raise Refusal(f"{operation.pointer}/responses", reason)
        return "AsyncIterator[bytes]"
    bare = len(good) == 1 and good[0].answer.status.isdigit() and len(good[0].content) < 2
    kinds = []
    if bare and not good[0].headers:
        kinds.append(next(iter(good[0].content.values()), "None"))
        good = []
    for one in answers:
        if one in good or (one.answer.is_error and not one.answer.is_problem):
            one.results = shared.results(one, stem)
            kinds += [result.name for result in one.results]
    return " | ".join(dict.fromkeys(kinds))


def _results(one: AnswerPlan, name: str) -> list[ResultPlan]:
    answer = one.answer
    cases: list[tuple[str | None, str | None]] = [*one.content.items()] or [(None, None)]
    return [
        ResultPlan(
            name=f"{name}{pascal(media or '') if len(cases) > 1 else ''}",
            status=answer.status,
            media=media,
            body=body,
            headers=one.headers,
            description=answer.description,
        )
        for media, body in cases
    ]
