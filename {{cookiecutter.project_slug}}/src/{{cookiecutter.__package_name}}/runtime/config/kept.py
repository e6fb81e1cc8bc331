"""The last good state of the configuration centre, on disk for a start without it."""

import asyncio
import base64
import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..threads import Threads
from .reading import MAX_BYTES, Reading
from .regular import read_regular

FORMAT = 1  # another one is ignored: after an upgrade or a rollback the centre is asked again
LIMIT = 8 * MAX_BYTES  # of the file; far above what base64 and JSON make of the largest reading
STALLED = 10.0  # seconds until a disk that does not answer is given up


class KeptError(Exception):
    """Nothing could be kept, or what is kept cannot be used. One line for an operator."""


class Kept:
    """One file, replaced as a whole; readable by its owner only, as there may be secrets in it.

    Args:
        path: of the file, in a folder that is there and can be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self._threads = Threads(1)  # one save after another, cancelled ones as well
        self._latest = object()

    async def save(self, source: str, reading: Reading) -> None:
        """Replace what is kept. A save that has not begun is skipped when a later one waits.

        Args:
            source: whose state it is: another centre or prefix does not get it.

        Raises:
            KeptError: it was not written, and what was kept still is.
        """
        latest = self._latest = object()
        saved = time.time()

        def write() -> None:
            if self._latest is latest:
                self._write(_packed(source, reading, saved))

        try:
            async with asyncio.timeout(STALLED):
                await self._threads.run(write)
        except TimeoutError as exc:
            raise KeptError(f"{self.path}: Not written within {STALLED:g} s") from exc
        except OSError as exc:
            raise KeptError(f"{self.path}: {exc.strerror}") from exc

    def load(self, source: str) -> tuple[Reading, float] | None:
        """What is kept of this source, and the unix time in seconds at which it was saved.

        Returns:
            None if nothing was ever kept.

        Raises:
            KeptError: it cannot be read, is damaged, of another source or of another format.
        """
        try:
            packed = read_regular(self.path, LIMIT)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise KeptError(f"{self.path}: {exc.strerror}") from exc
        try:
            return _unpacked(packed, source)
        except _Unusable as exc:
            raise KeptError(f"{self.path}: {exc}") from exc
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
            raise KeptError(f"{self.path}: Damaged") from exc

    def _write(self, packed: bytes) -> None:
        # In the same folder: a rename is atomic within a file system only. Mode 0600.
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(packed)
                file.flush()
                os.fsync(descriptor)  # or a power cut may leave a new name for no content
            Path(temporary).replace(self.path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise


class _Unusable(Exception):
    """Whole, but not for us."""


def _packed(source: str, reading: Reading, saved: float) -> bytes:
    content = {
        "format": FORMAT,
        "source": source,
        "saved": saved,
        "revision": reading.revision,
        "entries": {
            name: base64.b64encode(value).decode() for name, value in reading.entries.items()
        },
    }
    return json.dumps({"sha256": _checksum(content), **content}).encode()


def _unpacked(packed: bytes, source: str) -> tuple[Reading, float]:
    content = json.loads(packed)
    if content["format"] != FORMAT:
        raise _Unusable(f"Has another format than {FORMAT}")
    if content.pop("sha256") != _checksum(content):
        raise _Unusable("Damaged")
    if content["source"] != source:
        raise _Unusable(f"Kept of {content['source']}")
    entries = {
        name: base64.b64decode(value, validate=True) for name, value in content["entries"].items()
    }
    if not isinstance(content["revision"], str):
        raise TypeError
    return Reading(entries, content["revision"]), float(content["saved"])


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
