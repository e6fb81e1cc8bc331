"""The log stream: nothing is lost unless it is counted, and nobody waits for its reader."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from steadfast_service.runtime.observability.writers import (
    BATCH_BYTES,
    DirectWriter,
    RingWriter,
    open_writer,
)

BOUND = 5.0
Pipe = tuple[int, int]
MakeRing = Callable[[int, int], RingWriter]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """The reading and the writing end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


@pytest.fixture
def ring(pipe: Pipe) -> Iterator[MakeRing]:
    """Makes ring writers whose threads end before their streams are closed."""
    made: list[RingWriter] = []

    def make(fd: int, capacity: int) -> RingWriter:
        made.append(RingWriter(fd, capacity))
        return made[-1]

    yield make
    os.close(pipe[0])  # whoever still waits for a reader gets an error
    for writer in made:
        writer.close(BOUND)
        assert not writer._thread.is_alive()


def lines(number: int, size: int = 100) -> list[bytes]:
    return [f"{n:06d}".encode().ljust(size - 1, b".") + b"\n" for n in range(number)]


def read_all(fd: int) -> bytes:
    """Everything until the writing end is closed."""
    parts = []
    while part := os.read(fd, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def fill(fd: int) -> None:
    """Leave no room in a pipe, and leave it blocking."""
    os.set_blocking(fd, False)
    with suppress(BlockingIOError):
        while True:
            os.write(fd, b"x" * 4096)
    os.set_blocking(fd, True)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_ring_keeps_order_and_writes_everything(pipe: Pipe, ring: MakeRing) -> None:
    read, write = pipe
    writer = ring(write, 100_000)
    sent = lines(5000)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(read_all(read)))
    reader.start()
    for line in sent:
        writer.write(line)
    writer.close(BOUND)
    os.close(write)
    reader.join(BOUND)
    assert received == [b"".join(sent)]
    assert writer.dropped == 0


def test_a_line_on_its_own_is_written_without_another(pipe: Pipe, ring: MakeRing) -> None:
    read, write = pipe
    writer = ring(write, 10)
    for line in lines(20):
        writer.write(line)
        assert os.read(read, 4096) == line


def test_a_stalled_reader_stalls_nobody_and_what_is_lost_is_counted(
    pipe: Pipe, ring: MakeRing
) -> None:
    _, write = pipe
    fill(write)
    writer = ring(write, 100)
    began = time.monotonic()
    for line in lines(50_000):
        writer.write(line)
    assert time.monotonic() - began < BOUND
    # The ring, and the batch that its thread holds, are all that can be kept.
    most = 100 + BATCH_BYTES // 100 + 1
    assert 50_000 - most <= writer.dropped < 50_000


def test_closing_is_bounded_and_counts_what_is_left(pipe: Pipe, ring: MakeRing) -> None:
    _, write = pipe
    fill(write)
    writer = ring(write, 1000)
    writer.write(b"taken by the thread\n")
    until(lambda: not writer._lines)
    for line in lines(10):
        writer.write(line)
    began = time.monotonic()
    writer.close(0.1)
    assert time.monotonic() - began < BOUND
    assert writer.dropped == 10


def test_a_reader_that_has_gone_is_counted(ring: MakeRing) -> None:
    gone, broken = os.pipe()
    os.close(gone)
    writer = ring(broken, 100)
    for line in lines(5):
        writer.write(line)
    until(lambda: writer.dropped == 5)
    writer.close(BOUND)
    os.close(broken)


def test_a_full_disk_is_counted(ring: MakeRing) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    writer = ring(full, 100)
    for line in lines(5):
        writer.write(line)
    until(lambda: writer.dropped == 5)
    writer.close(BOUND)
    os.close(full)


def test_a_stream_that_somebody_made_non_blocking(pipe: Pipe, ring: MakeRing) -> None:
    read, write = pipe
    fill(write)
    os.set_blocking(write, False)
    writer = ring(write, 100)
    writer.write(b"after the room came back\n")
    until(lambda: not writer._lines)
    received = b""
    while not received.endswith(b"after the room came back\n"):
        received += os.read(read, 1 << 20)
    assert writer.dropped == 0


def test_direct_writes_at_once(pipe: Pipe) -> None:
    read, write = pipe
    writer = DirectWriter(write)
    writer.write(b"line\n")
    assert os.read(read, 100) == b"line\n"
    writer.close(BOUND)
    assert writer.dropped == 0


def test_direct_counts_what_did_not_go(pipe: Pipe) -> None:
    read, write = pipe
    fill(write)
    os.set_blocking(write, False)
    writer = DirectWriter(write)
    writer.write(b"no room\n")
    os.read(read, 4096)
    writer.write(b"x" * 100_000)  # only part of it goes
    assert writer.dropped == 2
    os.close(read)
    writer.write(b"nobody there\n")
    assert writer.dropped == 3


def test_direct_on_a_full_disk() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    writer = DirectWriter(full)
    writer.write(b"line\n")
    os.close(full)
    assert writer.dropped == 1


def test_the_setting_chooses(tmp_path: Path) -> None:
    with tmp_path.joinpath("log").open("wb") as file:
        ring = open_writer("ring", file.fileno(), 10)
        assert isinstance(ring, RingWriter)
        ring.close(BOUND)
        assert isinstance(open_writer("direct", file.fileno(), 10), DirectWriter)
