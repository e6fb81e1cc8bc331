"""The problem document itself."""

import orjson
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from steadfast_service.runtime.http import problems
from steadfast_service.runtime.http.problems import Problem, invalid


def test_it_says_what_it_was_given_and_no_more() -> None:
    assert orjson.loads(Problem(404).body()) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
    }
    problem = Problem(429, "Slow down.", type_="quota", headers={"Retry-After": "7"}, limit=5)
    assert orjson.loads(problem.body()) == {
        "type": "quota",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Slow down.",
        "limit": 5,
    }
    assert problem.response().headers["retry-after"] == "7"


def test_a_status_that_nobody_has_named_has_a_title_too() -> None:
    assert orjson.loads(Problem(599).body())["title"] == "Error"


async def test_what_is_no_error_is_no_problem() -> None:
    moved = HTTPException(307, headers={"Location": "/elsewhere"})
    response = await problems._http_exception(Request({"type": "http"}), moved)
    assert (response.status_code, response.headers["location"]) == (307, "/elsewhere")
    assert response.body == b""


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 422),
        ("application/json; charset=utf-8", 422),
        ("Application/JSON", 422),
        ("application/merge-patch+json", 422),
        ("text/plain", 415),
        ("application/jsonp", 415),
        (None, 415),
    ],
)
def test_a_body_is_of_another_type_or_of_another_form(media_type: str | None, status: int) -> None:
    errors = [{"type": "model_attributes_type", "loc": ("body",), "msg": "not an object"}]
    assert invalid(errors, media_type).status == status
