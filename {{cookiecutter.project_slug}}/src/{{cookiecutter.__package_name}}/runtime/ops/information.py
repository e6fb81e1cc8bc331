"""`/info`: what runs here."""

import os
import platform
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from ..health import Health
from .access import Access
from .documents import Content, Document


def information(info: Mapping[str, str], health: Health, access: Access) -> Document:
    """What is shown; `info` has at least `name` and `version`."""
    began = time.time()
    fixed = {
        **info,
        "python": platform.python_version(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started_at": datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
    }

    def read() -> Content:
        return {
            **fixed,
            "phase": health.phase,
            "uptime_seconds": round(time.time() - began, 1),
            "changes": access.allowed,
        }

    # Seconds. Four sections show of it what hardly ever changes.
    return Document("/info", "what runs here", read, every=5.0)
