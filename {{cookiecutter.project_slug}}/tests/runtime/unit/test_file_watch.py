"""A file of settings that changes: in place, replaced, deleted, touched, for ever."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadfast_service.runtime.config.reading import MAX_BYTES, SourceError
from steadfast_service.runtime.config.sources.file import FileSource

from ...support.config_files import repeating, watching


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "orders.yaml"
    file.write_bytes(b"log: {level: info}\n")
    return file


async def test_a_change_in_place_is_read(path: Path) -> None:
    async with watching(FileSource(path)) as watch:
        path.write_bytes(b"log: {level: debug}\n")
        assert (await watch.next()).entries == {path.name: b"log: {level: debug}\n"}


async def test_a_change_of_the_same_size_and_time_is_read(path: Path) -> None:
    """As `cp -p` and `rsync -t` make them."""
    source = FileSource(path)
    async with watching(source) as watch:
        before, look = path.stat(), source.look()
        path.write_bytes(b"log: {level: warn}\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
        assert source.look() != look  # and not only by the sign of life
        assert (await watch.either()) is not None


async def test_a_file_renamed_over_it_is_read(path: Path) -> None:
    async with watching(FileSource(path)) as watch:
        for value in (b"a: 1", b"a: 2"):
            new = path.with_suffix(".new")
            new.write_bytes(value)
            new.rename(path)
            assert (await watch.next()).entries == {path.name: value}


async def test_a_symlink_that_is_turned_is_read(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    path = tmp_path / "orders.yaml"
    path.symlink_to("one")
    async with watching(FileSource(path)) as watch:
        turned = tmp_path / "turned"
        turned.symlink_to("two")
        turned.rename(path)
        assert (await watch.next()).entries == {"orders.yaml": b"two"}
        (tmp_path / "two").write_text("changed behind it")
        expected = {"orders.yaml": b"changed behind it"}
        assert (await watch.next()).entries == expected


async def test_no_change_since_the_last_reading_is_left_out(path: Path) -> None:
    source = FileSource(path)
    since = await source.load()
    path.write_bytes(b"changed: between")
    async with watching(source, since) as watch:
        assert (await watch.either()) is not None


async def test_a_touch_is_no_reading(path: Path) -> None:
    async with watching(FileSource(path)) as watch:
        path.touch()
        assert await watch.either() is None
        path.chmod(0o640)
        assert await watch.either() is None


async def test_signs_of_life_come_about_each_second(path: Path) -> None:
    async with watching(FileSource(path)) as watch:
        began = time.monotonic()
        for _ in range(2):
            assert await watch.either() is None
        assert time.monotonic() - began > 1.5


async def test_touched_for_ever_there_are_signs_of_life_but_few(path: Path) -> None:
    async with (
        watching(FileSource(path)) as watch,
        repeating(lambda _: path.touch(), 0.01),
    ):
        began = time.monotonic()
        for _ in range(3):
            assert await watch.either() is None
        assert time.monotonic() - began > 1


async def test_a_file_that_is_gone_is_an_error_and_found_again(path: Path) -> None:
    source = FileSource(path)
    async with watching(source) as watch:
        path.unlink()
        with pytest.raises(SourceError, match="No such file or directory"):
            await watch.next()
    with pytest.raises(SourceError, match="No such file or directory"):
        await source.load()
    path.write_bytes(b"back: true")
    assert (await source.load()).entries == {path.name: b"back: true"}


async def test_it_may_be_deleted_for_a_moment_before_it_is_replaced(path: Path) -> None:
    """As editors do that keep the old one as a backup."""

    def save(number: int) -> None:
        path.rename(path.with_suffix(".bak"))
        time.sleep(0.005)
        path.write_bytes(b"save: %d" % number)

    async with watching(FileSource(path)) as watch, repeating(save, 0.2):
        numbers = [int((await watch.next()).entries[path.name].split()[1]) for _ in range(8)]
    assert numbers == sorted(set(numbers))


async def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    path = folder / "orders.yaml"
    path.write_bytes(b"a: 1")
    async with watching(FileSource(path)) as watch:
        path.unlink()
        folder.rmdir()
        with pytest.raises(SourceError, match="No such file or directory"):
            await watch.next()


async def test_that_it_grows_too_large_is_an_error(path: Path) -> None:
    async with watching(FileSource(path)) as watch:
        path.write_bytes(b"#" * (MAX_BYTES + 1))
        with pytest.raises(SourceError, match="Larger than 1048576 bytes"):
            await watch.next()


async def test_a_burst_ends_with_the_last_value(path: Path) -> None:
    async with watching(FileSource(path)) as watch:
        for number in range(200):
            path.write_bytes(b"number: %d" % number)
        await watch.until({path.name: b"number: 199"})
        assert await watch.either() is None


async def test_a_write_in_pieces_is_never_seen_half_done(path: Path) -> None:
    """Truncated, then written in 12 pieces 3 ms apart."""
    lines = 12

    def whole(number: int) -> bytes:
        return b"number: %d\n" % number * lines

    def write(number: int) -> None:
        with path.open("wb", buffering=0) as file:
            for _ in range(lines):
                time.sleep(0.003)
                file.write(b"number: %d\n" % number)

    path.write_bytes(whole(1000))
    async with watching(FileSource(path)) as watch, repeating(write, 0.12):
        readings = [await watch.next() for _ in range(12)]
    for reading in readings:
        content = reading.entries[path.name]
        number = int(content.split(b"\n")[0].split()[1])
        assert content == whole(number)


async def test_written_for_ever_it_is_read_once_a_second_at_least(path: Path) -> None:
    def write(number: int) -> None:
        path.write_bytes(b"number: %d" % number)

    async with watching(FileSource(path)) as watch, repeating(write, 0.02):
        await watch.next()
        began = time.monotonic()
        for _ in range(4):
            await watch.next()
        assert time.monotonic() - began < 4


async def test_a_change_is_read_within_0_2_seconds(path: Path) -> None:
    latencies = []
    async with watching(FileSource(path)) as watch:
        for number in range(15):
            began = time.monotonic()
            path.write_bytes(b"number: %d" % number)
            await watch.next()
            latencies.append(time.monotonic() - began)
    assert sorted(latencies)[7] < 0.2  # the median: the machine may be busy


contents = st.binary(max_size=50)


@settings(max_examples=20)
@given(before=contents, changes=st.lists(contents, min_size=1, max_size=8))
async def test_the_last_content_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, changes: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("file") / "a.toml"
    path.write_bytes(before)
    source = FileSource(path)
    since = await source.load()
    for number, content in enumerate(changes):
        if number % 2:
            path.write_bytes(content)
        else:
            path.with_suffix(".new").write_bytes(content)
            path.with_suffix(".new").rename(path)
    async with watching(source, since) as watch:
        if changes[-1] != before:
            reading = await watch.either()
            assert reading is not None
            assert reading.entries == {"a.toml": changes[-1]}
