"""A folder of settings, such as a mounted ConfigMap or Secret."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..reading import MAX_BYTES, Reading
from ..regular import Identity, identity, read_regular
from .polling import Polled

# Kubernetes writes each state of a volume to a new folder and lets this symlink point to it.
DATA = "..data"
MAX_FILES = 1000  # a home folder mounted by mistake must not cost a core


class DirectorySource(Polled):
    """Each regular file in it is one entry, byte for byte; hidden files and folders are none.

    With `..data` in it a reading is of one state of the volume, never of two. Its revision is the
    beginning of what `sha256sum * | sha256sum` says in it.

    Args:
        path: of the mount. A `subPath` mount never changes: Kubernetes does not update it.
        name: of the layer.
    """

    def __init__(self, path: str | Path, *, name: str) -> None:
        super().__init__(path, name=name)

    def look(self) -> tuple[object, ...]:
        data = self._data()
        if data is not None:  # Kubernetes leaves a state as it is: its files need no look
            return data
        with self._opened() as folder:
            return _files(folder)

    def read(self) -> Reading:
        with self._opened() as folder:
            names = [name for name, _ in _files(folder)]
            entries = {name: read_regular(name, MAX_BYTES, folder) for name in names}
        sums = [f"{hashlib.sha256(value).hexdigest()}  {name}\n" for name, value in entries.items()]
        return Reading(entries, hashlib.sha256("".join(sums).encode()).hexdigest()[:12])

    def _data(self) -> tuple[int, int] | None:
        """Which `..data` there is: each swap makes a new one."""
        try:
            status = (self.path / DATA).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_ino, status.st_ctime_ns

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The folder with the files: all that is read from it is of the same state."""
        path = self.path if self._data() is None else self.path / DATA
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield folder
        finally:
            os.close(folder)


def _files(folder: int) -> tuple[tuple[str, Identity], ...]:
    """The regular files in an open folder by name, which all together may have 1 MiB.

    Raises:
        OSError: there are too many, or one has a name that no setting has.
    """
    files: dict[str, Identity] = {}
    room = MAX_BYTES
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                status = entry.stat()
            except FileNotFoundError:  # a dangling symlink, or deleted since
                continue
            if not stat.S_ISREG(status.st_mode):
                continue
            if not entry.name.isprintable():  # not UTF-8, or it would break the lines of a log
                raise OSError(errno.EINVAL, f"Holds a file with the name {entry.name!a}")
            room -= status.st_size
            if room < 0:
                raise OSError(errno.EFBIG, f"Holds more than {MAX_BYTES} bytes")
            if len(files) == MAX_FILES:
                raise OSError(errno.E2BIG, f"Holds more than {MAX_FILES} files")
            files[entry.name] = identity(status, entry.name, MAX_BYTES)
    return tuple(sorted(files.items()))
