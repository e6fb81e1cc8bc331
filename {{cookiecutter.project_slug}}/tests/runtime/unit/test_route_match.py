"""Which requests are for a route, by its name in the settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.route_match import RouteSet

segments = st.text("abc.*+()[]|^$\\- é", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("POST", "/orders", True),
        ("GET", "/orders", False),
        ("POST", "/orders/", False),
        ("POST", "/ORDERS", False),
        ("GET", "/orders/1", True),
        ("GET", "/orders/", False),
        ("GET", "/orders/1/items", False),
        ("GET", "/orders/1\n", True),
        ("GET", "/x/orders/1", False),
        ("DELETE", "/orders/1/items/2", True),
        ("DELETE", "/a.c", True),
        ("DELETE", "/abc", False),
    ],
)
def test_a_parameter_is_one_segment(method: str, path: str, found: bool) -> None:
    routes = RouteSet(
        ["POST /orders", "GET /orders/{id}", "DELETE /orders/{id}/items/{n}", "DELETE /a.c"]
    )
    assert routes.matches(method, path) is found


@given(st.lists(segments, min_size=1, max_size=4), segments)
def test_what_is_not_a_parameter_is_taken_literally(parts: list[str], value: str) -> None:
    template = "/" + "/".join([*parts, "{id}", *parts])
    routes = RouteSet([f"GET {template}"])
    assert routes.matches("GET", template.replace("{id}", value))
    assert not routes.matches("GET", template.replace("{id}", value) + "/")
    assert not routes.matches("GET", template.replace("{id}", f"{value}/{value}"))


def test_an_empty_set_is_false_and_matches_nothing() -> None:
    assert not RouteSet()
    assert RouteSet(["GET /"])
    assert RouteSet(["GET /{id}"])
    assert not RouteSet().matches("GET", "/")
