"""Where settings come from: the one branch of them that only the environment can set."""

from pydantic import Field, SecretStr

from .groups import Group, Seconds


class ConfigOptions(Group):
    """The layers between the defaults and the environment, lowest first, and how they are read."""

    file: str = ""  # YAML, TOML or JSON, by its extension
    directories: tuple[str, ...] = ()  # mounted ConfigMaps and Secrets; the last one wins
    # The configuration centre: etcd://host:2379/prefix and so on, or file:///path to do without.
    # Secret because of the password in it.
    source: SecretStr = SecretStr("")
    required: bool = False  # whether to start without the centre is to fail
    start_timeout: Seconds = 5.0  # for the centre's first answer
    kept: str = ""  # a file to keep its last good state in, for a start without it
    stale_after: Seconds = 120.0  # without a sign of life; shown, changes nothing
    request_timeout: Seconds = 3.0  # of one request to the centre
    watch_timeout: Seconds = 30.0  # of one wait for a change, after which a dead peer is found
    poll_interval: Seconds = 5.0  # of a centre that cannot be waited for
    backoff: Seconds = 0.2  # before the first attempt to reach it again at most; doubles
    backoff_max: Seconds = 10.0  # with full jitter, so that a fleet does not come back at once
    ca_file: str = ""  # of its certificate's authority; empty: the usual ones
    cert_file: str = ""  # our own certificate for it, and its key
    key_file: str = ""
    history: int = Field(20, ge=1, le=1000)  # reloads and refusals that `/config` remembers
