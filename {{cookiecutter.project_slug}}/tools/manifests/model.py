"""What the checks look at, and what they say."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        where: the folder that was rendered and the object in it, or a file.
        rule: the name of the rule, as `check/what-it-asks`.
        message: what is wrong and what would be right.
    """

    where: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that could not be made here, and what it lacks; CI asks for all (`--strict`)."""

    check: str
    reason: str


def kind_and_name(manifest: Manifest) -> str:
    """`Deployment/orders`, for people."""
    return f"{manifest.get('kind', '?')}/{manifest.get('metadata', {}).get('name', '?')}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """All objects of one folder, as `kubectl apply -k` would send them.

    Attributes:
        name: the folder, relative to the service's.
    """

    name: str
    objects: Sequence[Manifest]

    def of_kind(self, *kinds: str) -> Iterator[Manifest]:
        """In the order of the output."""
        return (one for one in self.objects if one.get("kind") in kinds)

    def find(self, kind: str, name: str) -> Manifest | None:
        """The object of this kind and name, if it is among these."""
        return next((o for o in self.of_kind(kind) if o["metadata"]["name"] == name), None)

    def finding(self, manifest: Manifest, rule: str, message: str) -> Finding:
        """One about this object."""
        return Finding(f"{self.name}: {kind_and_name(manifest)}", rule, message)


@dataclass(frozen=True, slots=True)
class Project:
    """The service's folder and everything rendered from it.

    Attributes:
        root: the service's folder.
        rendered: one entry for each folder that is applied as it is.
        crds: definitions of custom resources, as Kubernetes has them; empty: there are none.
        versions: the versions of Kubernetes that are supported, such as `1.35`.
    """

    root: Path
    rendered: Sequence[Rendered]
    crds: Sequence[Manifest] = field(default=())
    versions: Sequence[str] = field(default=())


Check = Callable[[Project], Iterable[Finding | Skipped]]
