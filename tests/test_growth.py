"""Services that grow by command: what is added works at once, what is refused changes nothing."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.matrix.combinations import WHOLE
from tests.services import environment, make, service

OWN = (".venv", ".git", "__pycache__", "_cache", ".hypothesis", ".coverage", "build")
STEPS = (
    ("dependency", "NAME=inventory"),
    ("dependency", "NAME=rate-limits"),
    ("tag", "NAME=refunds"),
    ("tag", "NAME=gift-cards"),
    ("tag", "NAME=stock", "FROM=inventory"),
    ("tag", "NAME=quotas", "FROM=rate-limits"),
)
# Those of what was added, and those that hold whatever was added to the rest.
TESTS = (
    "tests/integration/test_inventory_dependency.py",
    "tests/integration/test_rate_limits_dependency.py",
    "tests/integration/test_refunds_api.py",
    "tests/integration/test_gift_cards_api.py",
    "tests/integration/test_stock_api.py",
    "tests/integration/test_quotas_api.py",
    "tests/integration/test_contract.py",
    "tests/integration/test_cli.py",
    "tests/integration/test_dependency_health.py",
    "tests/unit/test_settings.py",
    "tests/grow/test_grow_edits.py",
)


def python(folder: Path, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run the service's Python in its folder."""
    command = [str(folder / ".venv" / "bin" / "python"), *words]
    return subprocess.run(
        command,
        cwd=folder,
        env={**environment(), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> Mapping[str, bytes]:
    """All that is a file of the service, and not of its tools."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.endswith(OWN) for part in path.parts)
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, scratch: Path) -> Iterator[httpx.Client]:
    """The service as its users run it, with its sandboxes; a caller who may do everything."""
    ports = {name: free_port() for name in ("HTTP__PORT", "MANAGEMENT__PORT")}
    settings = {f"APP_{name}": str(port) for name, port in ports.items()}
    settings["APP_HTTP__DRAIN_DELAY"] = "0"
    if (folder / "src" / "orders" / "gateways" / "sql").exists():
        settings["APP_DATABASE__URL"] = f"sqlite:///{scratch / 'orders.db'}"
    guarded = (folder / "src" / "orders" / "runtime" / "auth").exists()
    issuer = free_port()
    if guarded:
        settings["APP_AUTH__SANDBOX_PORT"] = str(issuer)
    migrated = python(folder, "-m", "orders", "migrate", **settings)
    assert migrated.returncode == 0, migrated.stderr
    command = [str(folder / ".venv" / "bin" / "python"), "-m", "orders", "serve"]
    with subprocess.Popen(command, cwd=folder, env={**environment(), **settings}) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{ports['HTTP__PORT']}") as client:
                _wait(client, process)
                if guarded:
                    scopes = " ".join(_scopes(folder))
                    url = f"http://127.0.0.1:{issuer}/token"
                    token = httpx.post(url, json={"scope": scopes}).json()["access_token"]
                    client.headers["Authorization"] = f"Bearer {token}"
                yield client
        finally:
            process.terminate()
    assert process.returncode == 0


def _scopes(folder: Path) -> list[str]:
    """What `make token` asks for."""
    makefile = folder.joinpath("Makefile").read_text(encoding="utf-8")
    [line] = re.findall(r"^SCOPE \?= (.*)$", makefile, re.MULTILINE)
    return str(line).split()


def _wait(client: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"not ready, exit code {process.poll()}")


# The guide's blocks, which are run too, grow the default service.
CASES: dict[str, Mapping[str, str]] = {"grown-jwt-none": {"auth": "jwt", "database": "none"}}
if WHOLE:
    CASES |= {"grown": {}, "grown-jwt-edge": {"auth": "jwt", "edge": "k3s"}}


@pytest.mark.parametrize(("label", "answers"), CASES.items(), ids=list(CASES))
def test_two_of_each_work_at_once(label: str, answers: Mapping[str, str], tmp_path: Path) -> None:
    with service(label, **answers) as folder:
        make(folder, "setup")
        for step in STEPS:
            make(folder, *step)
        make(folder, "lint")
        tested = python(folder, "-m", "pytest", "-q", "--no-header", *TESTS)
        assert tested.returncode == 0, tested.stdout + tested.stderr
        checked = python(folder, "-m", "tools.manifests")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        with running(folder, tmp_path) as client:
            for path in ("/api/refunds", "/api/gift-cards"):
                made = client.post(path, json={"name": "First"})
                assert made.status_code == 201, made.text
                assert client.get(made.headers["location"]).json() == made.json()
                assert client.get(path).json()["items"] == [made.json()]
            for path in ("/api/stock", "/api/quotas"):
                assert client.get(f"{path}/tea").json() == {"id": "tea", "name": "Item tea"}
                assert client.get(f"{path}/missing").status_code == 404


def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    with service("grown") as folder:
        make(folder, "setup")
        package = folder / "src" / "orders"
        before = files(folder)

        def refused(*words: str, says: str, prefix: tuple[str, ...] = ()) -> None:
            command = [
                *prefix,
                str(folder / ".venv" / "bin" / "python"),
                "-m",
                "tools.grow",
                *words,
            ]
            done = subprocess.run(
                command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
            )
            assert done.returncode == 1, done.stdout + done.stderr
            lines = done.stderr.splitlines()
            assert lines[0].startswith("error: ")
            assert says in lines[0]
            assert all(line.startswith("by hand: ") for line in lines[1:2])
            assert "Traceback" not in done.stderr

        for words, says in (
            (("dependency", "payments"), "has it already"),
            (("dependency", "import"), "a word of the Python language"),
            (("dependency", "json"), "standard library"),
            (("dependency", "--", "-x"), "lower-case letters"),
            (("tag", "orders"), "schema Order"),
            (("tag", "stock", "--from", "nobody"), "first: make dependency NAME=nobody"),
        ):
            refused(*words, says=says)
            assert files(folder) == before
        # A disk that takes no more, in the midst of it: no file may be larger than this.
        # Of bytecode Python would keep the half that fits, and stumble over it from then on.
        limited = ("sh", "-c", 'ulimit -f 8; PYTHONDONTWRITEBYTECODE=1 exec "$@"', "sh")
        refused("tag", "refunds", says="nothing was changed", prefix=limited)
        assert files(folder) == before

        edits = {
            package / "app.py": (
                "build_router(",
                "make_router(",
                "found no call of build_router()",
            ),
            package / "settings.py": ("class Dependencies(", "class Others(", "class Dependencies"),
            folder / "contract" / "openapi.yaml": ("\ntags:\n", "\nx-tags:\n", "key tags"),
        }
        for path, (old, new, says) in edits.items():
            kept = path.read_text(encoding="utf-8")
            path.write_text(kept.replace(old, new), encoding="utf-8")
            edited = files(folder)
            command = "dependency" if path.name == "settings.py" else "tag"
            refused(command, "refunds", says=says)
            assert files(folder) == edited
            path.write_text(kept, encoding="utf-8")


def test_what_its_owner_wrote_stays_as_it_is() -> None:
    with service("grown") as folder:
        make(folder, "setup")
        app = folder / "src" / "orders" / "app.py"
        text = app.read_text(encoding="utf-8")
        # In a style that no formatter would leave.
        mine = text.replace(
            "            version=VersionHandler(**info),\n",
            "            version = VersionHandler( **info ), # mine\n",
        )
        assert mine != text
        app.write_text(mine, encoding="utf-8")
        contract = folder / "contract" / "openapi.yaml"
        noted = contract.read_text(encoding="utf-8").replace("\npaths:\n", "\npaths: # ours\n")
        contract.write_text(noted, encoding="utf-8")
        make(folder, "tag", "NAME=refunds")
        grown, noted_after = app.read_text(encoding="utf-8"), contract.read_text(encoding="utf-8")
        for before, after in ((mine, grown), (noted, noted_after)):
            left = iter(after.splitlines())
            assert all(line in left for line in before.splitlines())
