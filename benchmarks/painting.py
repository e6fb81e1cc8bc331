"""How long somebody who opens the operations console looks at nothing.

That is the browser's first contentful paint, from the moment that the address is entered: in a
profile without anything, in another tab of a browser that has the page open, and of a page of
one word beside it, which is what this machine's browser takes by itself.
"""

from collections.abc import Mapping

from playwright.sync_api import BrowserContext

from tests.browser import chromium, installed, painted

from . import service
from .table import INFORMATION, Row


def measure(env: Mapping[str, str], *, rounds: int) -> list[Row]:
    """The rows, none where no Chromium is installed; in a round each is opened once."""
    if installed() is None:
        service.say("first paint: not measured, no Chromium is installed")
        return []
    service.say(f"first paint of the console: {rounds} rounds")
    env, log = service.without_tracing(env), service.BUILD / "paint.log"
    fresh, tab, word = [], [], []
    with service.opened("orders", env, log) as (_, ops), chromium() as browser:
        page, one_word = f"{ops}/", f"{ops}/livez"
        with browser.new_context() as context:
            _opened(context, page)  # the templates are compiled at the first look
        for _ in range(rounds):
            with browser.new_context() as context:
                word.append(_opened(context, one_word))
            with browser.new_context() as context:
                fresh.append(_opened(context, page))
                tab.append(_opened(context, page))
    return [
        Row("first paint, fresh profile", fresh, "ms", "<= 200"),
        Row("first paint, another tab", tab, "ms", "<= 200"),
        Row("  of a page of one word", word, "ms", note=INFORMATION),
    ]


def _opened(context: BrowserContext, url: str) -> float:
    """Milliseconds, of a new tab; it is left open once nothing is loaded any more."""
    page = context.new_page()
    page.goto(url, wait_until="load")
    milliseconds = painted(page)
    page.wait_for_timeout(1_000)  # of scripts, and of what the page does by itself
    return milliseconds
