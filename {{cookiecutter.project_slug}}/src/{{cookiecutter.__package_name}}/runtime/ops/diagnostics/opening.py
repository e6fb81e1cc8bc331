"""Diagnostics: what is read under `/debug`, and the profiles that are taken there."""

from collections.abc import Mapping

from ...config.groups import Group
from ...config.live import Live
from ...health import Health
from ...observability.metrics import Metrics
from ...shutdown import Closing
from ..access import Access
from ..documents import Document, Pages
from .build import build_document
from .process_state import open_process_state
from .profiles import open_profiles
from .stalls import open_stalls
from .tasks import open_tasks
from .threads import threads_document


def open_diagnostics(
    closing: Closing,
    metrics: Metrics,
    health: Health,
    access: Access,
    info: Mapping[str, str],
    live: Live[Group],
) -> tuple[list[Document], Pages]:
    """What is only read, and the profiles, which the token allows.

    Args:
        live: `stall_threshold` and `profile_limit`, in seconds.
    """
    documents = [
        open_process_state(metrics),
        open_stalls(closing, metrics, live, lambda: health.started),
        open_tasks(closing),
        threads_document(),
        build_document(info),
    ]
    return documents, open_profiles(closing, access, live)
