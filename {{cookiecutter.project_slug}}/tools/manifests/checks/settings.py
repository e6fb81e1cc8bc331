"""The service takes the settings that its manifests give it, and can work with them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ..model import Finding, Project, Rendered
from ..pods import matches, namespace
from ..settings import Running, module, running
from .references_traffic import admits

# Folders whose name says what the service is to be in them.
PLACES = ("staging", "production")
PORTS = {
    "http": 80,
    "https": 443,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
    "etcd": 2379,
    "etcds": 2379,
    "consul": 8500,
    "consuls": 8501,
    "nacos": 8848,
    "nacoss": 8848,
}


def check(project: Project) -> Iterator[Finding]:
    """Every rule on every container of the service."""
    commands = {
        one.name or one.callback.__name__ for one in module("__main__").cli.registered_commands
    }
    together: list[tuple[Rendered, Running]] = []
    for rendered, one in running(project):
        for rule, text in _findings(rendered, one, commands):
            message = f"container {one.name!r}: {text}"
            yield rendered.finding(one.workload.manifest, f"settings/{rule}", message)
        if one.settings is not None:
            together.append((rendered, one))
    for (rendered, first), (_, second) in pairwise(together):
        if first.workload.manifest is second.workload.manifest:
            for text in _apart(first, second):
                yield rendered.finding(first.workload.manifest, "settings/differ", text)


def _findings(rendered: Rendered, one: Running, commands: set[str]) -> Iterator[tuple[str, str]]:
    if not one.words or one.words[0] not in commands:
        said = " ".join(one.words) or "nothing"
        yield "command", f"is told {said!r}; the service knows {', '.join(sorted(commands))}"
    kind = module("settings").Settings
    for line in module("runtime.config.problems").unknown_variables(kind, one.environ):
        yield "unknown", line
    for problem in one.problems:
        yield "refused", problem
    for mount in sorted(one.mounts):
        if not any(mount.rstrip("/") in value for value in one.environ.values()):
            yield "unread", f"nothing in its environment names {mount}: what is there is not read"
    if one.settings is None:
        return
    yield from _environment(rendered, one)
    yield from _entries(one)
    yield from _centre(one)
    yield from _writable(one)
    yield from _egress(rendered, one)


def _environment(rendered: Rendered, one: Running) -> Iterator[tuple[str, str]]:
    place = rendered.name.rpartition("/")[2]
    found = str(one.settings.environment)
    if "APP_ENVIRONMENT" not in one.environ:
        yield "environment", "APP_ENVIRONMENT is not set: it would be development"
    elif place in PLACES and found != place:
        yield "environment", f"APP_ENVIRONMENT is {found} in the overlay {place}"


def _entries(one: Running) -> Iterator[tuple[str, str]]:
    """What a ConfigMap says takes effect when it changes."""
    tree = module("runtime.config.tree")
    hot = tree.hot_settings(module("settings").Settings)
    for mount in sorted(one.maps & one.layers.keys()):
        _, paths = module("runtime.config.layers").stack([one.layers[mount]])
        for path in paths:
            name = tree.variable(path)
            if not tree.is_hot(path, hot):
                text = f"{'.'.join(path)} in a ConfigMap: only a restart changes it; set {name}"
                yield "restart", f"{text} in the environment, so that a change restarts the pods"
            elif one.origins.get(path) == "environment":
                text = f"{'.'.join(path)} in the ConfigMap changes nothing while {name} is set"
                yield "shadowed", text


def _centre(one: Running) -> Iterator[tuple[str, str]]:
    url = one.environ.get("APP_CONFIG__SOURCE", "")
    known = module("runtime.config.centres").CENTRES
    if url and url.partition(":")[0] not in known:
        takes = ", ".join(f"{scheme}://" for scheme in known)
        yield "refused", f"APP_CONFIG__SOURCE: takes a URL that begins with one of {takes}"


def _files(settings: Any) -> Iterator[tuple[str, str]]:
    """Files that it writes."""
    if settings.config.kept:
        yield "APP_CONFIG__KEPT", settings.config.kept
    if hasattr(settings, "database"):
        url = settings.database.url.get_secret_value()
        if url.startswith("sqlite") and ":memory:" not in url:
            yield "APP_DATABASE__URL", url.partition(":///")[2]


def _writable(one: Running) -> Iterator[tuple[str, str]]:
    if not (one.container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
        return
    mounts = [
        PurePosixPath(mount["mountPath"])
        for mount in one.container.get("volumeMounts") or ()
        if not mount.get("readOnly") and mount["mountPath"] not in one.mounts
    ]
    for name, file in _files(one.settings):
        if not any(mount in PurePosixPath(file).parents for mount in mounts):
            has = ", ".join(sorted(map(str, mounts))) or "nowhere"
            yield "writable", f"{name} is {file}, and it can write only below {has}"


def _addresses(one: Running) -> Iterator[tuple[str, int]]:
    """What it talks to: the variable and the port."""
    urls = {name: value for name, value in one.environ.items() if "://" in value}
    if hasattr(one.settings, "database"):
        urls["APP_DATABASE__URL"] = one.settings.database.url.get_secret_value()
    for name, value in urls.items():
        try:
            parts = urlsplit(value)
            port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
        except ValueError:  # several hosts, each with its port
            continue
        if port and parts.hostname and name.startswith(("APP_", "OTEL_")):
            yield name, port


def _egress(rendered: Rendered, one: Running) -> Iterator[tuple[str, str]]:
    policies = [
        policy["spec"]
        for policy in rendered.of_kind("NetworkPolicy")
        if namespace(policy) == namespace(one.workload.manifest)
        and matches(policy["spec"].get("podSelector") or {}, one.workload.labels)
        and "Egress" in policy["spec"].get("policyTypes", ())
    ]
    rules: Sequence[Mapping[str, Any]] = [
        rule for policy in policies for rule in policy.get("egress") or ()
    ]
    for name, port in _addresses(one):
        if policies and not any(admits(rule, None, port) for rule in rules):
            yield "egress", f"{name} leads to port {port}, which no NetworkPolicy lets it reach"
    if one.words[:1] != ["serve"]:
        return
    cluster = any(".svc" in value for value in one.environ.values())
    if policies and cluster and not any(admits(rule, None, 53) for rule in rules):
        yield "egress", "no NetworkPolicy lets it ask for names (port 53)"


def _apart(first: Running, second: Running) -> Iterator[str]:
    """What two containers of a pod must agree on: one migrates what the other serves."""
    for group in ("environment", "database"):
        if not hasattr(first.settings, group):
            continue
        one, two = (getattr(each.settings, group) for each in (first, second))
        if one != two:
            yield f"{first.name!r} and {second.name!r} have another {group}: APP_{group.upper()}"
