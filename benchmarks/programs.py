"""The programs that stand side by side: started alike, each with telemetry sinks to send to."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from . import load, peers, service
from .peers import peer, steadfast
from .peers.peer import Peer, Sinks
from .service import Server

ASGI, FASTAPI = "bare ASGI", "bare FastAPI"
OURS, TRACED = "this service", "this service, 1 % of traces exported"
Start = Callable[[], AbstractContextManager[Server]]
_UVICORN = "uvicorn with uvloop and httptools, 1 worker"
_OURS = "a sampled record per request (0.1 %, errors all), RED metrics"
# Name, version, what it observes, what serves it: of those that are no peers.
ABOUT = (
    (ASGI, "uvicorn's protocol and a ready answer", "nothing", _UVICORN),
    (FASTAPI, "FastAPI() and the operations", "nothing, no access log", _UVICORN),
    (OURS, "the default answers", _OURS, f"its own listener: {_UVICORN}"),
    (TRACED, "the default answers", f"{_OURS}, traces of 1 % by OTLP", f"as above: {_UVICORN}"),
)


def prepare(chosen: tuple[Peer, ...] = peers.PEERS) -> list[str]:
    """Write and install all; returns why some could not be, one line each."""
    service.say("writing this service with the operations that all are measured by")
    steadfast.prepare()
    failed: list[str] = []
    for one in chosen:
        service.say(f"writing {one.name} by {one.generator}")
        try:
            peer.prepare(one)
        except (subprocess.CalledProcessError, OSError, ValueError) as exc:
            failed.append(f"{one.name}: {exc}")
            service.say(f"left out: {failed[-1]}")
    return failed


@contextmanager
def ready(chosen: tuple[Peer, ...] = peers.PEERS, routes: int = 0) -> Iterator[Mapping[str, Start]]:
    """How to start each program, while the collectors are up and the database is there.

    This service and bare FastAPI have so many `routes` more than the ones that are measured.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as scratch,
        load.collector() as sink,
        _grpc_sink() as grpc,
    ):
        traced = service.production_env(Path(scratch), sink.url)
        plain = service.without_tracing(traced)
        service.migrate(plain, steadfast.PYTHON)
        sinks = Sinks(sink.url, grpc)
        more = {"BENCH_ROUTES": str(routes), "PYTHONPATH": str(service.ROOT)} if routes else {}
        module = "benchmarks.inside.grown" if routes else "orders"
        yield {
            ASGI: partial(steadfast.bare, "asgi", plain),
            FASTAPI: partial(steadfast.bare, "fastapi", plain, routes),
            OURS: partial(steadfast.serving, {**plain, **more}, module, "plain"),
            TRACED: partial(steadfast.serving, traced, "orders", "traced"),
            **{one.name: partial(peer.serving, one, sinks) for one in chosen},
        }


@contextmanager
def _grpc_sink() -> Iterator[str]:
    """`peers/sink.py`, by an environment that has grpcio, beside the load."""
    port = service.free_port()
    python = peer.environment(peers.BEST_INSTRUMENTED.pins) / "python"
    command = [str(python), str(peer.HERE / "sink.py"), str(port)]
    command = service.pinned(service.LOAD_CORE, command)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=service.clean_env()) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
