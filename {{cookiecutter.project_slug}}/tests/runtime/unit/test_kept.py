"""The last good state of the centre on disk: what comes back, and what is not taken."""

import base64
import hashlib
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadfast_service.runtime.config import kept as kept_module
from steadfast_service.runtime.config.kept import Kept, KeptError
from steadfast_service.runtime.config.reading import MAX_BYTES, Reading

from ...support.kept import NEW, OLD, WHERE, files, loaded


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "kept.json")


async def test_what_is_saved_is_loaded(kept: Kept) -> None:
    before = time.time()
    await kept.save(WHERE, OLD)
    found = Kept(kept.path).load(WHERE)
    assert found is not None
    reading, saved = found
    assert reading == OLD
    assert before <= saved <= time.time()


async def test_a_later_one_replaces_it(kept: Kept) -> None:
    await kept.save(WHERE, OLD)
    await kept.save(WHERE, NEW)
    assert loaded(kept) == NEW
    assert files(kept) == ["kept.json"]


async def test_nothing_kept_is_none(kept: Kept) -> None:
    assert kept.load(WHERE) is None


async def test_only_its_owner_can_read_it(kept: Kept) -> None:
    await kept.save(WHERE, OLD)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    kept.path.chmod(0o666)
    await kept.save(WHERE, NEW)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600


async def test_the_state_of_another_source_is_not_taken(kept: Kept) -> None:
    await kept.save(WHERE, OLD)
    with pytest.raises(KeptError) as refused:
        kept.load("http://etcd:2379 /payments")
    assert str(refused.value) == f"{kept.path}: Kept of {WHERE}"


async def test_the_largest_reading_is_kept(kept: Kept) -> None:
    entries = {"\u4e2d" * 300 + str(number): b"\xff" for number in range(1100)}
    for one in ({"a": b"\xff" * MAX_BYTES}, entries):
        await kept.save(WHERE, Reading(one, "1"))
        assert loaded(kept).entries == one


names = st.text(st.characters(codec=None), max_size=20)
readings = st.builds(Reading, st.dictionaries(names, st.binary(max_size=40), max_size=5), names)


@settings(max_examples=30)
@given(reading=readings, source=names)
async def test_any_reading_comes_back(
    tmp_path_factory: pytest.TempPathFactory, reading: Reading, source: str
) -> None:
    kept = Kept(tmp_path_factory.mktemp("kept") / "kept")
    await kept.save(source, reading)
    assert loaded(kept, source) == reading


def packed() -> bytes:
    return kept_module._packed(WHERE, OLD, 1.0)


def means(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None


@given(data=st.data())
def test_damage_of_any_kind_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = packed()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=8)) + whole[end:]
    kept = Kept(tmp_path_factory.mktemp("kept") / "kept")
    kept.path.write_bytes(damaged)
    if means(damaged) == json.loads(whole):  # a space more or less
        assert loaded(kept) == OLD
    else:
        with pytest.raises(KeptError) as refused:
            kept.load(WHERE)
        assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("end", [0, 1, 40, -1])
async def test_a_truncated_file_is_damaged(kept: Kept, end: int) -> None:
    kept.path.write_bytes(packed()[:end])
    with pytest.raises(KeptError) as refused:
        kept.load(WHERE)
    assert str(refused.value) == f"{kept.path}: Damaged"


@pytest.mark.parametrize(
    "content",
    [b"null", b"[]", b"{}", b"7", b'"x"', b"[" * 100_000, b"\x80", b'{"format": 1}'],
)
async def test_foreign_content_is_damaged(kept: Kept, content: bytes) -> None:
    kept.path.write_bytes(content)
    with pytest.raises(KeptError, match="Damaged"):
        kept.load(WHERE)


def signed(**changes: Any) -> bytes:
    """As somebody would write it who knows the format."""
    content = json.loads(packed()) | changes
    del content["sha256"]
    text = json.dumps(content, sort_keys=True)
    sum_ = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps(content | {"sha256": sum_}).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"entries": []},
        {"entries": {"a": 1}},
        {"entries": {"a": "not base64!"}},
        {"entries": {"a": "\u00e9"}},
        {"saved": None},
        {"saved": "yesterday"},
        {"revision": None},
    ],
)
async def test_a_right_sum_of_wrong_content_is_damaged(kept: Kept, changes: dict[str, Any]) -> None:
    kept.path.write_bytes(signed())
    assert loaded(kept) == OLD
    kept.path.write_bytes(signed(**changes))
    with pytest.raises(KeptError, match="Damaged"):
        kept.load(WHERE)


@pytest.mark.parametrize("other", [0, 2, "1", None])
async def test_another_format_is_not_taken(kept: Kept, other: object) -> None:
    kept.path.write_bytes(signed(format=other))
    with pytest.raises(KeptError) as refused:
        kept.load(WHERE)
    assert str(refused.value) == f"{kept.path}: Has another format than 1"


async def test_a_changed_secret_is_not_taken(kept: Kept) -> None:
    changed = base64.b64encode(b"evil")
    kept.path.write_bytes(packed().replace(base64.b64encode(b"info"), changed))
    with pytest.raises(KeptError, match="Damaged"):
        kept.load(WHERE)
