"""A folder of settings that changes: swapped by Kubernetes, or file by file."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadfast_service.runtime.config.reading import SourceError
from steadfast_service.runtime.config.sources.directory import (
    DirectorySource,
)

from ...support.config_files import Volume, repeating, watching


def source_of(path: Path) -> DirectorySource:
    return DirectorySource(path, name="configmap")


async def test_a_swap_is_read(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "mount", {"a": b"1", "b": b"1"})
    async with watching(source_of(volume.mount)) as watch:
        for entries in ({"a": b"2", "b": b"2"}, {"b": b"3", "c": b"3"}, {}):
            volume.swap(entries)
            assert (await watch.next()).entries == entries


async def test_a_swap_to_the_same_content_is_no_reading(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "mount", {"a": b"1"})
    async with watching(source_of(volume.mount)) as watch:
        volume.swap({"a": b"1"})
        assert await watch.either() is None


async def test_no_change_since_the_last_reading_is_left_out(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "mount", {"a": b"1"})
    source = source_of(volume.mount)
    since = await source.load()
    volume.swap({"a": b"2"})
    async with watching(source, since) as watch:
        assert (await watch.either()) is not None


async def test_many_swaps_are_never_mixed(tmp_path: Path) -> None:
    """Every file of a state holds its number; old states are deleted under the reader."""
    names = [f"key{number}" for number in range(20)]

    def state(number: int) -> dict[str, bytes]:
        return dict.fromkeys(names, b"%d" % number * (1 + number % 3))

    swaps = 0

    def swap(number: int) -> None:
        nonlocal swaps
        swaps = number
        volume.swap(state(number))

    volume = Volume(tmp_path / "mount", state(0))
    source = source_of(volume.mount)
    readings = [await source.load()]
    async with watching(source) as watch, repeating(swap, 0.001):
        readings += [await watch.next() for _ in range(6)]
    assert swaps > 2 * len(readings)
    for reading in readings:
        assert reading.entries.keys() == set(names)
        assert len(set(reading.entries.values())) == 1
    assert (await source.load()).entries == state(swaps)


def test_what_one_read_returns_is_of_one_state(tmp_path: Path) -> None:
    """Without the looks around it, swapped before each file."""
    volume = Volume(tmp_path / "mount", {"a": b"1", "b": b"1"})
    source = source_of(volume.mount)
    real, swaps = os.stat, 0

    def swapping(path: str | Path, **options: Any) -> os.stat_result:
        nonlocal swaps
        if path in {"a", "b"}:
            swaps += 1
            folder = volume.mount / f"..kept{swaps}"
            folder.mkdir()
            for name in "ab":
                (folder / name).write_bytes(b"new")
            link = volume.mount / "..data_tmp"
            link.symlink_to(folder.name)
            link.rename(volume.mount / "..data")
        return real(path, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "stat", swapping)
        reading = source.read()
    assert swaps == 2
    assert reading.entries == {"a": b"1", "b": b"1"}
    assert source.read().entries == {"a": b"new", "b": b"new"}


async def test_a_burst_ends_with_the_last_value(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "mount", {"a": b""})
    async with watching(source_of(volume.mount)) as watch:
        for number in range(100):
            volume.swap({"a": b"%d" % number})
        await watch.until({"a": b"99"})
        assert await watch.either() is None


async def test_files_of_a_plain_folder_come_go_and_change(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    async with watching(source_of(tmp_path)) as watch:
        (tmp_path / "b").write_bytes(b"2")
        assert (await watch.next()).entries == {"a": b"1", "b": b"2"}
        (tmp_path / "a").unlink()
        assert (await watch.next()).entries == {"b": b"2"}
        (tmp_path / "b").write_bytes(b"3")
        assert (await watch.next()).entries == {"b": b"3"}
        (tmp_path / "b").rename(tmp_path / "c")
        assert (await watch.next()).entries == {"c": b"3"}
        (tmp_path / "new").write_bytes(b"4")
        (tmp_path / "new").rename(tmp_path / "c")
        assert (await watch.next()).entries == {"c": b"4"}


async def test_a_plain_folder_is_never_seen_half_written(tmp_path: Path) -> None:
    """Two files that are written one after the other, 10 ms apart."""
    for name in "ab":
        (tmp_path / name).write_bytes(b"0")

    def write(number: int) -> None:
        for name in "ab":
            (tmp_path / name).write_bytes(b"%d" % number)
            time.sleep(0.01)

    async with watching(source_of(tmp_path)) as watch, repeating(write, 0.15):
        readings = [await watch.next() for _ in range(10)]
    assert all(len(set(one.entries.values())) == 1 for one in readings)


async def test_a_volume_edited_by_hand_is_read_too(tmp_path: Path) -> None:
    """Kubernetes never does so, and the looks do not see it; the sign of life does."""
    volume = Volume(tmp_path / "mount", {"a": b"1"})
    source = source_of(volume.mount)
    async with watching(source) as watch:
        look = source.look()
        (volume.mount / "..data" / "a").write_bytes(b"2")
        assert source.look() == look
        assert (await watch.next()).entries == {"a": b"2"}


async def test_a_folder_that_is_gone_is_an_error_and_found_again(
    tmp_path: Path,
) -> None:
    volume = Volume(tmp_path / "mount", {"a": b"1"})
    source = source_of(volume.mount)
    async with watching(source) as watch:
        shutil.rmtree(volume.mount)
        with pytest.raises(SourceError, match="No such file or directory"):
            await watch.next()
    volume = Volume(tmp_path / "mount", {"a": b"2"})
    assert (await source.load()).entries == {"a": b"2"}


async def test_a_state_that_is_gone_is_an_error(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "mount", {"a": b"1"})
    async with watching(source_of(volume.mount)) as watch:
        shutil.rmtree((volume.mount / "..data").resolve())
        with pytest.raises(SourceError, match=r"\.\.data: No such file"):
            await watch.next()


async def test_a_plain_folder_may_become_a_volume(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "a").write_bytes(b"1")
    async with watching(source_of(mount)) as watch:
        shutil.rmtree(mount)
        Volume(mount, {"a": b"2"})
        assert (await watch.next()).entries == {"a": b"2"}


@settings(max_examples=20)
@given(
    states=st.lists(
        st.dictionaries(st.sampled_from(["a", "b", "c.yaml"]), st.binary(max_size=9)),
        min_size=2,
        max_size=6,
    )
)
async def test_the_last_state_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, bytes]]
) -> None:
    volume = Volume(tmp_path_factory.mktemp("volume") / "mount", states[0])
    source = source_of(volume.mount)
    since = await source.load()
    assert since.entries == states[0]
    for state in states[1:]:
        volume.swap(state)
    async with watching(source, since) as watch:
        if states[-1] != states[0]:
            reading = await watch.either()
            assert reading is not None
            assert reading.entries == states[-1]
