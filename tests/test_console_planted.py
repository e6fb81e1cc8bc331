"""The operations console in a real browser: planted faults are found, planted scripts are text."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser import PAGE_BYTES, Visit, look, seconds_go_by, unfold, weights
from tests.rendering import ROOT
from tests.running import BEARER, TOKEN, Running, load, running

SCRIPT = "<img src=x onerror=planted=1><script>planted=1</script>\"'><b>"


@pytest.fixture(scope="module")
def planted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A copy of a service with faults and scripts in it, see `planted.py`."""
    scratch = tmp_path_factory.mktemp("planted")
    source = scratch / "src"
    shutil.copytree(folder / "src", source)
    plant(source)
    told = {"APP_COMMIT": SCRIPT, "PLANTED": SCRIPT, "PYTHONPATH": str(source)}
    with running(folder, scratch, told | {"APP_MANAGEMENT__TOKEN": TOKEN}) as started:
        yield started


def plant(source: Path) -> None:
    """Put `planted.py` into it."""
    shutil.copy(ROOT / "tests" / "planted.py", source / "orders")
    app = source / "orders" / "app.py"
    text, before = app.read_text(encoding="utf-8"), "        openapi.publish(api)\n"
    assert before in text
    text = text.replace(before, f"        planted.plant(api)\n{before}")
    app.write_text(text.replace("from . import ", "from . import planted, "), encoding="utf-8")


def part(visit: Visit, name: str) -> Locator:
    """A section of the page."""
    return visit.page.locator(f"section#{name}")


def test_nothing_from_outside_is_more_than_text(browser: Browser, planted: Running) -> None:
    route = "/planted/<script>planted=1</script>/"
    headers = {"user-agent": SCRIPT, "x-request-id": SCRIPT}
    answer = httpx.get(planted.url + quote(route + SCRIPT), headers=headers)
    assert answer.status_code == 500
    # Names that an operator's tool has sent are on the page, too.
    hold = {"level": "debug", "seconds": 600}
    path = f"/loggers/{quote(SCRIPT, safe='')}"
    httpx.put(planted.ops + path, json=hold, headers=BEARER).raise_for_status()
    with look(browser, f"{planted.ops}/") as visit:
        expect(visit.page.locator("#stream")).to_have_text("Live")
        failed = visit.page.locator("#failures details").first
        expect(failed).to_contain_text(route + SCRIPT)
        unfold(visit.page)
        for section, what in {
            "overview": "the commit",
            "failures": "the path, the story, the header",
            "logs": "a logger",
            "configuration": "the commit",
            "audit": "what an operator did",
        }.items():
            shown = expect(part(visit, section), f"{section} lacks {what}")
            shown.to_contain_text(SCRIPT, use_inner_text=True)
        story = failed.inner_text()
        assert f"agent={SCRIPT}" in story
        expect(part(visit, "traffic")).to_contain_text(route + "{rest}", use_inner_text=True)
        # Neither run, nor there to be run; and a refused one would be a complaint.
        assert visit.page.evaluate("typeof planted") == "undefined"
        assert visit.page.locator("img, [onerror], script:not([src]), main b b").count() == 0


def test_a_hot_spot_is_found_from_the_page(browser: Browser, planted: Running) -> None:
    with load(planted, "/planted/burn", rate=1000), look(browser, f"{planted.ops}/") as visit:
        profiles = part(visit, "profiles")
        profiles.locator('select[name="kind"]').select_option("cpu")
        profiles.locator('input[name="seconds"]').fill("2")
        profiles.get_by_role("button", name="Take profile").click()
        visit.page.locator("#ask-token").fill(TOKEN)
        visit.page.locator("#ask-do").click()
        expect(visit.page.locator("#ask")).to_be_hidden()
        expect(profiles.locator("article").first).to_contain_text("hot_spot")
        page = profiles.locator("article a", has_text="flame").first
        with visit.page.context.expect_page() as opened:
            page.click(modifiers=["ControlOrMeta"])
        flame = opened.value
        flame.wait_for_load_state()
        expect(flame.locator("body")).to_contain_text("hot_spot")
        for kind in ("speedscope", "collapsed"):
            link = profiles.locator("article a", has_text=kind).first.evaluate("one => one.href")
            assert "hot_spot" in httpx.get(link).raise_for_status().text


def test_a_blocked_loop_is_found_by_its_line(browser: Browser, planted: Running) -> None:
    with look(browser, f"{planted.ops}/") as visit:
        httpx.get(f"{planted.url}/planted/block", timeout=20)
        stalls = part(visit, "tasks").locator("details", has_text="in block").first
        expect(stalls).to_contain_text("planted.py")
        expect(stalls).to_contain_text("time.sleep(1)")
        expect(visit.page.locator("#alerts")).to_contain_text("in block")


def test_an_incident_does_not_swell_the_page(browser: Browser, planted: Running) -> None:
    for number in range(60):
        assert httpx.get(f"{planted.url}/planted/swell/{number}").status_code == 500
    with look(browser, f"{planted.ops}/") as visit:
        seconds_go_by(visit.page, 3)
        expect(part(visit, "traffic")).to_contain_text("more routes are not shown")
        expect(part(visit, "failures").locator("pre").first).to_contain_text("the end")
        sizes = weights(visit)
    print(f"{sum(sizes.values())} bytes in an incident")
    assert sum(sizes.values()) <= PAGE_BYTES, sizes
