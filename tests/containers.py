"""Builds and runs the service's image without a registry, on a base that is kept in `.cache/`."""

import contextlib
import hashlib
import inspect
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.rendering import ROOT, TEMPLATE
from tests.services import environment, locked, make

PROGRAMS = ("buildah", "debootstrap", "podman", "runc", "tar", "wrk")
CACHE = ROOT / ".cache" / "image"
# Debian 12 has Python 3.11, which is the default answer.
SUITE = "bookworm"
LIBRARY = "usr/lib/python3.11"
CERTIFICATES = Path("/etc/ssl/certs")
PIP_CONF = Path("/etc/pip.conf")


def skip_without_tools() -> None:
    """Skip the test where containers cannot be run; REQUIRE_CONTAINERS=1 makes that a failure."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    lacking = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    if os.geteuid():
        lacking.append("root's rights")
    if lacking:
        said = f"the image cannot be run: no {', '.join(lacking)}"
        if os.environ.get("REQUIRE_CONTAINERS"):
            pytest.fail(said)
        pytest.skip(said)


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stderr}"
    return done.stdout


def _bootstrap(archive: Path, pip: str) -> None:
    """Write a root file system that has what Python's own slim image has, and no more of it."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        root = Path(scratch, "root")
        packages = "--include=python3,ca-certificates"
        _run("/usr/sbin/debootstrap", "--variant=minbase", packages, SUITE, root)
        uv = Path(sys.executable).with_name("uv")
        site = root / "usr/local/lib/python3.11/dist-packages"
        python = ("--python-version", "3.11", "--python", sys.executable)
        _run(uv, "pip", "install", "--quiet", *python, "--target", site, pip)
        root.joinpath(LIBRARY, "EXTERNALLY-MANAGED").unlink(missing_ok=True)
        root.joinpath("usr/local/bin/python").symlink_to("/usr/bin/python3")
        # Python's image has no byte code of the library: what starts from it must bring its own.
        for compiled in list(root.joinpath(LIBRARY).rglob("*.pyc")):
            compiled.unlink()
        for leftover in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
            shutil.rmtree(root / leftover, ignore_errors=True)
        partial = archive.with_suffix(".partial")
        _run("tar", "--create", "--file", partial, "--directory", root, ".")
        partial.rename(archive)


def base() -> str:
    """The name of a local image to build on; made once, and again when its recipe changes."""
    pins = TEMPLATE.joinpath("requirements-dev.txt").read_text(encoding="utf-8")
    (pip,) = re.findall(r"^pip==\S+$", pins, re.MULTILINE)
    recipe = f"{inspect.getsource(_bootstrap)}{SUITE}{pip}"
    key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    name = f"localhost/steadfast-python:{key}"
    with locked(CACHE):
        if subprocess.run(["podman", "image", "exists", name], check=False).returncode:
            archive = CACHE / f"base-{key}.tar"
            if not archive.exists():
                for old in CACHE.glob("base-*.tar"):
                    old.unlink()
                _bootstrap(archive, pip)
            _run("podman", "import", archive, name)
    return name


def build(service: Path, image: str, python: str, *more: str) -> str:
    """Run the service's `make image`; return what it printed."""
    arguments = ["--network", "host", "--pull=never", *more]
    if CERTIFICATES.is_dir():
        arguments += ["--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
    if PIP_CONF.exists():
        arguments += ["--secret", f"id=pip,src={PIP_CONF}"]
    command = ["image", "ENGINE=buildah", f"IMAGE={image}", f"PYTHON_IMAGE={python}"]
    with locked(CACHE):
        # A machine that is itself a container runs no build in another.
        os.environ["BUILDAH_ISOLATION"] = "chroot"
        return make(service, *command, f"ARGS={' '.join(arguments)}")


def described(image: str) -> dict[str, Any]:
    """What the engine knows of an image."""
    (found,) = json.loads(_run("podman", "image", "inspect", image))
    assert isinstance(found, dict)
    return found


@contextlib.contextmanager
def contents(image: str) -> Iterator[Path]:
    """The files of an image, for reading."""
    mounted = Path(_run("podman", "image", "mount", image).strip())
    try:
        yield mounted
    finally:
        _run("podman", "image", "unmount", image)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the manifests ask of the cluster for the service's container."""

    user: str
    memory_mib: int
    termination_grace: float
    environment: Mapping[str, str]


def asked(service: Path) -> Asked:
    """Read the Deployment of the base."""
    text = service.joinpath("deploy/kustomize/base/deployment.yaml").read_text(encoding="utf-8")
    pod = yaml.safe_load(text)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    security = pod["securityContext"]
    return Asked(
        user=f"{security['runAsUser']}:{security['runAsGroup']}",
        memory_mib=int(container["resources"]["limits"]["memory"].removesuffix("Mi")),
        termination_grace=float(pod["terminationGracePeriodSeconds"]),
        environment={one["name"]: one["value"] for one in container["env"] if "value" in one},
    )


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass(slots=True)
class Running:
    """A container that runs the service, on ports of this machine."""

    name: str
    process: subprocess.Popen[str]
    http: str
    management: str
    began: float

    @property
    def pid(self) -> int:
        """The service's process, seen from outside."""
        (found,) = json.loads(_run("podman", "inspect", self.name))
        return int(found["State"]["Pid"])

    def ready_after(self, limit: float = 60) -> float:
        """Wait for readiness; return the seconds since the engine was called."""
        while time.monotonic() < self.began + limit:
            assert self.process.poll() is None, "it ended"
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.management}/readyz").status_code == 200:
                    return time.monotonic() - self.began
            time.sleep(0.01)
        raise AssertionError(f"not ready within {limit:g} s")

    def cpu_seconds(self) -> float:
        """Processor time that the service has used: the same on a busy machine."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self) -> float:
        """The most memory that has been resident."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        return int(peak) / 1024

    def terminate(self) -> None:
        """What the kubelet does first."""
        _run("podman", "kill", "--signal", "TERM", self.name)


def hardened(asked: Asked, data: Path, **settings: str) -> list[str]:
    """Arguments of `podman run` that leave the service what its pod leaves it.

    The shells of the base are covered by a file that cannot be run.
    """
    data.chmod(0o777)
    nothing = data.parent / "nothing"
    nothing.touch(mode=0o444)
    arguments = ["--rm", "--runtime", "runc", "--pull", "never", "--network", "host"]
    arguments += ["--read-only", "--tmpfs", "/tmp", "--volume", f"{data}:/data"]
    arguments += ["--user", asked.user, "--cap-drop", "all"]
    arguments += ["--security-opt", "no-new-privileges", "--memory", f"{asked.memory_mib}m"]
    # The engine's defaults may be above what this machine allows.
    arguments += ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
    for shell in ("bash", "dash"):
        arguments += ["--volume", f"{nothing}:/usr/bin/{shell}:ro"]
    for directory in json.loads(asked.environment["APP_CONFIG__DIRECTORIES"]):
        arguments += ["--tmpfs", f"{directory}:ro"]
    for name, value in {**asked.environment, **settings}.items():
        arguments += ["--env", f"{name}={value}"]
    return arguments


def once(image: str, options: list[str], *arguments: str) -> str:
    """Run a container to its end; return what it printed."""
    return _run("podman", "run", *options, image, *arguments)


@contextlib.contextmanager
def running(image: str, asked: Asked, data: Path, **settings: str) -> Iterator[Running]:
    """Run the service hardened, with a database in `data`; it is gone in the end."""
    ports = free_port(), free_port()
    name = f"steadfast-{os.getpid()}-{ports[0]}"
    settings |= {"APP_HTTP__PORT": str(ports[0]), "APP_MANAGEMENT__PORT": str(ports[1])}
    command = ["podman", "run", "--name", name, *hardened(asked, data, **settings), image, "serve"]
    with data.parent.joinpath(f"{name}.log").open("w") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment(), text=True, start_new_session=True
        )
        http, management = (f"http://127.0.0.1:{port}" for port in ports)
        try:
            yield Running(name, process, http, management, began)
        finally:
            if process.poll() is None:
                subprocess.run(["podman", "kill", name], capture_output=True, check=False)
                process.wait(30)
            print(Path(log.name).read_text(encoding="utf-8")[-4000:])
