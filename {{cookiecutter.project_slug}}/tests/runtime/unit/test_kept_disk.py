"""The last good state of the centre, whole or not at all, whatever the disk does."""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from steadfast_service.runtime.config import kept as kept_module
from steadfast_service.runtime.config.kept import Kept, KeptError
from steadfast_service.runtime.config.reading import Reading

from ...support.kept import NEW, OLD, WHERE, files, loaded
from ...support.process import until


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "kept.json")


async def test_what_cannot_be_loaded_is_one_line(kept: Kept) -> None:
    kept.path.mkdir()
    with pytest.raises(KeptError) as refused:
        kept.load(WHERE)
    assert str(refused.value) == f"{kept.path}: Not a regular file"
    kept.path.rmdir()
    os.mkfifo(kept.path)
    with pytest.raises(KeptError, match="Not a regular file"):
        kept.load(WHERE)
    kept.path.unlink()
    with kept.path.open("wb") as file:
        file.truncate(kept_module.LIMIT + 1)
    with pytest.raises(KeptError, match="Larger than"):
        kept.load(WHERE)


async def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "missing" / "kept.json")
    with pytest.raises(KeptError) as refused:
        await kept.save(WHERE, OLD)
    assert str(refused.value) == f"{kept.path}: No such file or directory"
    assert kept.load(WHERE) is None


async def test_a_folder_in_its_place_is_left_alone(kept: Kept) -> None:
    kept.path.mkdir()
    with pytest.raises(KeptError) as refused:
        await kept.save(WHERE, OLD)
    assert str(refused.value) == f"{kept.path}: Is a directory"
    assert files(kept) == ["kept.json"]


# A disk of 64 kB that is full, and one that is read only, of a process of its own.
ON_A_SMALL_DISK = """
import asyncio, os, subprocess, sys
from steadfast_service.runtime.config.kept import Kept, KeptError
from steadfast_service.runtime.config.reading import Reading

folder = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
kept = Kept(folder + "/kept.json")

async def attempt(reading):
    try:
        await kept.save("centre", reading)
    except KeptError as exc:
        print(exc)

async def main():
    old = Reading({"a": b"old"}, "41")
    await attempt(old)
    await attempt(Reading({"a": bytes(100_000)}, "42"))
    print(kept.load("centre")[0] == old, os.listdir(folder))
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    await attempt(Reading({"a": b"new"}, "43"))
    print(kept.load("centre")[0] == old, os.listdir(folder))

asyncio.run(main())
"""
OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]


def may_mount() -> bool:
    """Whether the kernel lets us have mounts of our own, of which nobody else hears."""
    with tempfile.TemporaryDirectory() as folder:
        line = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", folder]
        try:
            done = subprocess.run(line, capture_output=True, check=False)
        except FileNotFoundError:
            return False
    return done.returncode == 0


def test_a_full_or_read_only_disk_is_one_line_and_loses_nothing(
    tmp_path: Path,
) -> None:
    if not may_mount():
        pytest.skip("needs user namespaces to mount a small disk")
    line = [*OWN_MOUNTS, sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"{tmp_path}/kept.json: No space left on device",
        "True ['kept.json']",
        f"{tmp_path}/kept.json: Read-only file system",
        "True ['kept.json']",
    ]


async def test_a_write_that_fails_in_the_middle_loses_nothing(kept: Kept) -> None:
    """As on a full disk, where none can be mounted."""
    await kept.save(WHERE, OLD)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(KeptError) as refused:
            await kept.save(WHERE, Reading({"a": bytes(100_000)}, "42"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(refused.value) == f"{kept.path}: File too large"
    assert loaded(kept) == OLD
    assert files(kept) == ["kept.json"]


class SlowDisk:
    """Holds each `fsync` until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = self.running = 0
        self.most = 0
        self.go_on = threading.Event()
        monkeypatch.setattr(os, "fsync", self._fsync)

    def _fsync(self, _: int) -> None:
        self.began += 1
        self.running += 1
        self.most = max(self.most, self.running)
        self.go_on.wait(10)
        self.running -= 1


async def test_of_saves_that_overlap_the_latest_wins(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowDisk(monkeypatch)
    saves = [asyncio.create_task(kept.save(WHERE, OLD))]
    await until(lambda: disk.began == 1)
    for number in range(50):
        reading = Reading({"number": b"%d" % number}, str(number))
        saves.append(asyncio.create_task(kept.save(WHERE, reading)))
    await asyncio.sleep(0)
    disk.go_on.set()
    await asyncio.gather(*saves)
    assert loaded(kept).revision == "49"
    assert (disk.began, disk.most) == (2, 1)
    assert files(kept) == ["kept.json"]


async def test_a_cancelled_save_does_not_overtake_the_next(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowDisk(monkeypatch)
    first = asyncio.create_task(kept.save(WHERE, OLD))
    await until(lambda: disk.began == 1)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    second = asyncio.create_task(kept.save(WHERE, NEW))
    await asyncio.sleep(0)
    disk.go_on.set()
    await second
    assert loaded(kept) == NEW
    assert disk.most == 1
    assert files(kept) == ["kept.json"]


async def test_a_disk_that_hangs_is_given_up(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, "STALLED", 0.1)
    disk = SlowDisk(monkeypatch)
    for _ in range(3):
        with pytest.raises(KeptError) as refused:
            await kept.save(WHERE, OLD)
        assert str(refused.value) == f"{kept.path}: Not written within 0.1 s"
    assert disk.began == 1
    disk.go_on.set()
    await until(lambda: files(kept) == ["kept.json"])
    assert loaded(kept) == OLD


async def test_a_reader_never_sees_half_of_it(kept: Kept) -> None:
    async def write() -> None:
        for number in range(60):
            value = b"%d" % number * 5000
            await kept.save(WHERE, Reading({"a": value}, str(number)))

    writing = asyncio.create_task(write())
    reader: Callable[[str], object] = Kept(kept.path).load
    while not writing.done():
        await asyncio.to_thread(reader, WHERE)  # raises if it is damaged
    await writing
    assert loaded(kept).revision == "59"


def test_killed_at_any_moment_it_is_whole(kept: Kept) -> None:
    code = """
import asyncio, sys
from steadfast_service.runtime.config.kept import Kept
from steadfast_service.runtime.config.reading import Reading

async def main():
    kept = Kept(sys.argv[1])
    for number in range(10**9):
        await kept.save("centre", Reading({"a": b"%d" % number * 50_000}, str(number)))
        if number == 0:
            print("saved", flush=True)

asyncio.run(main())
"""
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", code, str(kept.path)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        with writer.stdout:
            assert writer.stdout.readline() == b"saved\n"
        writer.kill()
        writer.wait()
        assert loaded(kept, "centre").entries
