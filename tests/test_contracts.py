"""What a service makes of contracts: three public ones, and changes of its own."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.contracts import edits
from tests.contracts.rewrite import in_3_0
from tests.services import environment, make, service

CONTRACTS = Path(__file__).parent / "contracts"
PUBLIC = {"github_issues": 7, "stripe_customers": 6, "petstore": 18}
# What stays here; the rest are programs, which run inside the service.
OURS = {"edits.py", "rewrite.py"}
CONTRACT = "contract/openapi.yaml"
BASE = "released"


class Service:
    """A generated service, and the commands that its folder is for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run one, its errors among what it prints."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(".venv/bin/python", "-m", *arguments)

    def succeeds(self, *arguments: str) -> str:
        """What the module printed."""
        done = self.python(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def fails(self, *arguments: str) -> str:
        """What the module printed; 1 is a finding, everything else a mishap."""
        done = self.python(*arguments)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def edit(self, change: edits.Edit) -> None:
        """Change the contract."""
        path = self.folder / CONTRACT
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(document)
        # Without aliases: some edits use a part of the contract twice.
        text = yaml.dump(document, Dumper=_Plain, sort_keys=False)
        path.write_text(text, encoding="utf-8")

    def replace(self, name: str, texts: Mapping[str, str]) -> None:
        """Put texts of a file in the place of others."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        for old, new in texts.items():
            assert old in text, f"{old} is not in {name}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def generate(self, name: str, into: str = "orders") -> str:
        """The folder of the package."""
        source, package = f"tests/talks/{name}.yaml", f"{into}.{name}"
        self.succeeds("tools.contract", "generate", "--contract", source, "--into", package)
        return f"src/{package.replace('.', '/')}"


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


@pytest.fixture(scope="module")
def made() -> Iterator[Service]:
    """The default service with the programs among its tests, in a repository of its own."""
    with service("contracts") as folder:
        print(make(folder, "setup"))
        one = Service(folder)
        talks = folder / "tests" / "talks"
        talks.mkdir()
        for path in CONTRACTS.glob("*.yaml"):
            shutil.copy(path, talks)
        for path in CONTRACTS.glob("*.py"):
            if path.name not in OURS:
                text = path.read_text(encoding="utf-8").replace("steadfast_service", "orders")
                talks.joinpath(path.name).write_text(text, encoding="utf-8")
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        for words in (("init",), ("add", "."), (*who, "commit", "-m", "First"), ("tag", BASE)):
            done = one.run("git", *words, *(["--quiet"] if "commit" in words else []))
            assert done.returncode == 0, done.stdout
        yield one


@pytest.fixture
def changing(made: Service) -> Iterator[Service]:
    """The service; its contract and its code are afterwards as they were."""
    source = made.folder / "src" / "orders"
    paths = [made.folder / CONTRACT, source / "app.py"]
    paths += [*source.glob("contract/*.py"), *source.glob("api/*.py")]
    before = {path: path.read_bytes() for path in paths}
    yield made
    for path, content in before.items():
        path.write_bytes(content)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_contract_gives_code_that_the_service_s_own_lint_passes(
    made: Service, name: str
) -> None:
    package = made.generate(name)
    programs = [str(path) for path in made.folder.glob(f"tests/talks/{name}*.py")]
    checked = [package, "tests/talks/talking.py", *programs]
    print(made.succeeds("mypy", *checked))
    print(made.succeeds("ruff", "check", *checked))
    print(made.succeeds("ruff", "format", "--check", *checked))


@pytest.mark.parametrize("name", PUBLIC)
def test_its_app_and_its_client_talk_to_each_other(made: Service, name: str) -> None:
    made.generate(name)
    said = made.succeeds(f"tests.talks.{name}")
    print(said)
    assert said.splitlines()[-1] == f"{PUBLIC[name]} operations talked"


@pytest.mark.parametrize("name", PUBLIC)
def test_generating_it_again_gives_the_same_bytes(made: Service, name: str) -> None:
    package = made.folder / made.generate(name)
    before = {path.name: path.read_bytes() for path in package.glob("*.py")}
    assert before
    for path in package.glob("*.py"):
        path.unlink()
    made.generate(name)
    assert {path.name: path.read_bytes() for path in package.glob("*.py")} == before


def test_a_client_lives_among_the_gateways_as_well(made: Service) -> None:
    package = made.generate("petstore", "orders.gateways")
    made.succeeds("mypy", package)
    made.succeeds("ruff", "check", package)
    made.succeeds("ruff", "format", "--check", package)
    shutil.rmtree(made.folder / package)


@pytest.mark.parametrize("name", edits.FOLLOWED)
def test_types_fail_until_the_handler_follows_the_contract(changing: Service, name: str) -> None:
    change, said, follow = edits.FOLLOWED[name]
    changing.edit(change)
    make(changing.folder, "contract")
    failed = changing.fails("mypy", "src")
    assert re.search(said, failed), failed
    changing.replace(edits.HANDLER, follow)
    changing.succeeds("mypy", "src")
    changing.succeeds("tools.contract", "stale")


def test_a_contract_that_was_not_generated_from_is_stale(changing: Service) -> None:
    changing.succeeds("tools.contract", "stale")
    changing.edit(edits.FOLLOWED["add an operation"].edit)
    said = changing.fails("tools.contract", "stale")
    for name in ("api", "client", "operations"):
        assert f"src/orders/contract/{name}.py is not what make contract writes" in said


def test_a_generated_file_that_was_edited_is_stale(changing: Service) -> None:
    changing.replace("src/orders/contract/models.py", {"amount: ": "amount:  "})
    said = changing.fails("tools.contract", "stale")
    assert said == "error: src/orders/contract/models.py is not what make contract writes\n"


@pytest.mark.parametrize("name", edits.DRIFTS)
def test_a_service_that_drifts_from_its_contract_is_found(changing: Service, name: str) -> None:
    texts, said = edits.DRIFTS[name]
    changing.succeeds("tools.contract", "drift")
    changing.replace(edits.APP, texts)
    found = changing.fails("tools.contract", "drift")
    assert said in found, found


BREAKING = ("tools.contract", "breaking", "--against", BASE)


@pytest.mark.parametrize("name", edits.BREAKING)
def test_a_change_that_breaks_callers_is_found(changing: Service, name: str) -> None:
    change, said = edits.BREAKING[name]
    changing.edit(change)
    found = changing.fails(*BREAKING)
    assert f"error: {said}" in found, found
    assert found.endswith(f"error: callers of {BASE} break; see the README, Contract\n")


@pytest.mark.parametrize("name", edits.HARMLESS)
def test_a_change_that_only_adds_breaks_nobody(changing: Service, name: str) -> None:
    changing.edit(edits.HARMLESS[name])
    assert changing.succeeds(*BREAKING) == ""


def test_the_same_contract_in_openapi_3_0_breaks_nobody(changing: Service) -> None:
    def rewrite(document: edits.Document) -> None:
        document.update(in_3_0(document))

    changing.edit(rewrite)
    text = changing.folder.joinpath(CONTRACT).read_text(encoding="utf-8")
    assert "openapi: 3.0.3" in text
    assert "nullable: true" in text
    assert changing.succeeds(*BREAKING) == ""
    # Nor does it change the code.
    changing.succeeds("tools.contract", "stale")


def test_a_change_that_somebody_allowed_passes_with_the_reason(changing: Service) -> None:
    change, said = edits.BREAKING["new required parameter"]
    changing.edit(change)
    name, _, detail = said.partition(": ")
    passed = changing.succeeds(*BREAKING, "--allow", f"{name}=nobody lists orders yet")
    assert passed == f"allowed: {name}: {detail} (nobody lists orders yet)\n"
    assert name in changing.fails(*BREAKING, "--allow", "operation-removed=another matter")
