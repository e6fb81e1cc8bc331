"""Pages of the console that show documents of a test's own."""

from collections.abc import Mapping
from typing import Any

from steadfast_service.runtime.ops.console.page import Page
from steadfast_service.runtime.ops.console.sections import SECTIONS, Section
from steadfast_service.runtime.ops.documents import Document

INFO: dict[str, Any] = {
    "name": "orders",
    "version": "1",
    "environment": "production",
    "changes": False,
}
FLAGS = next(section for section in SECTIONS if section.name == "flags")


def flag(name: str) -> dict[str, Any]:
    return {
        "flags": [
            {
                "name": name,
                "enabled": True,
                "percentage": 100,
                "headers": {},
                "claims": {},
                "source": "settings",
                "evaluations": {"on": 1, "off": 0},
            }
        ]
    }


def page_of(documents: Mapping[str, Any], *sections: Section) -> Page:
    """A page of documents that are called, or stand still."""

    def made(path: str, one: Any) -> Document:
        return Document(path, "", one if callable(one) else lambda: one, every=0)

    every = {"/info": INFO, **documents}
    return Page({path: made(path, one) for path, one in every.items()}, sections)
