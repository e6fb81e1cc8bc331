"""A database that cannot be used is one line that names what to change."""

import asyncio
from pathlib import Path

import pytest

from ....support.process import command, environment, free_port


def refusal(word: str, folder: Path, url: str) -> str:
    """The one line with which the command fails."""
    done = command(word, env=environment(folder, DATABASE__URL=url))
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "not a database URL"),
        ("orders.db", "not a database URL"),
        ("postgresql://user@host:secret/db", "not a database URL"),
        ("mysql://localhost/orders", "mysql is not supported, use sqlite or postgresql"),
        ("sqlite://", "the database URL names no file"),
        ("sqlite:///:memory:", "the database URL names no file"),
        ("postgresql:///orders", "the database URL names no host"),
        (
            "postgresql://host:99999/db",
            "the database URL has port 99999, ports go from 1 to 65535",
        ),
        (
            "postgresql://host/db?color=blue",
            "the database URL has a parameter color, which is not supported",
        ),
    ],
)
def test_a_url_that_is_none(tmp_path: Path, url: str, says: str) -> None:
    assert refusal("check", tmp_path, url) == f"APP_DATABASE__URL: {says}"


@pytest.mark.parametrize("word", ["serve", "migrate"])
def test_a_folder_that_is_missing(tmp_path: Path, word: str) -> None:
    path = tmp_path / "missing" / "orders.db"
    line = refusal(word, tmp_path, f"sqlite:///{path}")
    assert line == f"database {path}: unable to open database file"


def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    line = refusal("serve", tmp_path, f"sqlite:///{tmp_path}")
    assert line == f"database {tmp_path}: unable to open database file"


@pytest.mark.parametrize("word", ["serve", "migrate"])
def test_a_file_that_is_no_database(tmp_path: Path, word: str) -> None:
    path = tmp_path / "orders.db"
    path.write_bytes(b"not a database " * 1000)
    line = refusal(word, tmp_path, f"sqlite:///{path}")
    assert line == f"database {path}: file is not a database"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody writes")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    line = refusal("serve", tmp_path, "sqlite:////proc/orders.db")
    assert line == "database /proc/orders.db: unable to open database file"


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    port = free_port()
    line = refusal("migrate", tmp_path, f"postgresql://127.0.0.1:{port}/orders")
    assert line.startswith("database: ")
    assert str(port) in line


async def test_a_database_that_is_not_on_the_server(tmp_path: Path, postgres_url: str) -> None:
    line = await asyncio.to_thread(refusal, "migrate", tmp_path, f"{postgres_url}_missing")
    assert line.startswith("database: ")
    assert "does not exist" in line


def test_a_revision_that_is_none(tmp_path: Path) -> None:
    done = command("migrate", "--to", "9999", env=environment(tmp_path))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line == "error: Can't locate revision identified by '9999'"
