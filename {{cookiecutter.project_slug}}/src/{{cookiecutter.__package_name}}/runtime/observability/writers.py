"""The two ways to the log stream: at once, or through a bounded ring.

`DirectWriter` loses nothing, and blocks the event loop when the reader of the stream
stalls (a pipe takes 64 KiB). `RingWriter` never blocks: a thread does the writing, and
what does not fit is dropped and counted. A SIGKILL loses what is still in the ring.
"""

import os
import select
import threading
import time
from collections import deque

# One write of up to 64 KiB, the size of a Linux pipe, costs about as much as a small one.
BATCH_BYTES = 65_536


class DirectWriter:
    """One `os.write` per record, in the caller's thread."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.dropped = 0

    def write(self, line: bytes) -> None:
        try:
            if os.write(self._fd, line) != len(line):
                self.dropped += 1
        except OSError:  # the disk is full or the reader has gone: the service goes on
            self.dropped += 1

    def close(self, timeout: float) -> None:
        """Nothing is pending."""


class RingWriter:
    """A bounded ring and the thread that empties it.

    Args:
        fd: where the lines go.
        capacity: records in the ring; with lines of 500 bytes, 10,000 are 5 MB.
    """

    def __init__(self, fd: int, capacity: int) -> None:
        self._fd = fd
        self._capacity = capacity
        self._lines: deque[bytes] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._idle = True
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        if len(self._lines) >= self._capacity:
            self.dropped += 1
            return
        self._lines.append(line)
        if self._idle:
            self._idle = False
            self._wake.set()

    def close(self, timeout: float) -> None:
        """Write out what is left, for at most `timeout` seconds; the rest counts as dropped."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout)
        self.dropped += len(self._lines)

    def _run(self) -> None:
        while True:
            batch = self._take()
            if batch:
                self._write(batch)
            elif self._closing:
                return
            else:
                self._wake.clear()
                self._idle = True
                if not self._lines and not self._closing:
                    self._wake.wait()
                self._idle = False

    def _take(self) -> list[bytes]:
        batch: list[bytes] = []
        size = 0
        while self._lines and size < BATCH_BYTES:
            batch.append(self._lines.popleft())
            size += len(batch[-1])
        return batch

    def _write(self, batch: list[bytes]) -> None:
        rest = memoryview(b"".join(batch))
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:  # somebody made the stream non-blocking
                select.select([], [self._fd], [], 1.0)
            except OSError:  # the disk is full or the reader has gone
                self.dropped += len(batch)
                time.sleep(0.1)
                return


def open_writer(kind: str, fd: int, ring_size: int) -> DirectWriter | RingWriter:
    """`ring` or `direct`, on an open file descriptor."""
    return RingWriter(fd, ring_size) if kind == "ring" else DirectWriter(fd)
