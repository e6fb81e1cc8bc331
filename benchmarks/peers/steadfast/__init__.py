"""The service of this template with the operations of `work.py`, added as its README says.

They are written into its contract, `make contract` generates them, one class implements them,
and one line of `app.py` hands that over. Everything else is the default service. Bare FastAPI
runs in the same environment, so both have the same versions of everything.
"""

import functools
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ... import service
from ...service import Server
from ..peer import BUILD, edit, python

HERE = Path(__file__).resolve().parent
FOLDER = BUILD / "orders"
PYTHON = str(FOLDER / ".venv" / "bin" / "python")
_HANDLER = "version=VersionHandler(**info),"
_IMPORT = "from .api.version import"


@functools.cache
def prepare() -> None:
    """Write the service anew, add the operations, install it, generate; once."""
    service.generate(BUILD)
    contract, package = FOLDER / "contract" / "openapi.yaml", FOLDER / "src" / "orders"
    paths = HERE.joinpath("paths.yaml").read_text(encoding="utf-8")
    schemas = HERE.joinpath("schemas.yaml").read_text(encoding="utf-8")
    edit(contract, "  - name: orders\n", "  - name: orders\n  - name: bench\n")
    edit(contract, "components:\n", f"{paths}components:\n")
    edit(contract, "  schemas:\n", f"  schemas:\n{schemas}")
    shutil.copy(HERE / "handler.py", package / "api" / "bench.py")
    app = package / "app.py"
    edit(app, _IMPORT, f"from .api.bench import BenchHandler\n{_IMPORT}")
    edit(app, _HANDLER, f"{_HANDLER}\n            bench=BenchHandler(),")
    service.install(FOLDER, python())
    command = ["make", "--silent", "-C", str(FOLDER), "contract"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=service.clean_env())


@contextmanager
def serving(env: Mapping[str, str], module: str, log: str) -> Iterator[Server]:
    """The service, or what is made of it in `module`, on the servers' core."""
    file, core = BUILD / f"{log}.log", service.SERVER_CORE
    with service.opened(module, env, file, core=core, python=PYTHON) as (server, _):
        yield server


@contextmanager
def bare(app: str, env: Mapping[str, str], routes: int = 0) -> Iterator[Server]:
    """An app of `inside.bare`, by the service's interpreter."""
    port = service.free_port()
    command = [PYTHON, "-m", "benchmarks.inside.bare", app, str(port), str(routes)]
    command = service.pinned(service.SERVER_CORE, command)
    env = {**env, "PYTHONPATH": str(service.ROOT)}
    url, log = f"http://127.0.0.1:{port}", BUILD / f"{app}.log"
    with service.running(command, env, url, "/bench/version", log) as server:
        yield server
