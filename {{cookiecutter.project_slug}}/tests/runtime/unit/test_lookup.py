"""The lookup of paths, against one that tries every route."""

import re
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.http.lookup import Lookup

# Few words, so that many routes have a part in common.
WORDS = st.sampled_from(["a", "b", "mine", "x.json", "a.b", "", "%41", "\u00e9", "A", "."])
SEGMENTS = WORDS | st.sampled_from(
    [
        "{id}",
        "{name}",
        "{id}.json",
        "{id}.tar.json",
        "v{id}",
        "{id}.{kind}",
        "a{id}b",
        "{id}+",
        "{x}{y}",
    ]
)
PATHS = st.lists(SEGMENTS, max_size=4).map(lambda parts: "/" + "/".join(parts))
SENT = st.lists(
    WORDS | st.sampled_from(["x.tar.json", "v1", "a.b.c", ".json", "v", "azb", "ab", "1+", "\n"]),
    max_size=4,
).map(lambda parts: "/" + "/".join(parts))
METHODS = st.sampled_from(["GET", "POST"])
ROUTES = st.lists(st.tuples(METHODS, PATHS), max_size=12)


def kind(segment: str) -> tuple[int, int]:
    """Literal before mixed, the one with more text first, before a parameter alone."""
    names = re.findall(r"\{[^{}]+\}", segment)
    if not names:
        return 0, 0
    text = "".join(re.split(r"\{[^{}]+\}", segment))
    return (1, -len(text)) if text or len(names) > 1 else (2, 0)


def pattern(path: str) -> str:
    parts = re.split(r"\{[^{}]+\}", path)
    return "([^/]+)".join(re.escape(part) for part in parts)


def naive(routes: Sequence[tuple[str, str]], path: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Every method of the best path that fits, with its parameters."""
    fitting = [one for one in routes if re.fullmatch(pattern(one[1]), path)]
    if not fitting:
        return {}
    best = min([kind(segment) for segment in route.split("/")] for _, route in fitting)
    found = {}
    for method, route in fitting:
        if [kind(segment) for segment in route.split("/")] == best:
            match = re.fullmatch(pattern(route), path)
            assert match is not None
            names = re.findall(r"\{([^{}]+)\}", route)
            found[method] = route, dict(zip(names, match.groups(), strict=True))
    return found


def unambiguous(routes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without those whose place is taken, or whose order the specification leaves open."""
    kept: dict[Any, tuple[str, str]] = {}
    for method, route in routes:
        kinds = tuple(kind(segment) for segment in route.split("/"))
        shape = pattern(route)
        taken = {pattern(one) for (_, _, known), (_, one) in kept.items() if known == kinds}
        literals = [kept for kept in taken if kept != shape and "(" in shape]
        if (method, shape, kinds) not in kept and not any(_alike(one, shape) for one in literals):
            kept[method, shape, kinds] = method, route
    return list(kept.values())


def _alike(one: str, other: str) -> bool:
    """Two patterns of one kind, such as `v{id}` and `{id}+`: both may fit."""
    pairs = zip(one.split("/"), other.split("/"), strict=True)
    return all(a == b or ("(" in a and "(" in b) for a, b in pairs)


def built(routes: Sequence[tuple[str, str]]) -> Lookup[str]:
    lookup: Lookup[str] = Lookup()
    for method, route in routes:
        lookup.add(method, route, route)
    return lookup


@given(ROUTES.map(unambiguous), SENT)
def test_it_finds_what_trying_every_route_finds(routes: list[tuple[str, str]], path: str) -> None:
    found = built(routes).find(path)
    answers = {} if found is None else {name: found.method(name) for name in found.methods}
    assert answers == naive(routes, path)


@given(ROUTES.map(unambiguous), SENT, st.randoms())
def test_the_order_of_the_routes_means_nothing(
    routes: list[tuple[str, str]], path: str, random: Any
) -> None:
    before = built(routes).find(path)
    random.shuffle(routes)
    after = built(routes).find(path)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert {name: before.method(name) for name in before.methods} == {
            name: after.method(name) for name in after.methods
        }


@pytest.mark.parametrize(
    ("path", "route", "values"),
    [
        ("/orders/mine", "/orders/mine", {}),
        ("/orders/1", "/orders/{id}", {"id": "1"}),
        ("/orders/mine/lines", "/orders/{id}/lines", {"id": "mine"}),
        ("/orders/1.json", "/orders/{id}.json", {"id": "1"}),
        ("/orders/1.tar.json", "/orders/{id}.tar.json", {"id": "1"}),
        ("/orders/.json", "/orders/{id}", {"id": ".json"}),
        ("/orders/a b", "/orders/{id}", {"id": "a b"}),
        ("/orders/\n", "/orders/{id}", {"id": "\n"}),
        ("/a/b/c", "/{x}/{y}/c", {"x": "a", "y": "b"}),
        ("/a/b/d", "/a/{y}/d", {"y": "b"}),
        ("/a/z/d", "/a/z/{w}", {"w": "d"}),
        ("/", "/", {}),
    ],
)
def test_it_goes_back_where_a_way_ends(path: str, route: str, values: dict[str, str]) -> None:
    routes = [
        "/",
        "/orders/{id}",
        "/orders/mine",
        "/orders/{id}/lines",
        "/orders/{id}.json",
        "/orders/{id}.tar.json",
        "/{x}/{y}/c",
        "/a/{y}/d",
        "/a/z/{w}",
    ]
    found = built([("GET", one) for one in routes]).find(path)
    assert found is not None
    assert found.method("GET") == (route, values)
    assert found.method("POST") is None


@pytest.mark.parametrize(
    "path",
    ["", "/orders", "/orders/", "//", "/orders//lines", "orders/1", "/Orders/1", "/orders/1/"],
)
def test_other_paths_are_none(path: str) -> None:
    assert built([("GET", "/orders/{id}"), ("GET", "/orders/{id}/lines")]).find(path) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("/a", "/a"), ("/{x}", "/{y}"), ("/{x}.json", "/{y}.json"), ("/a/{x}/b", "/a/{y}/b")],
)
def test_a_place_is_given_once(one: str, other: str) -> None:
    lookup = built([("GET", one), ("POST", other)])
    with pytest.raises(ValueError, match=f"two routes answer GET {re.escape(other)}"):
        lookup.add("GET", other, "")


def test_methods_of_one_path_may_name_its_parameters_differently() -> None:
    found = built([("GET", "/{x}"), ("PUT", "/{y}")]).find("/1")
    assert found is not None
    assert found.method("GET") == ("/{x}", {"x": "1"})
    assert found.method("PUT") == ("/{y}", {"y": "1"})


def test_no_path_makes_it_go_back_for_long() -> None:
    """Every segment has two ways on, every hyphen too, and none of them leads to the end."""
    routes = [f"/{'/'.join(parts)}" for parts in (["a"] * 12, ["{x}"] * 12, ["a", "{x}"] * 6)]
    lookup = built([("GET", route) for route in routes])
    began = time.perf_counter()
    lookup.add("GET", "/{x}-{y}-{z}.json", "")
    for path in ("/a" * 11 + "/", "/a" * 5000, "/" * 5000, "/a" * 11, "/" + "-" * 10_000 + "j"):
        assert lookup.find(path) is None
    assert time.perf_counter() - began < 1
