"""Settings: read from the environment, and refused in words that help."""

import asyncio
import json
from pathlib import Path

import pytest

from steadfast_service.runtime.config.groups import Environment
from steadfast_service.runtime.config.problems import (
    InvalidSettings,
    unknown_variables,
)
from steadfast_service.runtime.config.tree import leaves, shown, variable
from steadfast_service.settings import Dependencies, Settings, open_settings

from ..support.caller import HAS_AUTH

SQL = "database" in Settings.model_fields
SECRET = "hunter2hunter2hunter2"
ADDRESSES = [f"APP_DEPENDENCIES__{name.upper()}__URL" for name in Dependencies.model_fields]
RULES = '[{"abort_status": 503}]'


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return asyncio.run(open_settings()).settings


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        loaded(monkeypatch, **variables)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_it_starts_with_nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch)
    assert settings.environment is Environment.DEVELOPMENT
    assert (settings.http.port, settings.management.port) == (8000, 9000)
    assert settings.http.grace == settings.http.request_timeout + 5
    assert settings.unsafe() == []


@pytest.mark.parametrize(
    ("environment", "form", "rate"),
    [("development", "console", 1.0), ("staging", "json", 0.001), ("production", "json", 0.001)],
)
def test_some_defaults_follow_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: str, form: str, rate: float
) -> None:
    settings = loaded(monkeypatch, **production(APP_ENVIRONMENT=environment))
    assert (settings.log.format, settings.log.rate) == (form, rate)


def test_but_what_is_set_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, APP_LOG__FORMAT="json", APP_LOG__SAMPLE_RATE="0")
    assert (settings.log.format, settings.log.rate) == ("json", 0.0)


def test_every_level_can_be_set_and_lists_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(
        monkeypatch,
        APP_HTTP__REQUEST_TIMEOUT="2.5",
        APP_DEPENDENCIES__PAYMENTS__URL="http://payments:8080/v1",
        APP_LOG__KEY_ROUTES='["POST /api/orders", "GET /api/orders/{order_id}"]',
        APP_HTTP__TRUSTED_PROXIES='["10.0.0.0/8"]',
    )
    assert settings.http.request_timeout == 2.5
    assert settings.dependencies.payments.url == "http://payments:8080/v1"
    assert settings.log.key_routes == ("POST /api/orders", "GET /api/orders/{order_id}")
    assert settings.http.trusted_proxies == ("10.0.0.0/8",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENVIRONMENT", "prod"),
        ("APP_HTTP__PORT", "eighty"),
        ("APP_HTTP__PORT", "0"),
        ("APP_HTTP__PORT", "65536"),
        ("APP_HTTP__REQUEST_TIMEOUT", "0"),
        ("APP_HTTP__REQUEST_TIMEOUT", "-1"),
        ("APP_HTTP__REQUEST_TIMEOUT", "nan"),
        ("APP_HTTP__REQUEST_TIMEOUT", "inf"),
        ("APP_HTTP__DRAIN_DELAY", "5s"),
        ("APP_LOG__LEVEL", "loud"),
        ("APP_LOG__SAMPLE_RATE", "1.1"),
        ("APP_TRACING__SAMPLE_RATIO", "-0.1"),
        ("APP_DEPENDENCIES__PAYMENTS__URL", "payments:8080"),
        ("APP_DEPENDENCIES__PAYMENTS__URL", "ftp://payments"),
        ("APP_HTTP__PROT", "8000"),
        *(
            ("APP_DATABASE__URL", url)
            for url in ("orders.db", "mysql://db/orders", "postgresql:///orders", "")
            if SQL
        ),
    ],
)
def test_a_bad_value_is_one_line_with_the_variable_s_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    [problem] = refused(monkeypatch, **{name: value})
    assert problem.startswith(f"{name}: ")
    assert "\n" not in problem
    assert "Value error" not in problem


def test_every_problem_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = refused(
        monkeypatch, APP_HTTP__PORT="x", APP_LOG__LEVEL="x", APP_MANAGEMENT__PORT="x"
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "APP_HTTP__PORT",
        "APP_LOG__LEVEL",
        "APP_MANAGEMENT__PORT",
    ]


def test_a_list_that_is_not_json_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = refused(monkeypatch, APP_LOG__KEY_ROUTES="POST /api/orders")
    assert problem.startswith("APP_LOG__KEY_ROUTES: takes a JSON list")
    [problem] = refused(monkeypatch, APP_LOG__KEY_ROUTES='["/api/orders"]')
    assert problem.startswith("APP_LOG__KEY_ROUTES__0: ")


@pytest.mark.parametrize(
    "host", ["https://ops.example.com/", "ops.example.com:9000", "*.example.com", "ops..com", ""]
)
def test_a_host_that_no_request_can_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    [problem] = refused(monkeypatch, APP_MANAGEMENT__HOSTS=json.dumps([host]))
    assert problem.startswith("APP_MANAGEMENT__HOSTS__0: takes a host name such as")


def test_a_host_is_the_same_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, APP_MANAGEMENT__HOSTS='["OPS.Example.com."]')
    assert settings.management.hosts == ("ops.example.com",)


def test_an_empty_url_means_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, APP_DEPENDENCIES__PAYMENTS__URL="")
    assert settings.dependencies.payments.url == ""


def test_draining_must_outlast_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = refused(monkeypatch, APP_HTTP__REQUEST_TIMEOUT="3000")
    assert problem.startswith("APP_HTTP: grace must be at least request_timeout")
    settings = loaded(monkeypatch, APP_HTTP__GRACE="3000")
    assert settings.http.grace == settings.http.request_timeout == 3000


@pytest.mark.skipif(not SQL, reason="this service has no database")
@pytest.mark.parametrize("url", ["postgresql://u:{}@", "mysql://u:{}@db/orders", "{}"])
def test_no_secret_is_in_an_error(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    variables = {"APP_DATABASE__URL": url.format(SECRET), "APP_HTTP__PORT": "x"}
    assert SECRET not in str(refused(monkeypatch, **variables))


ISSUER = {"APP_AUTH__ISSUER": "https://id", "APP_AUTH__JWKS_URL": "https://id/keys"}


def production(**changes: str) -> dict[str, str]:
    variables = {
        "APP_ENVIRONMENT": "production",
        **dict.fromkeys(ADDRESSES, "https://it"),
        **({"APP_DATABASE__URL": "postgresql://db/orders"} if SQL else {}),
        **(ISSUER if HAS_AUTH else {}),
    }
    return {name: value for name, value in (variables | changes).items() if value}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, []),
        ({"APP_DEPENDENCIES__PAYMENTS__URL": ""}, ["APP_DEPENDENCIES__PAYMENTS__URL"]),
        ({"APP_FAULTS__RULES": RULES}, ["APP_FAULTS__RULES"]),
        ({"APP_FAULTS__RULES": RULES, "APP_FAULTS__ALLOW_IN_PRODUCTION": "true"}, []),
        ({"APP_MANAGEMENT__TOKEN": "short"}, ["APP_MANAGEMENT__TOKEN"]),
        ({"APP_MANAGEMENT__TOKEN": SECRET}, []),
        ({"APP_DATABASE__URL": ""}, ["APP_DATABASE__URL"] if SQL else []),
    ],
)
def test_production_refuses_what_is_only_safe_elsewhere(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], names: list[str]
) -> None:
    if names:
        problems = refused(monkeypatch, **production(**changes))
        assert [problem.split(":")[0] for problem in problems] == names
    else:
        loaded(monkeypatch, **production(**changes))
    loaded(monkeypatch, APP_ENVIRONMENT="staging")


def test_an_unknown_variable_gets_a_hint() -> None:
    environ = {
        "APP_HTTP__PORT": "8000",
        "APP_REQUEST_TIMEOUT": "5",
        "APP_LOGS__LEVEL": "info",
        "APP_SOMETHING_ELSE_ALTOGETHER": "x",
        "PATH": "/bin",
    }
    lines = list(unknown_variables(Settings, environ))
    assert lines[0] == "APP_LOGS__LEVEL: no such setting, did you mean APP_LOG__LEVEL?"
    assert lines[1].startswith("APP_REQUEST_TIMEOUT: no such setting")
    assert lines[2].startswith("APP_SOMETHING_ELSE_ALTOGETHER: no such setting")
    assert len(lines) == 3


def test_what_is_in_force_is_shown_by_name_with_secrets_masked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = loaded(monkeypatch, APP_MANAGEMENT__TOKEN=SECRET, APP_HTTP__PORT="8001")
    in_force = shown(settings)
    assert in_force["APP_HTTP__PORT"] == 8001
    assert in_force["APP_LOG__SAMPLE_RATE"] == 1.0
    assert in_force["APP_MANAGEMENT__TOKEN"] == "***"
    assert SECRET not in str(in_force)
    if SQL:
        assert in_force["APP_DATABASE__URL"] == "***"
    monkeypatch.delenv("APP_MANAGEMENT__TOKEN")
    assert shown(loaded(monkeypatch))["APP_MANAGEMENT__TOKEN"] == ""


def test_hot_is_what_can_follow_and_nothing_else() -> None:
    hot = {variable(leaf.path) for leaf in leaves(Settings) if leaf.hot}
    for name in ("LOG__LEVEL", "HTTP__REQUEST_TIMEOUT", "SHEDDING__TARGET_LAG", "FLAGS"):
        assert f"APP_{name}" in hot
    for name in ("DEPENDENCIES__PAYMENTS__BREAKER__WINDOW", "MANAGEMENT__TOKEN"):
        assert f"APP_{name}" in hot
    cold = ("HTTP__PORT", "DEPENDENCIES__PAYMENTS__URL", "LOG__WRITER", "ENVIRONMENT")
    assert not hot & {f"APP_{name}" for name in cold}
    assert not [name for name in hot if name.startswith("APP_CONFIG__")]
