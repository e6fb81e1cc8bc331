"""The sections of the page, in their order, and the documents that each of them shows."""

from typing import NamedTuple


class Section(NamedTuple):
    """One part of the page.

    Its template, `templates/sections/NAME.html`, sees the documents under the last part of
    their paths (`/debug/tasks` as `tasks`), as a client reads them, and nothing else.
    """

    name: str
    title: str
    paths: tuple[str, ...]  # the first is the one that it is about


# What is wrong comes first, then what can be the cause, then what it is made of.
SECTIONS = (
    Section(
        "overview",
        "Overview",
        (
            "/info",
            "/readyz",
            "/traffic",
            "/dependencies",
            "/load",
            "/debug/process",
            "/debug/stalls",
            "/logs",
            "/config",
            "/faults",
        ),
    ),
    Section("traffic", "Traffic", ("/traffic",)),
    Section("failures", "Failed and slow requests", ("/failures",)),
    Section("dependencies", "Dependencies", ("/dependencies", "/info")),
    Section("load", "Load", ("/load",)),
    Section("time", "Deadlines and time", ("/time",)),
    Section("chain", "Middleware chain", ("/chain",)),
    Section("process", "Process", ("/debug/process",)),
    Section("tasks", "Tasks", ("/debug/tasks", "/debug/threads", "/debug/stalls")),
    Section("profiles", "Profiles", ("/debug/profiles", "/info")),
    Section("logs", "Logs", ("/logs", "/loggers", "/info")),
    Section("configuration", "Configuration", ("/config",)),
    Section("flags", "Feature flags", ("/flags",)),
    Section("faults", "Injected faults", ("/faults", "/traffic", "/dependencies", "/info")),
    Section("audit", "Audit", ("/audit",)),
    Section("build", "Build", ("/debug/build",)),
)
