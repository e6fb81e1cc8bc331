"""Puts the parts together: an OpenFeature client over the flags in force."""

from collections.abc import Mapping
from uuid import uuid4

from openfeature import api
from openfeature.client import OpenFeatureClient

from ..config.live import Live
from ..observability.metrics import Metrics
from ..shutdown import Closing
from .flag import Flag
from .provider import NAME, SettingsProvider
from .recording import Recording


def open_flags(
    closing: Closing, metrics: Metrics, live: Live[Mapping[str, Flag]]
) -> OpenFeatureClient:
    """A client that answers from the flags in force, and records what it answered.

    The SDK keeps its providers for the whole process. This one gets a domain of its own there,
    so that two services in one process do not meet, and the default provider stays as it is.
    After closing, the client returns the defaults of the calling code.
    """
    provider, domain = SettingsProvider(), f"{NAME}-{uuid4()}"
    live.follow(provider.update)
    api.set_provider_and_wait(provider, domain)  # without waiting it would start a thread
    # The SDK cannot forget a domain; it lets go of our provider when there is another one.
    default = api.get_client().provider
    closing.add("feature flags", lambda: api.set_provider_and_wait(default, domain))
    client = api.get_client(domain)
    client.add_hooks([Recording(provider, metrics.registry)])
    return client
