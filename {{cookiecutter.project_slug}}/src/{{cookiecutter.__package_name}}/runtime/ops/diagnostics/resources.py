"""Memory and file descriptors of this process, as the operating system counts them."""

import os
import resource
import stat
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

STATM = Path("/proc/self/statm")
# Of version 2 and of version 1; a container sees its own group there.
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
UNLIMITED = 1 << 60  # version 1 has no word for it, only a number that no machine has
DESCRIPTORS = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
MIB = 1 << 20


def memory() -> Mapping[str, float | None]:
    """Resident memory now and at its highest, and what the container may have, in MiB."""
    rss, limit = _resident(), memory_limit()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return {
        "rss_mib": _mib(rss),
        "peak_mib": _mib(max(peak, rss or 0)),  # the kernel counts the two apart, in batches
        "limit_mib": _mib(limit),
        "share": round(rss / limit, 4) if rss and limit else None,
    }


def memory_limit(paths: tuple[Path, ...] = CGROUP_LIMITS) -> int | None:
    """Bytes beyond which the kernel kills; None where there is no limit."""
    for path in paths:
        with suppress(OSError, ValueError):  # "max" is no number
            limit = int(path.read_text())
            return limit if limit < UNLIMITED else None
    return None


def open_files(folder: Path = DESCRIPTORS) -> Mapping[str, Any]:
    """Open descriptors by kind, and how many there may be; None where nothing tells."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = None if soft == resource.RLIM_INFINITY else soft
    try:
        numbers = [int(one.name) for one in folder.iterdir()]
    except OSError:
        return {"open": None, "limit": limit, "kinds": {}}
    kinds = Counter(dict.fromkeys(("socket", "file", "pipe", "other"), 0))
    for number in numbers:
        with suppress(OSError):  # the one that listed them is closed again
            kinds[_kind(os.fstat(number).st_mode)] += 1
    return {"open": kinds.total(), "limit": limit, "kinds": dict(kinds)}


def _kind(mode: int) -> str:
    if stat.S_ISSOCK(mode):
        return "socket"
    if stat.S_ISFIFO(mode):
        return "pipe"
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return "file"
    return "other"  # epoll, eventfd, terminals


def _resident() -> int | None:
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _mib(size: int | None) -> float | None:
    return None if size is None else round(size / MIB, 1)
