"""`/debug/process`: event loop, garbage collector, memory, file descriptors, pools."""

import gc
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...observability.gc_pauses import GcPauses
from ...observability.metrics import Metrics
from ..documents import Content, Document
from .loop_lag import LoopLag
from .resources import memory, open_files

# What the pools of this process publish, each gauge the field of a pool.
DATABASE = {
    "database_connections_in_use": "in_use",
    "database_connections_limit": "limit",
    "database_pool_waiting": "waiting",
}
DEPENDENCIES = {"http_client_active_requests": "in_use", "http_client_active_limit": "limit"}
# Reading what grew large must not take more of the loop than this share, however often asked.
SHARE = 0.005


class Unhurried:
    """What `read` returns, asked for again once its own cost is a small enough share."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self._read = read
        self._value: Any = None
        self._until = 0.0

    def __call__(self) -> Any:
        began = time.perf_counter()
        if began >= self._until:
            self._value = self._read()
            took = time.perf_counter() - began
            self._until = began + took / SHARE
        return self._value


def open_process_state(metrics: Metrics) -> Document:
    """What is shown; the last minute is measured from now on."""
    lag = LoopLag(metrics.heartbeat)
    files, loop = Unhurried(open_files), Unhurried(lag.report)
    pools = Unhurried(lambda: list(_pools(metrics)))
    frozen = 0

    def read() -> Content:
        nonlocal frozen
        share = lag.processor_share()
        # To count them is to walk them, 20 ms for 120 000; they are frozen once, at the start.
        frozen = frozen or gc.get_freeze_count()
        return {
            "loop": loop(),
            "gc": _collector(metrics.gc_pauses, frozen),
            "memory": memory(),
            "cpu": {
                "seconds": round(time.process_time(), 2),
                "share_1m": None if share is None else round(share, 4),
            },
            "files": files(),
            "threads": threading.active_count(),
            "pools": pools(),
        }

    text = "event loop, garbage collector, memory, file descriptors, pools"
    return Document("/debug/process", text, read)


def _collector(pauses: GcPauses, frozen: int) -> Mapping[str, Any]:
    generations = zip(gc.get_stats(), pauses.report(), strict=True)
    return {
        "enabled": gc.isenabled(),
        "frozen": frozen,
        "counts": gc.get_count(),
        "thresholds": gc.get_threshold(),
        "generations": [
            {"generation": number, **stats, **measured}
            for number, (stats, measured) in enumerate(generations)
        ],
    }


def _pools(metrics: Metrics) -> Iterable[dict[str, Any]]:
    """From the metrics, so that a pool which shows itself there is shown here too."""
    names = (*DATABASE, *DEPENDENCIES)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for family in metrics.registry.restricted_registry(names).collect():
        for sample in family.samples:
            kind = "database" if sample.name in DATABASE else "dependency"
            name = sample.labels.get("dependency", kind)
            empty = {"name": name, "kind": kind, "in_use": None, "limit": None, "waiting": None}
            pool = found.setdefault((kind, name), empty)
            pool[(DATABASE | DEPENDENCIES)[sample.name]] = int(sample.value)
    return found.values()
