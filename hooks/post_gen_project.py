"""Makes the rendered folder the service that was asked for, and says what to do next.

It also records where the service comes from, for `cruft update`.

Cookiecutter renders this file with Jinja and runs the copy inside the new folder.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ETCD: Final = (
    "src/<package>/runtime/config/sources/etcd.py",
    "src/<package>/runtime/config/sources/etcd_api.py",
    "tests/runtime/integration/config_center/etcd",
    "tests/support/etcd.py",
    "tools/drill/etcd.py",
)
CONSUL: Final = (
    "src/<package>/runtime/config/sources/consul.py",
    "tests/runtime/integration/config_center/consul",
    "tests/support/consul.py",
)
NACOS: Final = (
    "src/<package>/runtime/config/sources/nacos.py",
    "src/<package>/runtime/config/sources/nacos_api.py",
    "tests/runtime/integration/config_center/nacos",
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
        "tests/runtime/integration/sql",
        "tools/grow/texts/tag/sql",
    ),
    ("auth", "none"): (
        "src/<package>/runtime/auth",
        "tests/integration/auth",
        "tests/runtime/integration/auth",
    ),
    ("config_center", "none"): (
        *ETCD,
        *CONSUL,
        *NACOS,
        ASKING,
        "src/<package>/runtime/config/sources/address.py",
        "src/<package>/runtime/config/sources/certificates.py",
        "src/<package>/runtime/config/sources/remote.py",
        "tests/runtime/integration/config_center",
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

# In an address over HTTP; over SSH the name before the @ is part of it.
CREDENTIALS: Final = re.compile(r"(?<=http://)[^/]*@|(?<=https://)[^/]*@")


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


def origin(folder: Path) -> Mapping[str, str | None]:
    """Where the template in `folder` can be had again as it is: address, commit and directory.

    Raises:
        LookupError: nowhere, since it is in no git repository or has changes of its own; or git
            is not there to tell.
    """
    # The files that a service is made of, as cruft finds them.
    used = ["hooks", *(path.name for path in folder.glob("*cookiecutter.*"))]
    try:
        # A folder that lies in somebody else's repository is not one of its files.
        _git(folder, "ls-files", "--error-unmatch", "cookiecutter.json")
        changed = _git(folder, "--literal-pathspecs", "status", "--porcelain", "--", *used)
        commit = _git(folder, "rev-parse", "HEAD")
        directory = _git(folder, "rev-parse", "--show-prefix").rstrip("/")
        address = _git(folder, "rev-parse", "--show-toplevel")
        remote = _git(folder, "config", "--default", "", "--get", "remote.origin.url")
        shared = _git(folder, "for-each-ref", "--contains", commit, "refs/remotes", "refs/tags")
    except OSError as error:
        raise LookupError("git cannot be started") from error
    except subprocess.CalledProcessError as error:
        raise LookupError("the template is in no git repository of its own") from error
    if changed:
        raise LookupError("the template has changes that are in no commit")
    if shared and (":" in remote or remote.startswith("/")):
        # Others have no folder of ours. A password in the address is not theirs to know.
        address = CREDENTIALS.sub("", remote)
    return {"template": address, "commit": commit, "directory": directory or None}


def _git(folder: Path, *arguments: str) -> str:
    # Inside a hook of git these variables name a repository, and it is not the template's.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    done = subprocess.run(  # noqa: S603 - the words are ours
        command, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def record(root: Path, answers: Mapping[str, str]) -> None:
    """Write what `cruft update` needs: the answers, and where the template is.

    Raises:
        LookupError: as `origin`.
    """
    # Relative to where Cookiecutter was started; this script runs in the service's folder.
    folder = Path(os.environ.get("PWD", ""), answers["_repo_dir"])
    own = {name: answer for name, answer in answers.items() if not name.startswith("_")}
    found = {
        **origin(folder),
        "checkout": answers["_checkout"],
        "context": {"cookiecutter": own},
    }
    text = json.dumps(found, ensure_ascii=False, indent=2)
    root.joinpath(".cruft.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    answers = json.loads(r"""{{ cookiecutter | tojson }}""")
    finish(Path.cwd(), answers)
    slug = answers["project_slug"]
    print(f"{slug}: written. It needs Python {answers['python_version']} or newer, and make.")
    print(f"Start it:  cd {slug} && make setup run   (then http://127.0.0.1:8000/docs)")
    print("Read next: README.md has the map, and make alone lists the commands.")
    # cruft names the commit in the answers, and writes the record itself.
    if "_commit" not in answers:
        try:
            record(Path.cwd(), answers)
        except LookupError as reason:
            # There may be one of a service that this one is written over.
            Path(".cruft.json").unlink(missing_ok=True)
            print(f"For updates, see docs/how-to/upgrade.md of the template: {reason}.")
