"""How any peer is installed, written, changed and started."""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .. import service
from ..service import Server

HERE = Path(__file__).resolve().parent
PINS = HERE / "pins"
WORK = HERE.parent / "inside" / "work.py"  # the operations that all are measured by
CACHE = service.ROOT / ".cache" / "peers"
BUILD = service.BUILD / "peers"
# The newest that the peers' own images use; the service runs on the same in this comparison.
PYTHON_VERSION = "3.13"


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where telemetry goes: collectors of this machine that count and forget.

    Attributes:
        http: URL of the OTLP endpoint over HTTP.
        grpc: URL of the one over gRPC.
    """

    http: str
    grpc: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer template, and what its tables say of it.

    Attributes:
        tool: the pins of the tool that writes it; package and version are `generator`.
        pins: those of what it wrote.
        write: `write(folder of the tool's commands, where to)` returns the project.
        join: adds `work.py` to the project.
        command: what starts it, less the interpreter: `command(port)`.
        env: its settings for production.
        observes: its logs, traces and metrics, in words.
        server: its server, event loop and HTTP parser, in words.
    """

    name: str
    generator: str
    tool: str
    pins: str
    write: Callable[[Path, Path], Path]
    join: Callable[[Path], None]
    command: Callable[[int], Sequence[str]]
    env: Callable[[int, Sinks], Mapping[str, str]]
    observes: str
    server: str

    @property
    def folder(self) -> Path:
        """Where the project is written."""
        return BUILD / self.name.replace(" ", "_").replace(",", "").replace("%", "")


def environment(pins: str) -> Path:
    """The folder of commands of an environment with these pins, kept between runs.

    Raises:
        subprocess.CalledProcessError: it could not be installed.
    """
    wanted = PINS / f"{pins}.txt"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]
    home = CACHE / f"{pins}-{digest}"
    done = home / ".installed"
    if not done.exists():
        service.say(f"installing {wanted.name}")
        shutil.rmtree(home, ignore_errors=True)
        _uv("venv", "--python", python(), str(home))
        into = ["--python", str(home / "bin" / "python")]
        _uv("pip", "install", "--compile-bytecode", *into, "-r", str(wanted))
        done.touch()
    return home / "bin"


@functools.cache
def python() -> str:
    """The interpreter that all of them run on; without one there is nothing to compare."""
    kept = Path.home().glob(f".pyenv/versions/{PYTHON_VERSION}.*/bin/python")
    for candidate in (f"python{PYTHON_VERSION}", *sorted(map(str, kept), reverse=True)):
        program = "import sys; print(sys.executable, *sys.version_info[:2])"
        with suppress(FileNotFoundError):
            command = [candidate, "-c", program]
            said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            where, _, version = said.strip().partition(" ")
            if version == PYTHON_VERSION.replace(".", " "):
                return where
    sys.exit(f"make bench: the peers need Python {PYTHON_VERSION}, and none was found")


def uv() -> str:
    """The one among the template's tools."""
    return str(Path(sys.executable).parent / "uv")


def _uv(*arguments: str) -> None:
    quiet = ["--quiet", "--no-python-downloads"]
    subprocess.run([uv(), *quiet, *arguments], check=True, env=service.clean_env())


@functools.cache
def prepare(peer: Peer) -> None:
    """Install the tool and what its project needs, write the project anew, change it; once."""
    environment(peer.pins)
    tool = environment(peer.tool)
    scratch = peer.folder.with_name(f"{peer.folder.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    written = peer.write(tool, scratch)
    peer.join(written)
    shutil.rmtree(peer.folder, ignore_errors=True)
    shutil.move(written, peer.folder)
    shutil.rmtree(scratch)


def run_tool(command: Sequence[str], cwd: Path, answers: str = "") -> None:
    """Run a generator quietly in `cwd`; git and uv are on its path, as some want them."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(
        list(command),
        cwd=cwd,
        input=answers,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**service.clean_env(), "PATH": path, "UV_OFFLINE": "1"},
    )


def edit(file: Path, old: str, new: str) -> None:
    """Replace the one place where `old` stands.

    Raises:
        ValueError: there is none, or more: the peer is not what it was.
    """
    text = file.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{file} has {text.count(old)} times {old!r}, wanted one")
    file.write_text(text.replace(old, new), encoding="utf-8")


@contextmanager
def serving(peer: Peer, sinks: Sinks) -> Iterator[Server]:
    """The peer by its own production command, on the servers' core, once it answers."""
    port = service.free_port()
    command = [str(environment(peer.pins) / "python"), *peer.command(port)]
    env = {**service.clean_env(), **peer.env(port, sinks)}
    with service.running(
        service.pinned(service.SERVER_CORE, command),
        env,
        f"http://127.0.0.1:{port}",
        "/bench/version",
        peer.folder.with_suffix(".log"),
        cwd=peer.folder,
    ) as server:
        yield server
