"""`/chain`: the layers that every request passes, in order, with what each costs."""

import inspect
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from ..http.chain import PROBES
from ..http.layer_costs import Cost, LayerCosts
from ..instants import iso
from ..shutdown import Closing
from .documents import Document


def open_layers(closing: Closing, app: ASGIApp) -> Document:
    """What is shown. Costs are measured on a few requests every ten seconds."""
    costs = LayerCosts(app, exempt=PROBES)
    names = [type(layer).__name__ for layer in costs.layers]
    texts = [_first_sentence(type(layer)) for layer in costs.layers]
    closing.add("layer costs", costs.take_out)
    closing.task("layer costs", costs.run())

    def layer(place: int, cost: Cost | None) -> Mapping[str, Any]:
        report = getattr(costs.layers[place], "report", None)
        return {
            "position": place + 1,
            "name": names[place],
            "text": texts[place],
            **_shown(cost),
            "report": report() if report is not None else None,
        }

    def read() -> Mapping[str, Any]:
        at = costs.measured_at
        *of_layers, inside = costs.costs()
        return {
            "measured_at": None if at is None else iso(at),
            "samples": costs.samples,
            "layers": [layer(place, cost) for place, cost in enumerate(of_layers)],
            "application": {"name": names[-1], **_shown(inside)},
        }

    text = "the layers that every request passes, in order, with what each costs"
    return Document("/chain", text, read)


def _shown(cost: Cost | None) -> Mapping[str, float | None]:
    if cost is None:
        return {"cost_us": None, "p95_us": None, "share": None}
    return {
        "cost_us": round(cost.median * 1e6, 2),
        "p95_us": round(cost.p95 * 1e6, 2),
        "share": round(cost.share, 4),
    }


def _first_sentence(kind: type) -> str:
    paragraph = (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")
    sentence, stop, _ = paragraph.partition(". ")
    return sentence + stop.rstrip()
