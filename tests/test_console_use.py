"""The operations console in a real browser: who may change what, and how."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.browser import Visit, look
from tests.running import BEARER, TOKEN, Running, running

UNAUTHORISED = "the server responded with a status of 401"
# As where an operator forbids it in the browser's settings.
KEEPS_NOTHING = """const refuse = () => { throw new DOMException("no", "SecurityError"); };
Object.defineProperty(window, "sessionStorage", { get: refuse });
window.SharedWorker = class { constructor() { refuse(); } };"""


@pytest.fixture(scope="module")
def live(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service with a token set."""
    env = {"APP_MANAGEMENT__TOKEN": TOKEN}
    with running(folder, tmp_path_factory.mktemp("live"), env) as started:
        yield started


class Operator:
    """Somebody at the page who wants to change a level."""

    def __init__(self, visit: Visit) -> None:
        """Wait until the page is alive."""
        self.page = visit.page
        self.dialog = visit.page.locator("#ask")
        self.problem = visit.page.locator("#ask-problem")
        expect(visit.page.locator("#stream")).to_have_text("Live")

    def held(self, name: str) -> Locator:
        """What the page says of a level that is held."""
        return self.page.locator(f'#logs .held[data-key="{name}"]')

    def wants_level(self, name: str, seconds: int) -> None:
        """Fill in the form and send it off: the page asks."""
        form = self.page.locator("#logs form")
        form.locator('[name="name"]').fill(name)
        form.locator('[name="level"]').select_option("debug")
        form.locator('[name="seconds"]').fill(str(seconds))
        form.get_by_role("button").click()
        expect(self.dialog).to_be_visible()

    def confirms(self, token: str = "") -> None:
        """Say yes, with a token where one is asked for."""
        if token:
            self.page.locator("#ask-token").fill(token)
        self.page.locator("#ask-do").click()


def level(live: Running, name: str) -> object:
    """Which level is held for a logger, by the document."""
    held = live.read(f"/loggers/{name}")["held"]
    return held["level"] if isinstance(held, dict) else None


def test_a_level_is_held_and_goes_back_by_itself_and_by_button(
    browser: Browser, live: Running
) -> None:
    with look(browser, f"{live.ops}/") as visit:
        operator = Operator(visit)
        operator.wants_level("orders.by_itself", 3)
        expect(operator.dialog).to_contain_text("orders.by_itself")
        expect(operator.dialog.locator("pre")).to_contain_text("PUT /loggers/orders.by_itself")
        operator.confirms(TOKEN)
        expect(operator.held("orders.by_itself")).to_contain_text("debug")
        expect(operator.held("orders.by_itself")).to_have_count(0)
        assert level(live, "orders.by_itself") is None

        # The token is known now; a button gives back what would be held for long.
        operator.wants_level("orders.by_button", 600)
        expect(visit.page.locator("#ask-token")).to_be_hidden()
        operator.confirms()
        expect(operator.held("orders.by_button")).to_contain_text("debug")
        assert level(live, "orders.by_button") == "debug"
        operator.held("orders.by_button").get_by_role("button", name="Release").click()
        operator.confirms()
        expect(operator.held("orders.by_button")).to_have_count(0)
        assert level(live, "orders.by_button") is None
        # The button is gone, and whoever uses the keyboard is still there.
        expect(visit.page.locator("#logs :focus")).to_have_count(1)
        # Who did it is written down, where it can be seen.
        expect(visit.page.locator("#audit")).to_contain_text("log level released")

        visit.page.locator("#forget").click()
        operator.wants_level("orders.forgotten", 600)
        expect(visit.page.locator("#ask-token")).to_be_visible()


def test_a_token_is_for_one_service_only(browser: Browser, live: Running) -> None:
    # A proxy that has two services under one name; workers do not pass it.
    def pass_on(route: Route) -> None:
        route.continue_(url=route.request.url.replace("/other/", "/"))

    with look(browser, f"{live.ops}/", before="delete window.SharedWorker") as visit:
        visit.page.route("**/other/**", pass_on)
        operator = Operator(visit)
        operator.wants_level("orders.here", 1)
        operator.confirms(TOKEN)
        expect(operator.dialog).to_be_hidden()
        for path, asks in (("/", False), ("/other/", True)):
            visit.page.goto(f"{live.ops}{path}")
            Operator(visit).wants_level("orders.there", 1)
            expect(visit.page.locator("#ask-token")).to_be_visible(visible=asks)


def test_a_browser_that_keeps_nothing_is_enough(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/", before=KEEPS_NOTHING) as visit:
        operator = Operator(visit)
        operator.wants_level("orders.not_kept", 600)
        operator.confirms(TOKEN)
        expect(operator.held("orders.not_kept")).to_contain_text("debug")
        operator.wants_level("orders.not_kept", 600)
        expect(visit.page.locator("#ask-token")).to_be_hidden()


def test_what_somebody_writes_stays_when_a_fault_ends(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        Operator(visit)
        fault = {"delay": 0.01, "expires_in": 4}
        httpx.post(f"{live.ops}/faults", json=fault, headers=BEARER).raise_for_status()
        faults = visit.page.locator("#fault-list tr[data-key]")
        expect(faults).to_have_count(1)
        delay = visit.page.locator('#fault-forms [name="delay"]').first
        delay.fill("0.5")
        expect(faults).to_have_count(0)
        expect(delay).to_have_value("0.5")
        expect(delay).to_be_focused()


def test_a_wrong_token_changes_nothing_and_says_so(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        operator = Operator(visit)
        operator.wants_level("orders.refused", 600)
        operator.confirms("another-token-of-somebody-0123")
        expect(operator.problem).to_contain_text("Refused (401")
        expect(operator.dialog).to_be_visible()
        assert level(live, "orders.refused") is None
        expect(visit.page.locator("#audit")).to_contain_text("change refused")
        # The browser's own note about it is right.
        assert [said for said in visit.complaints if UNAUTHORISED not in said] == []
        visit.complaints.clear()
        expect(visit.page.locator("#ask-token")).to_be_focused()
        # No second reload is needed to do it right.
        operator.confirms(TOKEN)
        expect(operator.dialog).to_be_hidden()
        assert level(live, "orders.refused") == "debug"


def test_what_is_cancelled_is_not_done(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        operator = Operator(visit)
        for by_key in (False, True):
            operator.wants_level("orders.cancelled", 600)
            if by_key:
                visit.page.keyboard.press("Escape")
            else:
                visit.page.locator("#ask-cancel").click()
            expect(operator.dialog).to_be_hidden()
            expect(visit.page.locator("#logs form button")).to_be_focused()
        assert level(live, "orders.cancelled") is None


def test_without_a_token_on_the_server_nothing_can_be_changed(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    with running(folder, tmp_path) as closed, look(browser, f"{closed.ops}/") as visit:
        expect(visit.page.locator("#stream")).to_have_text("Live")
        expect(visit.page.locator("header")).to_contain_text("Read only")
        assert visit.page.locator("[data-method]").count() == 0
        commands = ["/loggers/root", "/faults", "/debug/profiles", "/dependencies/payments/force"]
        for path in commands:
            verb = "PUT" if path.startswith("/loggers") else "POST"
            answer = httpx.request(verb, closed.ops + path, json={}, headers=BEARER)
            assert answer.status_code == 403, path


def test_no_other_site_can_change_or_read(browser: Browser, live: Running) -> None:
    # The service's port is another origin, as the page of any other site would be.
    with look(browser, f"{live.url}/api/version") as visit:
        send = """([url, how]) => fetch(url, how).then((answer) => answer.type, () => "refused")"""
        body = '{"level": "debug", "seconds": 600}'
        known = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        target = f"{live.ops}/loggers/orders.elsewhere"
        for how in (
            {"method": "PUT", "headers": known, "body": body},
            {"method": "PUT", "body": body, "credentials": "include"},
            {"method": "GET"},
        ):
            assert visit.page.evaluate(send, [target, how]) == "refused", how
        # What needs no permission to be sent is not even looked at.
        fault = '{"abort_status": 503, "expires_in": 60}'
        blind = {"method": "POST", "body": fault, "mode": "no-cors"}
        visit.page.evaluate(send, [f"{live.ops}/faults", blind])
        entries = live.read("/audit")["entries"]
        assert isinstance(entries, list)
        assert entries[0]["what"]["reason"] == "another site"
        assert level(live, "orders.elsewhere") is None
        assert live.read("/faults")["faults"] == []
        # The page itself is not shown inside another, where clicks could be stolen.
        framed = """(url) => new Promise((done) => {
            const frame = document.createElement("iframe");
            frame.onload = () => done(frame.contentWindow.length);
            frame.src = url;
            document.body.append(frame);
        })"""
        visit.page.evaluate(framed, f"{live.ops}/")
        assert not any(frame.locator("main").count() for frame in visit.page.frames[1:])
        visit.complaints.clear()
        visit.urls.clear()
        visit.urls.append(live.url)


def test_the_dialog_keeps_the_focus_and_gives_it_back(browser: Browser, live: Running) -> None:
    with look(browser, f"{live.ops}/") as visit:
        page = visit.page
        Operator(visit)
        button = page.locator("#logs form button")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#ask")).to_be_visible()
        inside = "document.querySelector('#ask').contains(document.activeElement)"
        assert page.evaluate(inside)
        for _ in range(8):
            page.keyboard.press("Tab")
            # Between its last and its first control the focus is the browser's own.
            assert page.evaluate(f"{inside} || document.activeElement === document.body")
        page.keyboard.press("Escape")
        expect(page.locator("#ask")).to_be_hidden()
        expect(button).to_be_focused()
