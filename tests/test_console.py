"""The operations console in a real browser: what it shows of a service that lives and breaks."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import PAGE_BYTES, Visit, look, painted, seconds_go_by, weights
from tests.running import TOKEN, Running, free_ports, load, running, until, without_payments

COVERED = """let covered = false;
Object.defineProperty(document, "hidden", { get: () => covered });
window.cover = (by) => {
  covered = by;
  document.dispatchEvent(new Event("visibilitychange"));
};"""
# Of four rows the first and the third go; the last has the focus.
WITHOUT_TWO = """async () => {
  const script = document.querySelector("script[type=module]").src;
  const { morph } = await import(script.replace("console.js", "morph.js"));
  const rows = (keys) => [...keys].map((key) => `<p tabindex="0" data-key="${key}">${key}</p>\n`);
  const place = document.createElement("div");
  document.body.append(place);
  place.innerHTML = `\n${rows("abcd").join("")}`;
  place.lastElementChild.focus();
  const observer = new MutationObserver(() => {});
  observer.observe(place, { childList: true });
  morph(place, `\n${rows("bd").join("")}`);
  const added = observer.takeRecords().reduce((sum, one) => sum + one.addedNodes.length, 0);
  const left = [...place.children].map((row) => row.dataset.key).join("");
  return { added, left, focused: document.activeElement.textContent };
}"""
SIDE_BY_SIDE = 8  # more than the connections that a browser has for one host
ENV = {
    "APP_MANAGEMENT__TOKEN": TOKEN,
    # Long enough to be seen, short enough to be waited for.
    "APP_DEPENDENCIES__PAYMENTS__BREAKER__OPEN_FOR": "3",
}


@pytest.fixture(scope="module")
def live(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service as it is generated."""
    with running(folder, tmp_path_factory.mktemp("live"), ENV) as started:
        yield started


def requests_of(visit: Visit, route: str) -> int:
    """How many requests the page says that a route had."""
    cell = visit.page.locator(f'#traffic-routes tr[data-key="GET {route}"] td').first
    return int(re.sub(r"\D", "", cell.inner_text()))


def test_it_loads_without_a_complaint_and_is_small(browser: Browser, live: Running) -> None:
    assert live.order() == 201
    # The first look at a process reads and compiles the templates.
    httpx.get(f"{live.ops}/")
    with look(browser, f"{live.ops}/") as visit:
        expect(visit.page.locator("#stream")).to_have_text("Live")
        seconds_go_by(visit.page, 3)
        sizes = weights(visit)
        paint = painted(visit.page)
        assert not visit.page.locator(".broken").count()
    whole = sum(sizes.values())
    print(f"first paint after {paint:.0f} ms; {len(sizes)} files, {whole} bytes")
    assert whole <= PAGE_BYTES, sizes


def test_every_section_links_to_its_json(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        sections = visit.page.locator("main > section")
        assert sections.count() > 10
        for section in sections.all():
            links = section.locator(".json a").evaluate_all("all => all.map(one => one.href)")
            assert links, section
            for link in links:
                answer = httpx.get(link)
                assert answer.headers["content-type"].startswith("application/json"), link
                assert answer.json(), link


def test_values_move_under_load(browser: Browser, live: Running) -> None:
    with load(live), look(browser, f"{live.ops}/") as visit:
        visit.page.evaluate("window.same = true")
        line = visit.page.locator("#traffic-rate path").last
        seen: list[int] = []
        lines = set()

        def moved() -> bool:
            lines.add(line.get_attribute("d"))
            now = requests_of(visit, "/api/version")
            if now not in seen:
                seen.append(now)
            return len(seen) > 4 and len(lines) > 4

        until(lambda: visit.page.locator('[data-key="GET /api/version"]').count(), "the row")
        until(moved, "four new values on the page")
        assert seen == sorted(seen)
        assert visit.page.evaluate("window.same"), "the page was loaded again"
        routes = live.read("/traffic")["routes"]
        assert isinstance(routes, list)
        (version,) = [one for one in routes if one["route"] == "/api/version"]
        assert version["requests"] >= seen[-1]


def test_a_breaker_is_seen_to_open_and_to_close(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        unit = visit.page.locator('#dependencies [data-key="payments"]')
        alerts = visit.page.locator("#alerts")
        expect(unit.locator("h3 .badge").first).to_have_text("closed")
        with without_payments(live):
            expect(alerts).to_contain_text("fault is injected on purpose")
            until(lambda: live.order() and _state(live) == "open", "the breaker opens")
            # It tries again by itself, and fails again: it is seen open for most of the time.
            expect(unit.locator("h3 .badge").first).to_have_text("open")
            expect(alerts).to_contain_text("Breaker of payments is open")
        until(lambda: live.order() and _state(live) == "closed", "the breaker closes")
        expect(unit.locator("h3 .badge").first).to_have_text("closed")
        expect(alerts).not_to_contain_text("Breaker of payments")
        unit.locator("summary").click()
        expect(unit.locator("tbody tr").first).to_contain_text("closed")
        # The requests that failed meanwhile have left their stories.
        failed = visit.page.locator("#failures details").first
        expect(failed).to_contain_text("POST /api/orders")
        failed.locator("summary").click()
        expect(failed.locator(".story li").first).to_be_visible()


def test_what_somebody_does_survives_new_values(browser: Browser, live: Running) -> None:
    still = look(browser, f"{live.ops}/", reduced_motion="reduce")
    with load(live), still as visit:
        page = visit.page
        page.locator("#tasks details summary").first.click()
        name = page.locator('#logs input[name="name"]')
        name.fill("orders.domain")
        name.evaluate("field => field.setSelectionRange(2, 5)")
        top = "field => field.getBoundingClientRect().top"
        before = name.evaluate(top)
        seconds_go_by(page, 3)
        assert page.locator("#tasks details").first.get_attribute("open") is not None
        expect(name).to_have_value("orders.domain")
        expect(name).to_be_focused()
        assert name.evaluate("field => [field.selectionStart, field.selectionEnd]") == [2, 5]
        # Whatever grows above it, it stays where the eye is.
        assert abs(name.evaluate(top) - before) < 100


def test_rows_that_stay_are_not_moved(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        assert visit.page.evaluate(WITHOUT_TWO) == {"added": 0, "left": "bd", "focused": "d"}


def test_fifty_tabs_live_and_the_service_too(browser: Browser, live: Running) -> None:
    with load(live), look(browser, f"{live.ops}/") as visit:
        context = visit.page.context
        # Without a window every tab is a visible one: we say which are covered by others.
        context.add_init_script(COVERED)
        tabs = [context.new_page() for _ in range(50)]
        for at, tab in enumerate(tabs):
            tab.goto(f"{live.ops}/", wait_until="commit")
            expect(tab.locator("#stream")).to_have_text("Live")
            if at >= SIDE_BY_SIDE:
                tab.evaluate("cover(true)")
        for tab in tabs[:SIDE_BY_SIDE]:
            _lives_on(tab)
        for tab in tabs[SIDE_BY_SIDE:]:
            tab.evaluate("cover(false)")
            _lives_on(tab)
            tab.evaluate("cover(true)")
        # All of them are one watcher, and the service has time for its callers.
        assert str(live.read("/debug/tasks")).count("'console watcher'") == 1
        assert httpx.get(f"{live.url}/api/version", timeout=20).status_code == 200


def test_a_worker_that_died_is_done_without(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        expect(visit.page.locator("#stream")).to_have_text("Live")
        session = browser.new_browser_cdp_session()
        targets = session.send("Target.getTargets")["targetInfos"]
        (worker,) = [one["targetId"] for one in targets if one["type"] == "shared_worker"]
        session.send("Target.closeTarget", {"targetId": worker})
        session.detach()
        _lives_on(visit.page)
        seconds_go_by(visit.page, 3)


def test_a_lost_service_is_said_and_found_again(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    ports = free_ports()
    with running(folder, tmp_path, ENV, ports) as first:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{first.ops}/")
        expect(page.locator("#stream")).to_have_text("Live")
    try:
        expect(page.locator("#stream")).to_contain_text("lost")
        expect(page.locator("html")).to_have_attribute("data-stream", "lost")
        with running(folder, tmp_path, ENV, ports):
            expect(page.locator("#stream")).to_contain_text("Live")
            expect(page.locator("html")).to_have_attribute("data-stream", "live")
    finally:
        context.close()


def test_the_documentation_asks_no_other_host(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.url}/docs") as visit:
        expect(visit.page.locator("body")).to_contain_text("/api/orders")


def _lives_on(tab: Page) -> None:
    age = tab.locator("#stream-age").text_content()
    assert age
    expect(tab.locator("#stream-age")).not_to_have_text(age)
    expect(tab.locator("#stream")).to_have_text("Live")


def _state(live: Running) -> object:
    dependencies = live.read("/dependencies")["dependencies"]
    assert isinstance(dependencies, dict)
    return dependencies["payments"]["state"]
