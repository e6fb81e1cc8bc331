"""A file of settings: what is read of it, and what is wrong with it."""

import asyncio
import errno
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from steadfast_service.runtime.config.reading import MAX_BYTES, SourceError
from steadfast_service.runtime.config.sources.file import FileSource

from ...support.config_files import repeating

# To root nothing is denied, so it becomes somebody else, once all modules are there.
AS_SOMEBODY = """
import asyncio, os, sys
from steadfast_service.runtime.config.reading import SourceError
from steadfast_service.runtime.config.sources.file import FileSource

async def main(path):
    source = FileSource(path)
    since = await source.load()
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    await source.load()
    print("read")
    os.chmod(path, 0)
    try:
        async for _ in source.watch(since):
            pass
    except SourceError as exc:
        print(exc)
    os.chmod(path, 0o400)
    await source.load()
    print("read")

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "orders.yaml"
    file.write_bytes(b"log: {level: info}\n")
    return file


async def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as refused:
        await FileSource(path).load()
    return str(refused.value)


async def test_a_reading_is_the_file_by_its_name_and_sum(path: Path) -> None:
    source = FileSource(path)
    reading = await source.load()
    assert reading.entries == {"orders.yaml": b"log: {level: info}\n"}
    assert reading.continuous
    expected = hashlib.sha256(b"log: {level: info}\n").hexdigest()[:12]
    assert reading.revision == expected
    assert (source.name, source.where) == ("file", str(path))
    assert not source.remote
    await source.close()


async def test_bytes_come_as_they_are(path: Path) -> None:
    path.write_bytes(b"\xff\x00\r\n\n")
    reading = await FileSource(path).load()
    assert reading.entries == {"orders.yaml": b"\xff\x00\r\n\n"}


async def test_an_empty_file_is_one(path: Path) -> None:
    path.write_bytes(b"")
    assert (await FileSource(path).load()).entries == {"orders.yaml": b""}


def test_a_relative_path_is_where_it_was_at_the_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    assert FileSource("orders.yaml").where == str(path)


@pytest.mark.parametrize("name", ["a.ini", "a", "yaml", ".yaml", "a.YAML", "a.yaml.bak"])
def test_another_format_is_refused_at_once(name: str) -> None:
    with pytest.raises(ValueError, match=r"takes a file that ends in") as refused:
        FileSource(f"/etc/{name}")
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("suffix", ["yaml", "yml", "toml", "json"])
async def test_each_format_is_read(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(b"x")
    assert (await FileSource(file).load()).entries == {f"a.{suffix}": b"x"}


async def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    assert await refusal(path) == f"{path}: No such file or directory"
    path.mkdir()
    assert await refusal(path) == f"{path}: Not a regular file"
    path.rmdir()
    path.symlink_to("nowhere")
    assert await refusal(path) == f"{path}: No such file or directory"
    path.unlink()
    path.symlink_to(path.name)
    assert await refusal(path) == f"{path}: {os.strerror(errno.ELOOP)}"
    path.unlink()
    path.symlink_to("/dev/zero")
    assert await refusal(path) == f"{path}: Not a regular file"
    under = path.parent / "orders.yaml" / "a.yaml"
    path.unlink()
    path.write_bytes(b"")
    assert await refusal(under) == f"{under}: Not a directory"


async def test_a_pipe_without_a_writer_blocks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    os.mkfifo(path)
    async with asyncio.timeout(5):
        assert await refusal(path) == f"{path}: Not a regular file"


async def test_the_largest_file_is_read_and_a_larger_one_is_not(path: Path) -> None:
    path.write_bytes(b"#" * MAX_BYTES)
    assert len((await FileSource(path).load()).entries[path.name]) == MAX_BYTES
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert await refusal(path) == f"{path}: Larger than {MAX_BYTES} bytes"


async def test_permission_that_is_taken_is_an_error_until_given_back() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own is closed to others
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "orders.yaml"
        path.write_bytes(b"")
        line = [sys.executable, "-c", AS_SOMEBODY, str(path)]
        # Somebody may not write where coverage is measured.
        env = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST_COV"))}
        done = await asyncio.to_thread(
            subprocess.run, line, env=env, capture_output=True, text=True, check=False
        )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines == ["read", f"{path}: Permission denied", "read"]


async def test_loading_waits_for_the_end_of_a_write(path: Path) -> None:
    began, size = asyncio.Event(), 40
    loop = asyncio.get_running_loop()

    def write(_: int) -> None:
        with path.open("wb", buffering=0) as file:
            for _ in range(size):
                file.write(b"x")
                loop.call_soon_threadsafe(began.set)
                time.sleep(0.005)

    async with repeating(write, 60):
        await began.wait()
        reading = await FileSource(path).load()
    assert len(reading.entries[path.name]) == size
