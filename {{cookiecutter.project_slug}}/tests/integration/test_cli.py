"""What the command line says, and how it fails: one line per problem, never a traceback."""

import socket
from pathlib import Path

import pytest

from ..support.process import command, environment

SECRET = "a-token-of-the-operators"


def test_check_prints_what_is_in_force(tmp_path: Path) -> None:
    env = environment(tmp_path, MANAGEMENT__TOKEN=SECRET, HTTP__REQUEST_TIMEOUT="2.5")
    done = command("check", env=env)
    assert done.returncode == 0
    assert "APP_HTTP__REQUEST_TIMEOUT=2.5\n" in done.stdout
    assert "APP_MANAGEMENT__TOKEN=***\n" in done.stdout
    assert SECRET not in done.stdout + done.stderr


def test_every_bad_value_is_one_line(tmp_path: Path) -> None:
    env = environment(
        tmp_path,
        HTTP__PORT="eighty",
        LOG__SAMPLE_RATE="2",
        ENVIRONMENT="prod",
        DEPENDENCIES__PAYMENTS__URL="payments",
        HTTP__PROT="1",
    )
    done = command("serve", env=env)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    names = ("ENVIRONMENT", "DEPENDENCIES__PAYMENTS__URL", "HTTP__PORT", "HTTP__PROT")
    for name in (*names, "LOG__SAMPLE_RATE"):
        assert sum(line.startswith(f"error: APP_{name}:") for line in lines) == 1, name
    assert len(lines) == 5


def test_a_misspelt_variable_is_pointed_out(tmp_path: Path) -> None:
    env = environment(tmp_path) | {"APP_HTTPS": "1", "APP_ENVIROMENT": "production"}
    done = command("check", env=env)
    assert done.returncode == 0
    assert "did you mean APP_ENVIRONMENT?" in done.stderr


def test_production_refuses_what_is_unsafe(tmp_path: Path) -> None:
    env = environment(tmp_path, ENVIRONMENT="production", FAULTS__PERCENTAGE="1")
    done = command("serve", env=env)
    assert done.returncode == 1
    assert "error: APP_DEPENDENCIES__PAYMENTS__URL: required in production" in done.stderr
    assert "error: APP_FAULTS__PERCENTAGE: refused in production" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["HTTP__PORT", "MANAGEMENT__PORT"])
def test_a_port_in_use_is_one_line(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("serve", env=environment(tmp_path, **{name: str(port)}))
    assert done.returncode == 1
    assert done.stderr == f"error: 127.0.0.1:{port} is in use (set APP_{name})\n"


def test_routes_lists_them(tmp_path: Path) -> None:
    done = command("routes", env=environment(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "POST       /api/orders\n" in done.stdout
    assert "/livez" in done.stdout


def test_help_names_the_commands(tmp_path: Path) -> None:
    done = command("--help", env=environment(tmp_path))
    assert done.returncode == 0
    for word in ("serve", "check", "migrate", "routes"):
        assert word in done.stdout
