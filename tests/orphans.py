"""Files that a service has no use for: nothing reaches them, or they are of another answer."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.rendering import RECORD, texts

# How it shows that something is for an answer; what is shown is in no service of another one.
WORDS: Mapping[tuple[str, str], str] = {
    ("database", "sql"): r"sqlalchemy|alembic|sqlite|asyncpg",
    ("auth", "jwt"): r"\bjwt\b|jwks|pyjwt",
    ("config_center", "etcd"): r"etcd",
    ("config_center", "consul"): r"consul",
    ("config_center", "nacos"): r"nacos",
    ("progressive_delivery", "gateway-api"): "gateway-api",
    ("progressive_delivery", "argo-rollouts"): r"argo-?rollouts|analysistemplate",
    ("gitops", "argocd"): r"argo-?cd|applicationset",
    ("multi_cluster", "karmada"): r"karmada",
    ("edge", "k3s"): r"k3s",
    ("edge", "kubeedge"): r"kubeedge",
    ("policy", "kyverno"): r"kyverno",
    ("policy", "admission"): r"validatingadmission",
    ("helm", "yes"): r"\bhelm\b",
    ("ci", "github"): r"\.github/",
    ("ci", "gitlab"): r"gitlab",
}
# The machinery that is the same in every service, and knows of what somebody may add by hand.
EVERYWHERE = re.compile(r"(tests|tools)/|requirements-dev\.txt$")
KNOWN: Mapping[str, str] = {
    "README.md": "sqlalchemy[.]engine",  # a logger, in an example
    "deploy/crds.sh": "gateway-api",
    "deploy/image.md": "SQLite",
    "deploy/kustomize/components/gateway-api/README.md": "argo-rollouts",
    "deploy/kustomize/overlays/edge/README.md": "K3s|KubeEdge",
    "src/*/runtime/config/options.py": "etcd",
    "src/*/runtime/config/reading.py": "etcd",
    "src/*/runtime/config/sources/address.py": "etcd|consul|nacos",
    "src/*/runtime/config/sources/asking.py": "Consul|Nacos",
    "src/*/runtime/observability/levels.py": "alembic|aiosqlite",
}
# Folders whose modules a program finds by their names.
FOUND = re.compile(r"\.(checks|drills|versions)\.")


def foreign(service: Path, answers: Mapping[str, str]) -> Iterator[str]:
    """Names of files, and lines outside of the common machinery, that are of another answer."""
    for name, text in texts(service).items():
        if name == RECORD:
            continue
        shown = re.sub(KNOWN.get(re.sub("^src/[^/]+", "src/*", name), "$^"), "", text)
        for (question, answer), words in WORDS.items():
            if answers[question] == answer:
                continue
            if re.search(words, name, re.IGNORECASE):
                yield f"{name} is of {question}={answer}"
            elif not EVERYWHERE.match(name) and (found := re.search(words, shown, re.IGNORECASE)):
                yield f"{name} names {found[0]}, which is of {question}={answer}"


def unreached(service: Path) -> Iterator[str]:
    """Modules that nothing imports and nothing starts."""
    files = {
        _module(path.relative_to(service)): path
        for folder in ("src", "tests", "tools")
        for path in service.joinpath(folder).rglob("*.py")
    }
    todo = [name for name, path in files.items() if _begins(name, path)]
    reached: set[str] = set()
    while todo:
        name = todo.pop()
        for one in _above(name):
            if one in files and one not in reached:
                reached.add(one)
                todo += _imports(files[one], one)
    for name in sorted(files.keys() - reached):
        if files[name].read_text(encoding="utf-8").strip():
            yield f"{files[name].relative_to(service)} is an orphan: nothing imports it"


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _begins(name: str, path: Path) -> bool:
    """Whether it is started or found, which needs no import."""
    if path.name in {"conftest.py", "env.py"} or path.name.startswith("test_"):
        return True
    return bool(FOUND.search(name)) or '__name__ == "__main__"' in path.read_text(encoding="utf-8")


def _above(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _imports(path: Path, name: str) -> Iterator[str]:
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else ()), *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
