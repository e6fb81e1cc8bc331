"""`debug` of the command line against a real process, as an operator runs it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from steadfast_service.runtime.ops.diagnostics.command_text import printable

from ...support.process import (
    LIMIT,
    PACKAGE,
    Process,
    command,
    environment,
    free_port,
    serving,
    until,
)

TOKEN = "a-token-of-the-operators"
SECONDS = ("--seconds", "0.3")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("debug")
    with serving(folder, MANAGEMENT__TOKEN=TOKEN, MANAGEMENT__PROFILE_LIMIT="60") as it:
        yield it


def run(
    process: Process, *words: str, token: str = TOKEN, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """One command, with the token that it finds in its environment."""
    env = environment(Path(), MANAGEMENT__TOKEN=token) | variables
    done = command("debug", *words, "--url", process.ops_url, env=env, timeout=2 * LIMIT)
    if token:
        assert token not in done.stdout + done.stderr
    return done


def refused(process: Process, *words: str, token: str = TOKEN) -> str:
    """The line with which it fails; the announcement of what it would cost may stand above."""
    done = run(process, *words, token=token)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    assert "Traceback" not in done.stderr
    return line


@pytest.mark.parametrize(
    ("name", "said", "member"),
    [
        ("tasks", "Server.serve", "groups"),
        ("threads", "MainThread", "threads"),
        ("process", "event loop", "loop"),
        ("stalls", "stalls of more than", "stalls"),
        ("build", "CPython", "packages"),
    ],
)
def test_what_it_shows(process: Process, name: str, said: str, member: str) -> None:
    text = run(process, name, token="")
    assert text.returncode == 0, text.stderr
    assert said in text.stdout
    document = json.loads(run(process, name, "--json", token="").stdout)
    assert member in document


def test_a_profile_is_written_to_a_file(process: Process, tmp_path: Path) -> None:
    page = tmp_path / "flame.html"
    done = run(process, "profile", *SECONDS, "--kind", "wall", "--out", str(page))
    assert done.returncode == 0, done.stderr
    announced, written = done.stderr.splitlines()
    assert announced.startswith("wall for 0.3 s. ")
    assert len(announced) > len("wall for 0.3 s. ")
    assert written == f"written to {page}"
    assert done.stdout.startswith("wall, ")
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")


@pytest.mark.parametrize("kind", ["heap", "growth"])
def test_memory_is_shown_on_the_terminal(process: Process, kind: str) -> None:
    done = run(process, "profile", *SECONDS, "--kind", kind)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{kind}, ")
    assert "pause_ms" in done.stdout


def test_what_another_program_reads_goes_to_standard_output(process: Process) -> None:
    words = ("profile", *SECONDS, "--kind", "wall", "--format")
    whole = json.loads(run(process, *words, "json").stdout)
    assert whole["kind"] == "wall"
    assert "profiles" in json.loads(run(process, *words, "speedscope").stdout)
    for line in run(process, *words, "collapsed").stdout.splitlines():
        stack, _, weight = line.rpartition(" ")
        assert stack
        assert float(weight) > 0


def test_open_shows_it_in_a_browser(process: Process, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shown}\n', encoding="utf-8")
    browser.chmod(0o755)
    page = tmp_path / "page.html"
    words = ("profile", *SECONDS, "--kind", "wall", "--out", str(page), "--open")
    done = run(process, *words, BROWSER=f"{browser} %s")
    assert done.returncode == 0, done.stderr
    assert shown.read_text(encoding="utf-8").strip() == page.as_uri()


def test_a_token_may_come_from_a_file(process: Process, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    words = ("profile", *SECONDS, "--kind", "wall", "--token-file")
    assert run(process, *words, str(file), token="").returncode == 0
    missing = tmp_path / "none"
    assert str(missing) in refused(process, *words, str(missing))


def test_a_refusal_is_one_line_that_says_why(process: Process, tmp_path: Path) -> None:
    profile = ("profile", *SECONDS)
    assert "401" in refused(process, *profile, token="another")
    assert "401" in refused(process, *profile, token="")
    assert "422" in refused(process, "profile", "--seconds", "61")
    folder = str(tmp_path / "none" / "flame.html")
    done = run(process, *profile, "--kind", "wall", "--out", folder)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: --out {folder}: ")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("127.0.0.1:9000", "takes an address such as"),
        ("file:///etc/passwd", "takes an address such as"),
        ("http://127.0.0.1:port", "--url"),
    ],
)
def test_an_address_that_is_none(url: str, why: str, tmp_path: Path) -> None:
    _assert_says(why, url, tmp_path)


def test_an_address_where_nobody_is(tmp_path: Path) -> None:
    _assert_says("refused", f"http://127.0.0.1:{free_port()}", tmp_path)


def _assert_says(why: str, url: str, tmp_path: Path) -> None:
    done = command("debug", "tasks", "--url", url, env=environment(tmp_path))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert why in line


def test_the_other_port_is_no_management_port(process: Process, tmp_path: Path) -> None:
    done = command("debug", "tasks", "--url", process.url, env=environment(tmp_path))
    assert done.returncode == 1
    assert "404" in done.stderr


@pytest.fixture
def long_one(process: Process, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A profile that somebody takes meanwhile."""
    words = ["debug", "profile", "--seconds", "50", "--url", process.ops_url]
    with subprocess.Popen(
        [sys.executable, "-m", PACKAGE, *words],
        env=environment(tmp_path, MANAGEMENT__TOKEN=TOKEN),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as it:
        yield it
        it.kill()


async def test_one_at_a_time_and_ctrl_c_ends_it_there(
    process: Process, long_one: "subprocess.Popen[str]"
) -> None:
    await until(lambda: _running(process) is not None)
    assert "409" in refused(process, "profile", *SECONDS)
    long_one.send_signal(signal.SIGINT)
    _, said = long_one.communicate(timeout=LIMIT)
    assert long_one.returncode == 130
    assert said.splitlines()[-1] == "stopped"
    await until(lambda: _running(process) is None)


def _running(process: Process) -> Any:
    return httpx.get(f"{process.ops_url}/debug/profiles").json()["running"]


def test_without_a_token_no_service_takes_profiles(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        assert "403" in refused(process, "profile", *SECONDS)


def test_a_hostile_name_does_not_steer_the_terminal() -> None:
    hostile = "tea\x1b]0;title\x07\x1b[2J\r\u202eX"
    assert printable(hostile).isprintable()
    assert printable("orders/app.py:1 in täglich") == "orders/app.py:1 in täglich"
