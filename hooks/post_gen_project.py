"""Makes the rendered folder the service that was asked for, and says what to do next.

Cookiecutter renders this file with Jinja and runs the copy inside the new folder.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ETCD: Final = (
    "src/<package>/runtime/config/sources/etcd.py",
    "src/<package>/runtime/config/sources/etcd_api.py",
    "tests/integration/config_center/etcd",
    "tests/support/etcd.py",
    "tools/drill/etcd.py",
)
CONSUL: Final = (
    "src/<package>/runtime/config/sources/consul.py",
    "tests/integration/config_center/consul",
    "tests/support/consul.py",
)
NACOS: Final = (
    "src/<package>/runtime/config/sources/nacos.py",
    "src/<package>/runtime/config/sources/nacos_api.py",
    "tests/integration/config_center/nacos",
    "tests/support/nacos.py",
)
ASKING: Final = "src/<package>/runtime/config/sources/asking.py"

GATEWAY: Final = (
    "deploy/kustomize/components/gateway-api",
    "tests/deploy/canary",
    "tools/canary",
)
ROLLOUTS: Final = (
    "deploy/kustomize/components/argo-rollouts",
    "tests/deploy/analysis",
)

# Question and answer, then what that answer has no use for. A single file that needs no import
# switches by its own conditional name instead.
PRUNE: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("database", "sql"): ("tools/grow/texts/tag/memory.py.txt",),
    ("database", "none"): (
        "src/<package>/gateways/sql",
        "src/<package>/runtime/database",
        "tests/integration/sql",
        "tools/grow/texts/tag/sql",
    ),
    ("auth", "none"): (
        "src/<package>/runtime/auth",
        "tests/integration/auth",
    ),
    ("config_center", "none"): (
        *ETCD,
        *CONSUL,
        *NACOS,
        ASKING,
        "src/<package>/runtime/config/sources/address.py",
        "src/<package>/runtime/config/sources/certificates.py",
        "src/<package>/runtime/config/sources/remote.py",
        "tests/integration/config_center",
        "tests/support/centre.py",
    ),
    ("config_center", "etcd"): (*CONSUL, *NACOS, ASKING),
    ("config_center", "consul"): (*ETCD, *NACOS),
    ("config_center", "nacos"): (*ETCD, *CONSUL),
    ("progressive_delivery", "none"): (
        *GATEWAY,
        *ROLLOUTS,
        "deploy/kustomize/components",
        "tests/support/prometheus.py",
    ),
    ("progressive_delivery", "gateway-api"): ROLLOUTS,
    ("progressive_delivery", "argo-rollouts"): GATEWAY,
    ("gitops", "none"): ("deploy/argocd",),
    ("multi_cluster", "none"): ("deploy/kustomize/overlays/multi-cluster",),
    ("edge", "none"): (
        "deploy/kustomize/overlays/edge",
        "deploy/kustomize/overlays/edge-sites",
        "tests/deploy/edge",
    ),
    ("edge", "k3s"): ("deploy/kustomize/overlays/edge-sites",),
    ("policy", "none"): (
        "deploy/compliance.md",
        "deploy/policies",
        "tests/deploy/policies",
        "tools/manifests/admission.py",
        "tools/manifests/checks/policies.py",
    ),
    ("helm", "no"): ("tests/deploy/chart", "tools/chart"),
    ("ci", "gitlab"): (".github",),
    ("ci", "none"): (".github",),
}

# What tools leave behind in the template folder when they run there.
LEFTOVERS: Final = ("__pycache__", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache")

# The tests are valid Python in the template because they import the package by this name.
PLACEHOLDER: Final = re.compile(rb"\bsteadfast_service\b")


def pruned(answers: Mapping[str, str]) -> Iterator[str]:
    """Yield the paths, relative to the service, that these answers have no use for."""
    for (question, answer), paths in PRUNE.items():
        if answers[question] == answer:
            for path in paths:
                yield path.replace("<package>", answers["__package_name"])


def finish(root: Path, answers: Mapping[str, str]) -> None:
    """Prune `root` and give its tests the package's name."""
    for path in pruned(answers):
        gone = root / path
        if gone.is_dir():
            shutil.rmtree(gone)
        else:
            gone.unlink(missing_ok=True)  # a folder in the table may have held it
    for leftover in LEFTOVERS:
        for found in list(root.rglob(leftover)):
            # One may lie inside another that has just gone.
            shutil.rmtree(found, ignore_errors=True)
    name = answers["__package_name"].encode()
    for test in (root / "tests").rglob("*.py"):
        test.write_bytes(PLACEHOLDER.sub(name, test.read_bytes()))


if __name__ == "__main__":
    answers = json.loads(r"""{{ cookiecutter | tojson }}""")
    finish(Path.cwd(), answers)
    slug = answers["project_slug"]
    print(f"{slug}: written. It needs Python {answers['python_version']} or newer, and make.")
    print(f"Start it:  cd {slug} && make setup run   (then http://127.0.0.1:8000/docs)")
    print("Read next: README.md has the map, and make alone lists the commands.")
