"""What an object may do against a rule, with the reason beside it.

An annotation for each, `manifests.exceptions/<rule>: <reason>`. A rule of a linter that has no
place for a reason is named with it: `manifests.exceptions/kube-score.deployment-replicas`.
"""

from collections.abc import Mapping

from .model import Manifest

PREFIX = "manifests.exceptions/"
LEAST = 15  # characters: "todo" and "n/a" are no reasons


def annotations(manifest: Manifest) -> Mapping[str, str]:
    """Of the object itself, not of its pods."""
    found = (manifest.get("metadata") or {}).get("annotations") or {}
    return {str(key): str(value) for key, value in found.items()}


def exceptions(manifest: Manifest) -> Mapping[str, str]:
    """The rules that need not hold for this object, with the reason of each."""
    return {
        key.removeprefix(PREFIX): reason.strip()
        for key, reason in annotations(manifest).items()
        if key.startswith(PREFIX)
    }


def is_reason(text: str) -> bool:
    """Whether it says anything."""
    return len(text.strip()) >= LEAST
