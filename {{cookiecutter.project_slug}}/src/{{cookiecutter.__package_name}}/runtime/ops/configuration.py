"""`/config`: the settings in force and where each came from, the sources, the last changes."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..config.configuration import Configuration, State
from ..config.journal import Entry
from ..config.problems import origin
from ..config.tree import is_hot, values, variable
from .probes import json_response


def configuration_page(config: Configuration[Any]) -> Route:
    """The route."""

    async def show(_: Request) -> Response:
        return json_response(report(config))

    return Route("/config", show)


def report(config: Configuration[Any]) -> Mapping[str, Any]:
    """All of it in what JSON can say, secrets masked."""
    now = config.snapshots.current
    return {
        "status": config.status,
        "version": now.version,
        "content": now.content,
        "revisions": now.revisions,
        "sources": {name: _source(config, state) for name, state in config.states.items()},
        "needs_restart": now.pending,
        "settings": {
            variable(path): {
                "value": value,
                "source": origin(now.origins, path),
                "hot": is_hot(type(now.settings), path),
            }
            for path, value in values(now.settings)
        },
        "reloads": [_entry(one) for one in reversed(config.journal.reloads)],
        "refusals": [_entry(one) for one in reversed(config.journal.refusals)],
        "subscriber_failures": config.snapshots.subscribers.failures(),
    }


def _source(config: Configuration[Any], state: State) -> Mapping[str, Any]:
    heard = state.heard and round(config.clock() - state.heard, 1)
    return {
        "status": config.condition(state),
        "where": state.source.where,
        "revision": state.revision,
        "seconds_since_answer": heard or None,
        "error": state.error or None,
        "refused": _entry(state.refused) if state.refused else None,
        "from_disk": state.kept,
    }


def _entry(entry: Entry) -> Mapping[str, Any]:
    changes = {
        name: {"before": before, "after": after} for name, (before, after) in entry.changes.items()
    }
    return {
        "at": round(entry.at, 3),
        "outcome": entry.outcome,
        "source": entry.source,
        "revision": entry.revision,
        **({"version": entry.version} if entry.version else {}),
        **({"changes": changes} if changes else {}),
        **({"reasons": entry.reasons} if entry.reasons else {}),
    }
