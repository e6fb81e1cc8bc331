"""A folder of settings, a mounted volume or a plain one: what is read of it."""

import hashlib
import os
from pathlib import Path

import pytest

from steadfast_service.runtime.config.reading import MAX_BYTES, SourceError
from steadfast_service.runtime.config.sources.directory import (
    MAX_FILES,
    DirectorySource,
)

from ...support.config_files import Volume


def source_of(path: Path) -> DirectorySource:
    return DirectorySource(path, name="configmap")


async def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as refused:
        await source_of(path).load()
    return str(refused.value)


async def test_each_file_of_a_volume_is_an_entry(tmp_path: Path) -> None:
    entries = {"log.level": b"info", "app.yaml": b"a: 1\n", "tls.key": b"\xff\x00\n"}
    volume = Volume(tmp_path / "mount", entries)
    source = source_of(volume.mount)
    assert (await source.load()).entries == entries
    assert (source.name, source.where) == ("configmap", str(volume.mount))
    assert not source.remote
    await source.close()


async def test_a_plain_folder_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1\n")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / ".hidden").write_bytes(b"no")
    (tmp_path / "..old").write_bytes(b"no")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "c").write_bytes(b"no")
    (tmp_path / "to-folder").symlink_to("folder")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    entries = (await source_of(tmp_path).load()).entries
    assert entries == {"a": b"1\n", "b": b"1\n"}


async def test_an_empty_one_holds_nothing(tmp_path: Path) -> None:
    assert (await source_of(tmp_path).load()).entries == {}
    volume = Volume(tmp_path / "mount", {})
    assert (await source_of(volume.mount).load()).entries == {}


async def test_the_revision_is_of_the_content_only(tmp_path: Path) -> None:
    entries = {"b": b"2", "a": b"1"}
    volume = Volume(tmp_path / "mount", entries)
    plain = tmp_path / "plain"
    plain.mkdir()
    for name, value in entries.items():
        (plain / name).write_bytes(value)
    # What `sha256sum * | sha256sum` says.
    lines = "".join(
        f"{hashlib.sha256(value).hexdigest()}  {name}\n" for name, value in sorted(entries.items())
    )
    expected = hashlib.sha256(lines.encode()).hexdigest()[:12]
    for path in (volume.mount, plain):
        assert (await source_of(path).load()).revision == expected


async def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mount"
    assert await refusal(path) == f"{path}: No such file or directory"
    path.write_bytes(b"")
    assert await refusal(path) == f"{path}: Not a directory"
    path.unlink()
    os.mkfifo(path)
    assert await refusal(path) == f"{path}: Not a directory"
    path.unlink()
    path.mkdir()
    (path / "..data").symlink_to("..gone")
    assert await refusal(path) == f"{path}/..data: No such file or directory"
    (path / "..data").unlink()
    (path / "a\nb").write_bytes(b"")
    assert await refusal(path) == f"{path}: Holds a file with the name 'a\\nb'"
    (path / "a\nb").unlink()
    Path(os.fsdecode(os.fsencode(path) + b"/\xff")).write_bytes(b"")
    said = await refusal(path)
    assert said == f"{path}: Holds a file with the name '\\udcff'"


async def test_a_loop_of_symlinks_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    assert await refusal(tmp_path) == (f"{tmp_path / 'a'}: Too many levels of symbolic links")


async def test_all_together_have_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"#" * (MAX_BYTES - 1))
    (tmp_path / "b").write_bytes(b"#")
    assert len((await source_of(tmp_path).load()).entries) == 2
    (tmp_path / "c").write_bytes(b"#")
    expected = f"{tmp_path}: Holds more than {MAX_BYTES} bytes"
    assert await refusal(tmp_path) == expected
    volume = Volume(tmp_path / "mount", {"a": b"#" * (MAX_BYTES + 1)})
    said = await refusal(volume.mount)
    assert said == f"{volume.mount}: Holds more than {MAX_BYTES} bytes"


async def test_the_number_of_files_has_a_limit(tmp_path: Path) -> None:
    for number in range(MAX_FILES):
        (tmp_path / str(number)).touch()
    assert len((await source_of(tmp_path).load()).entries) == MAX_FILES
    (tmp_path / "more").touch()
    expected = f"{tmp_path}: Holds more than {MAX_FILES} files"
    assert await refusal(tmp_path) == expected


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    source = source_of(tmp_path)

    def free() -> int:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        os.close(descriptor)
        return descriptor

    source.read()
    before = free()
    for _ in range(5):
        source.look()
        source.read()
    (tmp_path / "b").symlink_to("b")
    for _ in range(5):
        with pytest.raises(OSError, match="symbolic links"):
            source.look()
    assert free() == before
