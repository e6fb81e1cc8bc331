"""What the command line says, and how it fails: one line per problem, never a traceback."""

import socket
from pathlib import Path

import pytest

from steadfast_service.settings import Dependencies

from ..support.caller import HAS_AUTH
from ..support.process import HAS_DATABASE, command, environment

SECRET = "a-token-of-the-operators"


def refused(*words: str, env: dict[str, str]) -> list[str]:
    """The lines with which the command fails."""
    done = command(*words, env=env)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert all(line.startswith(("error: ", "warning: ")) for line in lines), done.stderr
    return lines


def test_check_prints_what_is_in_force(tmp_path: Path) -> None:
    env = environment(tmp_path, MANAGEMENT__TOKEN=SECRET, HTTP__REQUEST_TIMEOUT="2.5")
    if HAS_DATABASE:
        env["APP_DATABASE__URL"] = f"postgresql://user:{SECRET}@db.example/orders"
    done = command("check", env=env)
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert {"APP_HTTP__REQUEST_TIMEOUT=2.5", "APP_MANAGEMENT__TOKEN=***"} <= set(lines)
    assert f"APP_HTTP__PORT={env['APP_HTTP__PORT']}" in lines
    assert all("=" in line and line.startswith("APP_") for line in lines)
    assert SECRET not in done.stdout


@pytest.mark.parametrize("word", ["serve", "check"])
def test_every_bad_value_is_one_line(tmp_path: Path, word: str) -> None:
    bad = {
        "DEPENDENCIES__PAYMENTS__URL": "payments",
        "ENVIRONMENT": "prod",
        "HTTP__PORT": "eighty",
        "HTTP__PROT": "1",
        "HTTP__REQUEST_TIMEOUT": "nan",
        "LOG__KEY_ROUTES": '["/api/orders"]',
        "LOG__SAMPLE_RATE": "2",
    }
    lines = refused(word, env=environment(tmp_path, **bad))
    names = [line.split(":")[1].strip() for line in lines]
    assert names == [f"APP_{name}{'__0' if 'KEY' in name else ''}" for name in sorted(bad)]


def test_a_list_that_is_no_json_is_one_line(tmp_path: Path) -> None:
    env = environment(tmp_path, HTTP__TRUSTED_PROXIES="10.0.0.0/8", LOG__KEY_ROUTES='["GET /"]')
    assert refused("serve", env=env) == [
        'error: APP_HTTP__TRUSTED_PROXIES: takes a JSON list, such as ["a", "b"]'
    ]


def test_values_that_contradict_each_other_are_one_line(tmp_path: Path) -> None:
    env = environment(tmp_path, HTTP__REQUEST_TIMEOUT="20", HTTP__GRACE="10")
    [line] = refused("serve", env=env)
    assert line.startswith("error: APP_HTTP: grace must be at least request_timeout")


def test_a_misspelt_variable_is_pointed_out(tmp_path: Path) -> None:
    misspelt = {"APP_ENVIROMENT": "production", "APP_SERVICE_PORT": "tcp://10.0.0.1:80"}
    done = command("check", env=environment(tmp_path) | misspelt)
    assert done.returncode == 0
    assert "APP_ENVIRONMENT=development\n" in done.stdout
    first, second = done.stderr.splitlines()
    assert first.startswith("warning: APP_ENVIROMENT: no such setting")
    assert first.endswith("did you mean APP_ENVIRONMENT?")
    assert second.startswith("warning: APP_SERVICE_PORT: no such setting")


def test_production_refuses_what_is_unsafe(tmp_path: Path) -> None:
    unsafe = {"FAULTS__RULES": '[{"abort_status": 500}]', "MANAGEMENT__TOKEN": "short"}
    env = environment(tmp_path, ENVIRONMENT="production", **unsafe)
    env.pop("APP_DATABASE__URL", None)
    lines = refused("serve", env=env)
    expected = [
        *(f"APP_DEPENDENCIES__{name.upper()}__URL" for name in Dependencies.model_fields),
        *(["APP_DATABASE__URL"] if HAS_DATABASE else []),
        *(["APP_AUTH__ISSUER", "APP_AUTH__JWKS_URL"] if HAS_AUTH else []),
        "APP_FAULTS__RULES",
        "APP_MANAGEMENT__TOKEN",
    ]
    assert sorted(line.split(":")[1].strip() for line in lines) == sorted(expected)


@pytest.mark.parametrize("name", ["HTTP__PORT", "MANAGEMENT__PORT"])
def test_a_port_in_use_is_one_line(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        lines = refused("serve", env=environment(tmp_path, **{name: str(port)}))
    assert lines == [f"error: 127.0.0.1:{port} is in use (set APP_{name})"]


def test_routes_lists_them(tmp_path: Path) -> None:
    done = command("routes", env=environment(tmp_path))
    assert done.returncode == 0, done.stderr
    routes = [line.split() for line in done.stdout.splitlines()]
    assert ["POST", "/api/orders", "x-key-route=True", "x-priority=critical"] in routes
    assert ["GET", "/api/orders/{order_id}"] in routes
    assert ["GET", "/api/version"] in routes
    assert ["GET,HEAD", "/readyz"] in routes
    assert done.stderr == ""


def test_help_names_the_commands(tmp_path: Path) -> None:
    done = command("--help", env=environment(tmp_path))
    assert done.returncode == 0
    for word in ("serve", "check", "migrate", "routes", "debug"):
        assert f"  {word} " in done.stdout


def test_a_command_explains_its_options(tmp_path: Path) -> None:
    done = command("migrate", "--help", env=environment(tmp_path))
    assert done.returncode == 0
    assert "a revision, head or base" in done.stdout


def test_an_unknown_command_is_no_traceback(tmp_path: Path) -> None:
    done = command("start", env=environment(tmp_path))
    assert done.returncode == 2
    assert "No such command 'start'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["HTTP", "MANAGEMENT"])
def test_a_host_that_is_not_ours_is_one_line(tmp_path: Path, name: str) -> None:
    # RFC 5737 keeps this network for documentation: no machine has it.
    done = command("serve", env=environment(tmp_path, **{f"{name}__HOST": "192.0.2.1"}))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: 192.0.2.1:")
    assert line.endswith(f"(set APP_{name}__HOST)")
