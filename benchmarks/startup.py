"""Start to ready, and memory when idle.

Ready is the first 200 of `/readyz`, asked every few milliseconds from the moment that the
process is started. Memory is what is resident a second after that.
"""

import time
from collections.abc import Mapping

from . import service
from .table import INFORMATION, Row


def measure(env: Mapping[str, str], *, rounds: int) -> list[Row]:
    """The rows; each round starts a process of its own."""
    service.say(f"start to ready: {rounds} rounds")
    seconds, cpu, memory = [], [], []
    for _ in range(rounds):
        plain = service.without_tracing(env)
        with service.serving(plain, service.BUILD / "start.log") as server:
            seconds.append(server.ready_after)
            cpu.append(server.cpu())
            time.sleep(1)
            memory.append(server.memory())
    return [
        Row("process start to ready", seconds, "s", "<= 1.5"),
        Row("  CPU time of it", cpu, "s", note=INFORMATION),
        Row("resident memory when idle", memory, "MB", "<= 110"),
    ]
