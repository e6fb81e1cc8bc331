"""A mistake in the manifests, and the places where people make them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .support import overlay

BASE = "deploy/kustomize/base"
ACCOUNT = f"{BASE}/service-account.yaml"
BUDGET = f"{BASE}/disruption-budget.yaml"
CONFIG = f"{BASE}/kustomization.yaml"
DEPLOYMENT = f"{BASE}/deployment.yaml"
POLICY = f"{BASE}/network-policy.yaml"
SCALER = f"{BASE}/horizontal-pod-autoscaler.yaml"
SERVICE = f"{BASE}/service.yaml"
DEVELOPMENT = f"{overlay('dev')}/kustomization.yaml"
ENVIRONMENT = f"{overlay('production')}/environment.yaml"
KUSTOMIZATION = f"{overlay('production')}/kustomization.yaml"
NAMESPACE = f"{overlay('production')}/namespace.yaml"
MONITOR = "observability/service-monitor.yaml"
# The environment of the service in production.
SERVE = "- name: service\n          env:\n"
PRODUCTION = f"{SERVE}            - name: APP_ENVIRONMENT\n              value: production\n"


def variable(name: str, value: str) -> str:
    """`SERVE` with one more in it."""
    return f'{SERVE}            - name: {name}\n              value: "{value}"\n'


@dataclass(frozen=True, slots=True)
class Mistake:
    """One edit that must be found.

    Attributes:
        what: went wrong, in a few words.
        file: that it is in.
        old: the first of these is replaced by `new`; `<name>` is the service's.
        rule: that tells of it.
        also: rules that may.
        folder: that is rendered.
    """

    what: str
    file: str
    old: str
    new: str
    rule: str
    also: tuple[str, ...] = ()
    folder: str = overlay("production")

    def make(self, root: Path, names: Mapping[str, str]) -> None:
        """Make it in a copy."""
        file, text = root / self.file, (root / self.file).read_text(encoding="utf-8")
        one = self.named(names)
        assert one.old in text, f"{self.file} has no {one.old!r}"
        file.write_text(text.replace(one.old, one.new, 1), encoding="utf-8")

    def named(self, names: Mapping[str, str]) -> "Mistake":
        """With the service's own name in place of `<name>`."""
        old, new = self.old, self.new
        for key, value in names.items():
            old, new = old.replace(f"<{key}>", value), new.replace(f"<{key}>", value)
        return replace(self, old=old, new=new)
