"""The environment as a layer of settings; the one place that reads it."""

import os
from collections.abc import Mapping

from .layers import Layer, from_pairs
from .tree import PREFIX, Tree


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ


def environment_layer(kind: type[Tree], environ: Mapping[str, str]) -> Layer:
    """Its settings; names that are none of ours are left alone.

    Raises:
        InvalidSettings: a list, map or group that is no JSON.
    """
    ours = {name: value for name, value in environ.items() if name.upper().startswith(PREFIX)}
    return Layer("environment", from_pairs(kind, ours))
