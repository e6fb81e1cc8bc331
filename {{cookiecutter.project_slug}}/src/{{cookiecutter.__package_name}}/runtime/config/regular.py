"""Regular files at a path where anything may be: opening a pipe would wait for its writer."""

import errno
import os
import stat
from pathlib import Path

# As few as tell two states apart: a rename has another inode, a write in place another time, and
# the time of change cannot be set back as that of modification can (`cp -p`, `rsync -t`).
Identity = tuple[int, int, int, int, int]


def identity(status: os.stat_result, path: str | Path, limit: int) -> Identity:
    """What differs after every change of a file.

    Args:
        limit: bytes that it may have.

    Raises:
        OSError: it is not regular, or larger.
    """
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    if status.st_size > limit:
        raise OSError(errno.EFBIG, f"Larger than {limit} bytes", str(path))
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def read_regular(path: str | Path, limit: int, folder: int | None = None) -> bytes:
    """Read a file, of which no more than `limit` bytes; it never blocks on a pipe or a device.

    Args:
        folder: an open one that `path` is relative to.

    Raises:
        OSError: it cannot be read, is not regular, or larger.
    """
    # Looked at before it is opened: opening a device may do something to it.
    identity(os.stat(path, dir_fd=folder), path, limit)
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(opened, "rb") as file:
        identity(os.fstat(opened), path, limit)
        return file.read(limit)
