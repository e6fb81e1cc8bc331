"""From entries to one tree: names, formats, precedence, refusals."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.config.arguments import from_arguments
from steadfast_service.runtime.config.layers import (
    Layer,
    merged,
    parse,
    stack,
    validated,
)
from steadfast_service.runtime.config.problems import InvalidSettings, origin
from steadfast_service.runtime.config.reading import Reading
from steadfast_service.settings import Settings

SECRET = "hunter2hunter2hunter2"


def tree(**entries: str | bytes) -> Any:
    named = {name.replace("_dot_", ".").replace("_slash_", "/"): e for name, e in entries.items()}
    return parsed(named)


def parsed(entries: dict[str, str | bytes]) -> Any:
    encoded = {n: v if isinstance(v, bytes) else v.encode() for n, v in entries.items()}
    return parse(Settings, "etcd", Reading(encoded, "1")).tree


def refused(entries: dict[str, str | bytes]) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        validated(Settings, *stack([Layer("etcd", parsed(entries))]))
    assert all("\n" not in problem for problem in caught.value.problems)
    return caught.value.problems


@pytest.mark.parametrize(
    "name",
    ["log/level", "log.level", "log__level", "APP_LOG__LEVEL", "app_log__level", "Log/Level"],
)
def test_a_setting_is_found_by_any_form_of_its_name(name: str) -> None:
    assert parsed({name: "debug"}) == {"log": {"level": "debug"}}


def test_the_newline_that_an_editor_adds_is_no_part_of_a_value() -> None:
    assert parsed({"log.level": "debug\n"}) == {"log": {"level": "debug"}}
    assert parsed({"management.token": f"{SECRET}\r\n"}) == {"management": {"token": SECRET}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.yaml", "log:\n  level: debug\nhttp: {grace: 12}\n"),
        ("settings.yml", "log: {level: debug}\nhttp: {grace: 12}\n"),
        ("settings.toml", '[log]\nlevel = "debug"\n[http]\ngrace = 12\n'),
        ("settings.json", '{"log": {"level": "debug"}, "http": {"grace": 12}}'),
    ],
)
def test_a_document_is_a_tree(name: str, text: str) -> None:
    assert parsed({name: text}) == {"log": {"level": "debug"}, "http": {"grace": 12}}


def test_a_branch_with_all_below_it_commented_out_says_nothing() -> None:
    assert parsed({"a.yaml": "log:\n  # level: debug\nhttp: {grace: 12}\n"}) == {
        "http": {"grace": 12}
    }
    assert parsed({"a.yaml": ""}) == {}


def test_a_single_setting_is_above_the_documents_of_its_source() -> None:
    entries: dict[str, str | bytes] = {"z.yaml": "log: {level: error}", "log.level": "debug"}
    assert parsed(entries) == {"log": {"level": "debug"}}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"log.level": "loud"}, r"APP_LOG__LEVEL: Input should be .* \(in etcd\)"),
        ({"log.lvl": "info"}, r"APP_LOG__LVL: no such setting, did you mean APP_LOG__LEVEL.*"),
        ({"logs.level": "info"}, r"APP_LOGS__LEVEL: no such setting, .*LOG__LEVEL\? \(in etcd\)"),
        ({"a.yaml": "logs: {level: info}"}, r"APP_LOGS: no such setting.*"),
        ({"a.yaml": "log: [level"}, r"a\.yaml: is no YAML in line 2 \(in etcd\)"),
        ({"a.yaml": "log: {level: info}\n\tx"}, r"a\.yaml: is no YAML in line 2 \(in etcd\)"),
        ({"a.yaml": "- level"}, r"a\.yaml: is no map of settings \(in etcd\)"),
        ({"a.yaml": "1: 2"}, r"a\.yaml: has a name that is no text \(in etcd\)"),
        ({"a.yaml": "a: &a 1\nb: *a"}, r"a\.yaml: has aliases, which are not taken \(in etcd\)"),
        ({"a.yaml": "a: !!python/object:os.system 1"}, r"a\.yaml: is no YAML in line 1 .*"),
        ({"a.toml": "log = "}, r"a\.toml: is no TOML \(in etcd\)"),
        ({"a.json": "{"}, r"a\.json: is no JSON \(in etcd\)"),
        ({"a.json": "[" * 100_000}, r"a\.json: is no JSON \(in etcd\)"),
        ({"a.yaml": "[" * 5_000}, r"a\.yaml: is no YAML.*"),
        ({"log.level": b"\xff\xfe"}, r"log\.level: is no UTF-8 text \(in etcd\)"),
        ({"log.key_routes": "POST /x"}, r"APP_LOG__KEY_ROUTES: takes a JSON list.*"),
        ({"log.levels": "debug"}, r"APP_LOG__LEVELS: takes a JSON object.*"),
        ({"log": "debug"}, r"APP_LOG: takes a JSON object.*"),
        ({"faults.rules": "nonsense"}, r'APP_FAULTS__RULES: .* such as \[\{"name".*'),
        ({"config.file": "x.yaml"}, r"APP_CONFIG: only the environment can say .*"),
        ({"a.yaml": "config: {required: true}"}, r"APP_CONFIG: only the environment .*"),
        ({"http.grace": "0.5"}, r"APP_HTTP: grace must be at least request_timeout.*\(in etcd\)"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(entries: dict[str, str | bytes], said: str) -> None:
    [problem] = refused(entries)
    assert re.fullmatch(said, problem), problem


def test_every_problem_is_told_and_no_value_is() -> None:
    entries: dict[str, str | bytes] = {"log.level": SECRET, "http.grace": SECRET, "x": SECRET}
    assert len(refused(entries)) == 1  # names first: values cannot be judged without them
    del entries["x"]
    problems = refused(entries)
    assert len(problems) == 2
    assert SECRET not in str(problems)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda below: st.dictionaries(st.sampled_from("abcd"), below, max_size=3),
    max_leaves=8,
)
TREES = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)


@given(TREES, TREES)
def test_the_upper_layer_wins_and_nothing_of_it_is_lost(low: Any, high: Any) -> None:
    both = merged(low, high)
    assert merged(both, high) == both
    assert both.keys() == low.keys() | high.keys()
    for key, value in high.items():
        if not isinstance(value, dict) or not isinstance(low.get(key), dict):
            assert both[key] == value


def test_maps_merge_deeply_and_lists_replace() -> None:
    low = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    high = {"a": {"c": [3], "e": 2}}
    assert merged(low, high) == {"a": {"b": 1, "c": [3], "e": 2}, "d": 1}


def test_each_value_knows_its_layer() -> None:
    layers = [
        Layer("file", {"log": {"level": "debug", "story_size": 3}}),
        Layer("etcd", {"log": {"level": "error"}, "flags": {"new": {"enabled": True}}}),
    ]
    _, origins = stack(layers)
    assert origin(origins, ("log", "level")) == "etcd"
    assert origin(origins, ("log", "story_size")) == "file"
    assert origin(origins, ("flags", "new", "enabled")) == "etcd"
    assert origin(origins, ("flags", "new", "percentage")) == "default"
    assert origin(origins, ("http", "port")) == "default"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], {}),
        (["log.level=debug"], {"log": {"level": "debug"}}),
        (["APP_HTTP__PORT=81", 'log.levels={"a": "info"}'], None),
    ],
)
def test_arguments_are_settings_too(words: list[str], wanted: Any) -> None:
    found = from_arguments(Settings, words)
    assert found == (
        {"http": {"port": "81"}, "log": {"levels": {"a": "info"}}}
        if words and wanted is None
        else wanted
    )


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("log.level", "--set log.level: takes NAME=VALUE, such as log.level=debug"),
        ("logs.level=x", "--set APP_LOGS__LEVEL: no such setting, did you mean APP_LOG__LEVEL?"),
    ],
)
def test_an_argument_that_is_no_setting_is_refused(word: str, said: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        from_arguments(Settings, [word])
    assert caught.value.problems == [said]
