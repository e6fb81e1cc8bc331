"""How a source is opened by a URL."""

from collections.abc import Callable

from ..options import ConfigOptions
from ..reading import Source

# Raises `ValueError` for a URL, or `OSError` for a certificate's file, that cannot be used.
OpenCentre = Callable[[str, ConfigOptions], Source]
