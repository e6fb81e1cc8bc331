"""`/debug/build`: what this process is made of."""

import asyncio
import importlib.metadata
import platform
import sys
from collections.abc import Mapping

from ..documents import Content, Document


def build_document(info: Mapping[str, str]) -> Document:
    """What is shown: the service, its Python, and every installed package with its version."""
    kept: list[Content] = []

    async def read() -> Content:
        if not kept:  # reading the metadata of every package takes 30 ms: once, in a thread
            kept.append(await asyncio.to_thread(_build, info))
        return kept[0]

    return Document("/debug/build", "what this process is made of", read, every=3600)


def _build(info: Mapping[str, str]) -> Content:
    gil = getattr(sys, "_is_gil_enabled", lambda: True)  # asked since 3.13, there before
    return {
        "name": info["name"],
        "version": info["version"],
        "commit": info.get("commit", ""),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "optimize": sys.flags.optimize,
        "gil": gil(),
        "packages": [{"name": name, "version": version} for name, version in _packages()],
    }


def _packages() -> list[tuple[str, str]]:
    """Those that an import would find, each once, by name."""
    found: dict[str, tuple[str, str]] = {}
    for one in importlib.metadata.distributions():
        name = one.metadata["Name"]  # None where an uninstalled package left its folder behind
        if name:
            found.setdefault(name.lower().replace("_", "-"), (name, one.version))
    return [found[key] for key in sorted(found)]
