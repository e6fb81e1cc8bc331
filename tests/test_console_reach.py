"""The operations console in a real browser: who can use it, and on what."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import (
    FOLLOW,
    accessibility,
    contrasts,
    look,
    picture,
    seconds_go_by,
    unfold,
)
from tests.running import BEARER, TOKEN, Running, load, running, until, without_payments

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
# What a reader without a mouse can land on.
CONTROLS = {"button", "checkbox", "combobox", "link", "spinbutton", "textbox"}
NAMED = CONTROLS | {"dialog", "image", "img", "region", "table"}
PICTURE_BYTES = 200_000
LIGHTNESS = """() => getComputedStyle(document.body).backgroundColor
  .match(/[\\d.]+/g).slice(0, 3).reduce((sum, one) => sum + Number(one) / 765, 0)"""


@pytest.fixture(scope="module")
def live(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service with a token set, an order that failed and one that did not."""
    env = {"APP_MANAGEMENT__TOKEN": TOKEN}
    with running(folder, tmp_path_factory.mktemp("live"), env) as started:
        with without_payments(started):
            assert started.order() >= 500
        assert started.order() == 201
        yield started


def test_the_keyboard_reaches_everything(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        page = visit.page
        expect(page.locator("#stream")).to_have_text("Live")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()

        page.reload()
        expect(page.locator("#stream")).to_have_text("Live")
        total = page.evaluate(FOLLOW)
        assert total > 30
        for _ in range(2 * total):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                break
        assert page.evaluate("notReached()") == []
        assert page.evaluate("notSeen") == [], "focused, and not to be told apart"


def test_a_screen_reader_finds_its_way(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        page = visit.page
        expect(page.locator("#stream")).to_have_text("Live")
        unfold(page)
        nodes = accessibility(page)
        roles = [role for role, _ in nodes]
        for landmark in ("banner", "navigation", "main", "contentinfo"):
            assert roles.count(landmark) == 1, landmark
        assert roles.count("region") >= 10
        for role, name in nodes:
            assert name or role not in NAMED, f"a {role} has no name"
        levels = page.locator("h1, h2, h3, h4").evaluate_all(
            "all => all.filter((one) => one.checkVisibility()).map((one) => +one.tagName[1])"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels)), levels
        assert page.locator("main table:not(:has(> caption))").count() == 0
        assert page.locator("html").get_attribute("lang") == "en"
        # What changes every second is not read out, neither then nor while a profile is taken.
        read_out = page.locator("main :is([aria-live], [role=status], [role=alert])")
        profile = {"kind": "cpu", "seconds": 5}
        with ThreadPoolExecutor(1) as pool:
            pool.submit(httpx.post, f"{live.ops}/debug/profiles", json=profile, headers=BEARER)
            expect(page.locator('#profiles [data-key="running"]')).to_be_visible()
            assert read_out.count() == 0


def test_it_can_be_read_without_javascript(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/", java_script_enabled=False) as visit:
        page = visit.page
        expect(page.locator("noscript p")).to_contain_text("Reload")
        for section in page.locator("main > section").all():
            assert len(section.inner_text()) > 20
        expect(page.locator("#failures")).to_contain_text("/api/orders")
        page.locator("#failures summary").first.click()
        expect(page.locator("#failures .story").first).to_be_visible()
        # What would do nothing is not offered.
        assert not any(one.is_visible() for one in page.locator("[data-method]").all())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_it_is_legible(browser: Browser, live: Running, scheme: str, size: dict[str, int]) -> None:
    with look(browser, f"{live.ops}/", color_scheme=scheme, viewport=size) as visit:
        page = visit.page
        expect(page.locator("#stream")).to_have_text("Live")
        unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert (page.evaluate(LIGHTNESS) > 0.5) is (scheme == "light")
        assert contrasts(page) == []
        if size is PHONE:
            page.locator("#logs form button").scroll_into_view_if_needed()
            for button in page.locator("button:visible").all():
                box = button.bounding_box()
                assert box is not None
                assert box["height"] >= 24, button.inner_text()  # WCAG 2.2: target size


# The README's pictures: `CONSOLE_PICTURES=docs/images`, and long enough ago that charts are full.
def test_pictures(browser: Browser, live: Running, tmp_path: Path) -> None:
    into = Path(os.environ.get("CONSOLE_PICTURES", tmp_path))
    into.mkdir(parents=True, exist_ok=True)
    seconds = 290 if "CONSOLE_PICTURES" in os.environ else 3
    with load(live), load(live, "/api/orders?limit=5", 20):
        until(lambda: _enough(live, seconds), "there is something to be seen", 600)
        _take(browser, live, into / "console-dark.webp", DESK, "dark")
        _take(browser, live, into / "console-phone.webp", PHONE, "light")
        with without_payments(live):
            until(lambda: live.order() and _opened(live), "the breaker opens")
            _take(browser, live, into / "console-light.webp", DESK, "light")


def _take(browser: Browser, live: Running, path: Path, size: dict[str, int], scheme: str) -> None:
    with look(browser, f"{live.ops}/", color_scheme=scheme, viewport=size) as visit:
        expect(visit.page.locator("#stream")).to_have_text("Live")
        seconds_go_by(visit.page, 1)
        data = picture(visit.page)
    assert 5_000 < len(data) <= PICTURE_BYTES
    path.write_bytes(data)


def _opened(live: Running) -> bool:
    return "'state': 'open'" in str(live.read("/dependencies"))


def _enough(live: Running, seconds: int) -> bool:
    live.order()
    history = live.read("/traffic")["history"]
    assert isinstance(history, dict)
    return len(history["at"]) >= seconds
