"""`/config`: the settings in force and where each came from, the sources, the last changes."""

from collections.abc import Mapping
from typing import Any

from ..config.configuration import Configuration, State
from ..config.journal import Entry
from ..config.problems import origin
from ..config.tree import hot_settings, is_hot, values, variable
from ..masking import masked, masked_tree
from .documents import Document


def configuration_document(config: Configuration[Any]) -> Document:
    """What is shown."""
    text = "the settings in force and where they come from, secrets masked"
    return Document("/config", text, lambda: report(config), every=5)


def report(config: Configuration[Any]) -> Mapping[str, Any]:
    """All of it in what JSON can say, secrets masked, also those in addresses."""
    now = config.snapshots.current
    hot = hot_settings(type(now.settings))
    return {
        "status": config.status,
        "version": now.version,
        "content": now.content,
        "revisions": now.revisions,
        "sources": {name: _source(config, state) for name, state in config.states.items()},
        "needs_restart": masked_tree(now.pending),
        "settings": {
            variable(path): {
                "value": masked_tree(value),
                "source": origin(now.origins, path),
                "hot": is_hot(path, hot),
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
        "where": masked(state.source.where),
        "revision": state.revision,
        "seconds_since_answer": heard or None,
        "error": masked(state.error) or None,
        "refused": _entry(state.refused) if state.refused else None,
        "from_disk": state.kept,
    }


def _entry(entry: Entry) -> Mapping[str, Any]:
    changes = {
        name: {"before": masked_tree(before), "after": masked_tree(after)}
        for name, (before, after) in entry.changes.items()
    }
    return {
        "at": round(entry.at, 3),
        "outcome": entry.outcome,
        "source": entry.source,
        "revision": entry.revision,
        **({"version": entry.version} if entry.version else {}),
        **({"changes": changes} if changes else {}),
        **({"reasons": [masked(one) for one in entry.reasons]} if entry.reasons else {}),
    }
