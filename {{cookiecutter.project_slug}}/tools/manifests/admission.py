"""What the policies of a cluster answer to an object: Kubernetes' own and Kyverno's, in CEL."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cel

from .model import Manifest, kind_and_name
from .pods import matches

# Kubernetes' own needs a binding to do anything; Kyverno's does not.
NATIVE, KYVERNO = "ValidatingAdmissionPolicy", "ValidatingPolicy"
# Label that the API server gives every namespace.
NAME = "kubernetes.io/metadata.name"
RULE = re.compile(r"([a-z0-9-]+): ")

Expression = Callable[[cel.Context], Any]


class PolicyError(Exception):
    """A policy that cannot be evaluated; the message says which part of it, and why."""


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks for an object.

    Attributes:
        namespace: the Namespace that it goes to; none where it belongs to none.
        operation: `CREATE` or `UPDATE`, which is an update that changes nothing.
        subresource: what is updated of it, such as `ephemeralcontainers`.
    """

    object: Manifest
    namespace: Manifest | None = None
    operation: str = "CREATE"
    subresource: str = ""

    @property
    def labels(self) -> Mapping[str, str] | None:
        """Those that a `namespaceSelector` looks at; none where it looks at nothing."""
        kind = self.object.get("kind")
        home = self.object if kind == "Namespace" else self.namespace
        if home is None:
            return None
        own: Mapping[str, str] = home["metadata"].get("labels") or {}
        return {NAME: home["metadata"]["name"], **own}

    @property
    def resource(self) -> str:
        """As rules name it: `pods/ephemeralcontainers`."""
        name = plural(self.object["kind"])
        return f"{name}/{self.subresource}" if self.subresource else name

    def variables(self) -> dict[str, Any]:
        """What expressions may use, but for `variables`."""
        updated = self.operation == "UPDATE"
        metadata = self.object["metadata"]
        return {
            "object": self.object,
            "oldObject": self.object if updated else None,
            "namespaceObject": self.namespace,
            "params": None,
            "request": {
                "operation": self.operation,
                "name": metadata.get("name", ""),
                "namespace": metadata.get("namespace", ""),
                "subResource": self.subresource,
            },
        }


def plural(kind: str) -> str:
    """The resource of a kind, as the API server derives it where nothing else is said."""
    name = kind.lower()
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


@dataclass(frozen=True)
class Policy:
    """One policy and, for Kubernetes' own, what binds it.

    Raises:
        PolicyError: an expression cannot be read, or it uses what is not evaluated here.
    """

    manifest: Manifest
    bindings: Sequence[Manifest] = ()
    _programs: dict[str, Expression] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if "paramKind" in self.spec:
            raise PolicyError(f"{self.name}: paramKind is not evaluated here")
        parts = ("matchConditions", "variables", "validations")
        for expression in (one for part in parts for one in self.spec.get(part) or ()):
            for text in (expression["expression"], expression.get("messageExpression")):
                if text:
                    self._programs[text] = self._compiled(text)

    def _compiled(self, text: str) -> Expression:
        try:
            return cel.compile(text).execute
        except ValueError as exc:
            raise PolicyError(f"{self.name}: {text}: {exc}") from None

    @property
    def name(self) -> str:
        """`ValidatingPolicy/orders-pods`, for people."""
        return kind_and_name(self.manifest)

    @property
    def spec(self) -> Mapping[str, Any]:
        """As its author wrote it."""
        spec: Mapping[str, Any] = self.manifest["spec"]
        return spec

    def rules(self) -> list[str]:
        """The names that its messages begin with."""
        return [rule(one.get("message", ""), self.name) for one in self.spec["validations"]]

    def concerns(self, request: Request) -> bool:
        """Whether it is asked about such a request at all."""
        if not _constrained(self.spec.get("matchConstraints") or {}, request):
            return False
        if self.manifest["kind"] == KYVERNO:
            return True
        limits = (one["spec"].get("matchResources") or {} for one in self.bindings)
        return any(_constrained({"resourceRules": [ANY], **one}, request) for one in limits)

    def denials(self, request: Request) -> Iterator[str]:
        """Why it refuses the request: nothing where it does not.

        What an expression cannot evaluate is refused, unless `failurePolicy` is `Ignore`.
        """
        if not self.concerns(request):
            return
        # Made once: it takes a hundred times as long as most expressions.
        known = cel.Context(variables=request.variables())
        conditions = [self._run(one, known) for one in self.spec.get("matchConditions") or ()]
        if False in conditions:
            return
        ignores = self.spec.get("failurePolicy") == "Ignore"
        for condition in conditions:
            if condition is not True:
                yield from () if ignores else (f"{self.name}: a condition fails: {condition}",)
                return
        values: dict[str, Any] = {}
        for variable in self.spec.get("variables") or ():
            value = self._run(variable, known)
            if not isinstance(value, _Failed):  # else who uses it fails, and nobody but them
                values[variable["name"]] = value
                known.add_variable("variables", values)
        for validation in self.spec["validations"]:
            outcome = self._run(validation, known)
            if outcome is True or (ignores and isinstance(outcome, _Failed)):
                continue
            why = f" ({outcome})" if isinstance(outcome, _Failed) else ""
            yield self._message(validation, known) + why

    def _message(self, validation: Mapping[str, Any], known: cel.Context) -> str:
        if "messageExpression" in validation:
            said = self._run({"expression": validation["messageExpression"]}, known)
            if isinstance(said, str) and said.strip():
                return said
        return str(validation.get("message") or f"failed: {validation['expression']}")

    def _run(self, one: Mapping[str, Any], known: cel.Context) -> Any:
        try:
            return self._programs[one["expression"]](known)
        except (KeyError, TypeError, ValueError, RuntimeError) as exc:
            return _Failed(f"{type(exc).__name__}: {exc}")


class _Failed(str):
    """What an expression said instead of a value."""

    __slots__ = ()


def rule(message: str, otherwise: str) -> str:
    """The name that a message begins with."""
    found = RULE.match(message)
    return found[1] if found else otherwise


ANY: Mapping[str, Sequence[str]] = {
    "apiGroups": ["*"],
    "apiVersions": ["*"],
    "operations": ["*"],
    "resources": ["*/*"],
}


def _constrained(constraints: Mapping[str, Any], request: Request) -> bool:
    labels, own = request.labels, request.object["metadata"].get("labels") or {}
    if labels is not None and not matches(constraints.get("namespaceSelector") or {}, labels):
        return False
    if not matches(constraints.get("objectSelector") or {}, own):
        return False
    if any(_ruled(one, request) for one in constraints.get("excludeResourceRules") or ()):
        return False
    return any(_ruled(one, request) for one in constraints.get("resourceRules") or ())


def _ruled(one: Mapping[str, Any], request: Request) -> bool:
    group, _, version = str(request.object["apiVersion"]).rpartition("/")
    names = one.get("resourceNames") or ()
    resource, _, subresource = request.resource.partition("/")
    wild = {f"*/{subresource}", f"{resource}/*", "*/*"} | (set() if subresource else {"*"})
    return (
        _listed(group, one["apiGroups"])
        and _listed(version, one["apiVersions"])
        and _listed(request.operation, one["operations"])
        and not wild.union({request.resource}).isdisjoint(one["resources"])
        and (not names or request.object["metadata"].get("name") in names)
    )


def _listed(name: str, names: Iterable[str]) -> bool:
    return not {name, "*"}.isdisjoint(names)


def policies(objects: Sequence[Manifest]) -> list[Policy]:
    """Those among some objects, each with its bindings.

    Raises:
        PolicyError: one of them cannot be evaluated.
    """
    bound: dict[str, list[Manifest]] = {}
    for one in objects:
        if one.get("kind") == f"{NATIVE}Binding":
            bound.setdefault(one["spec"]["policyName"], []).append(one)
    return [
        Policy(one, bound.get(one["metadata"]["name"], ()))
        for one in objects
        if one.get("kind") in (NATIVE, KYVERNO)
    ]
