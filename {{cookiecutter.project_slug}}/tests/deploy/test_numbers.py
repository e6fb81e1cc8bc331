"""The settings of a container are those that the service would have, and the sums are right."""

from pathlib import Path

import pytest

from steadfast_service.settings import Settings
from tools.manifests.checks import numbers, settings
from tools.manifests.durations import seconds
from tools.manifests.model import Finding, Project, Rendered
from tools.manifests.rendering import objects
from tools.manifests.settings import Running, running
from tools.package import ROOT

from .support import overlay, project, rendered

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  terminationGracePeriodSeconds: 1000
  containers:
    - name: web
      image: web:1
      args: [serve]
      ports: [{containerPort: 8000}, {containerPort: 9000}]
      env:
        - {name: APP_ENVIRONMENT, value: development}
        - {name: PART, value: info}
"""
MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {level: debug, APP_LOG__LEVEL: warning}
"""


def opened(*more: str) -> Running:
    """A pod with more lines in the environment of its container."""
    lines = "".join(f"        - {line}\n" for line in more)
    ((_, one),) = running(project(Rendered("x", [*objects(POD + lines), *objects(MAP)])))
    return one


def messages(**changed: str) -> dict[str, str]:
    """What is said of production where the service has these variables as well."""
    folder = rendered(overlay("production"))
    more = [{"name": name, "value": value} for name, value in changed.items()]
    changing = []
    for one in folder.objects:
        if one["kind"] == "Deployment":
            pod = one["spec"]["template"]["spec"]
            first, *rest = pod["containers"]
            containers = [{**first, "env": [*first["env"], *more]}, *rest]
            template = {**one["spec"]["template"], "spec": {**pod, "containers": containers}}
            one = {**one, "spec": {**one["spec"], "template": template}}  # noqa: PLW2901
        changing.append(one)
    found = numbers.check(project(Rendered(folder.name, changing)))
    return {one.rule: one.message for one in found}


def test_the_settings_come_from_the_environment_the_map_and_the_secret() -> None:
    production = {one.name: one for _, one in running(project(rendered(overlay("production"))))}
    one = production["service"]
    assert one.settings.environment == "production"
    assert one.settings.management.token.get_secret_value() == "change-me-change-me"
    assert one.settings.log.level == "info"
    assert one.settings.tracing.sample_ratio == 0.01
    assert one.settings.http == Settings().http.model_copy(update={"check_answers": False})


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("{name: APP_LOG__LEVEL, value: error}", "error"),
        ("{name: APP_LOG__LEVEL, value: $(PART)}", "info"),
        (
            "{name: APP_LOG__LEVEL, valueFrom: {configMapKeyRef: {name: web, key: level}}}",
            "debug",
        ),
        ("{name: OTHER, valueFrom: {fieldRef: {fieldPath: metadata.name}}}", "info"),
    ],
)
def test_a_variable_is_what_the_kubelet_would_make_of_it(line: str, level: str) -> None:
    assert opened(line).settings.log.level == level


def test_a_whole_map_may_be_the_environment() -> None:
    one = opened("{name: X, value: y}\n      envFrom: [{configMapRef: {name: web}}]")
    assert one.settings.log.level == "warning"


def test_an_unexpanded_reference_is_refused_by_the_service() -> None:
    one = opened("{name: APP_LOG__LEVEL, value: $(NOWHERE)}")
    assert one.settings is None
    assert one.problems[0].startswith("APP_LOG__LEVEL: ")


def test_the_sum_is_said() -> None:
    http = Settings().http
    found = messages(APP_HTTP__GRACE="500", APP_HTTP__DRAIN_DELAY="7")
    grace = int(http.drain_delay + http.grace + http.close_timeout + 5)
    assert found == {
        "numbers/termination-grace": (
            f"terminationGracePeriodSeconds is {grace}:"
            " drain_delay 7 + grace 500 + close_timeout 5 + 5 = 517"
        )
    }


def test_a_hook_that_sleeps_counts() -> None:
    text = POD + "      lifecycle: {preStop: {sleep: {seconds: 900}}}\n"
    text = text.replace("PART, value: info}", 'APP_HTTP__DRAIN_DELAY, value: "100"}')
    (finding,) = numbers.check(Project(Path(), [Rendered("x", objects(text))]))
    assert isinstance(finding, Finding)
    assert "preStop 900 + drain_delay 100 + " in finding.message


def test_another_environment_is_no_finding_in_a_folder_of_another_name() -> None:
    own = Project(ROOT, [Rendered("x", objects(POD))])
    assert not list(settings.check(own))


@pytest.mark.parametrize(
    ("text", "value"), [("5s", 5), ("1m30s", 90), ("500ms", 0.5), ("2h", 7200), ("10", 10), (3, 3)]
)
def test_durations_are_read(text: str | int, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "s", "1x", "5s5", "later"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds(text)
