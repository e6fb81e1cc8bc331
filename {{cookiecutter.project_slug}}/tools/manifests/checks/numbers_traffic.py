"""The formulas between the settings in force and routes, scrapes and judgements."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..durations import seconds
from ..model import Finding, Manifest, Project, Rendered
from ..pods import matches, namespace, unfolded
from ..settings import Running, running
from .references_scaling import TEMPLATES

WINDOW = re.compile(r"\[(\d+(?:ms|[smhdw])(?:\d+(?:ms|[smhdw]))*)[\]:]")
# `rate` needs two samples; with four one lost scrape makes no gap.
SAMPLES = 4


def check(project: Project) -> Iterator[Finding]:
    """Every formula on every folder."""
    serving = [
        (rendered.name, one)
        for rendered, one in running(project)
        if one.settings is not None and one.words[:1] == ["serve"]
    ]
    for folder in project.rendered:
        rendered = unfolded(folder)
        own = [one for name, one in serving if name == rendered.name]
        for route in rendered.of_kind("HTTPRoute"):
            yield from _route(rendered, route, own)
        for monitor in rendered.of_kind("ServiceMonitor", "PodMonitor"):
            yield from _monitor(rendered, monitor)
        interval = _interval(rendered)
        for rule in rendered.of_kind("PrometheusRule"):
            yield from _rules(rendered, rule, interval)
        for template in rendered.of_kind(*TEMPLATES):
            yield from _analysis(rendered, template, interval)


def _route(rendered: Rendered, route: Manifest, own: list[Running]) -> Iterator[Finding]:
    for number, rule in enumerate(route["spec"].get("rules") or ()):
        names = {reference["name"] for reference in rule.get("backendRefs") or ()}
        for one in own:
            if any(_leads(rendered, route, name, one) for name in names):
                for text in _timeouts(rule.get("timeouts") or {}, one.settings.http):
                    message = f"rule {number}: {text}"
                    yield rendered.finding(route, "numbers/route-timeout", message)
                break


def _leads(rendered: Rendered, route: Manifest, name: str, one: Running) -> bool:
    service = rendered.find("Service", name)
    selector = service["spec"].get("selector") if service else None
    home = namespace(one.workload.manifest)
    return (
        bool(selector)
        and namespace(route) == home
        and matches({"matchLabels": selector}, one.workload.labels)
    )


def _timeouts(timeouts: Mapping[str, str], http: Any) -> Iterator[str]:
    deadline = http.request_timeout
    if "request" not in timeouts or "backendRequest" not in timeouts:
        yield (
            f"no timeouts for request and backendRequest: the gateway's own may be below the"
            f" request_timeout of {deadline:g} s"
        )
        return
    whole, each = seconds(timeouts["request"]), seconds(timeouts["backendRequest"])
    if each <= deadline:
        text = f"backendRequest is {each:g} s: above the request_timeout of {deadline:g} s"
        yield f"{text}, or the gateway answers instead of the service"
    if whole < each:
        yield f"request is {whole:g} s, and backendRequest {each:g} s: it must not be less"


def _endpoints(monitor: Manifest) -> list[Mapping[str, Any]]:
    spec = monitor["spec"]
    return [*(spec.get("endpoints") or ()), *(spec.get("podMetricsEndpoints") or ())]


def _monitor(rendered: Rendered, monitor: Manifest) -> Iterator[Finding]:
    for endpoint in _endpoints(monitor):
        every, wait = seconds(endpoint.get("interval", "30s")), endpoint.get("scrapeTimeout")
        if wait is None or seconds(wait) >= every:
            text = f"scrapeTimeout {wait} must be below interval {endpoint.get('interval')}"
            yield rendered.finding(monitor, "numbers/scrape", text)


def _interval(rendered: Rendered) -> float:
    """Seconds between two samples, the longest; 0: nothing here says so."""
    return max(
        (
            seconds(endpoint.get("interval", "30s"))
            for monitor in rendered.of_kind("ServiceMonitor", "PodMonitor")
            for endpoint in _endpoints(monitor)
        ),
        default=0.0,
    )


def _short(query: str, interval: float) -> Iterator[str]:
    for window in sorted(set(WINDOW.findall(query))):
        if seconds(window) < SAMPLES * interval:
            text = f"{SAMPLES} x scrape interval {interval:g} = {SAMPLES * interval:g} s"
            yield f"a window of {window} is too short: {text}"


def _rules(rendered: Rendered, rule: Manifest, interval: float) -> Iterator[Finding]:
    for group in rule["spec"].get("groups") or ():
        for one in group.get("rules") or ():
            for text in _short(str(one["expr"]), interval):
                name = one.get("alert") or one.get("record")
                yield rendered.finding(rule, "numbers/window", f"{name}: {text}")


def _analysis(rendered: Rendered, template: Manifest, interval: float) -> Iterator[Finding]:
    for metric in template["spec"].get("metrics") or ():
        query = (metric.get("provider", {}).get("prometheus") or {}).get("query", "")
        for text in _short(query, interval):
            yield rendered.finding(template, "numbers/window", f"{metric['name']}: {text}")
        every = metric.get("interval")
        if every and _plain(every) and seconds(every) < interval:
            text = f"{metric['name']}: asks every {every}, there is a sample every {interval:g} s"
            yield rendered.finding(template, "numbers/analysis-interval", text)


def _plain(text: object) -> bool:
    """Whether it is a duration, and not the name of an argument."""
    try:
        seconds(str(text))
    except ValueError:
        return False
    return True
