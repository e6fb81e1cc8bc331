"""Every knob of the service, in one typed tree, each with its unit and its reason.

By environment: prefix `APP_`, levels joined by `__`, times in seconds
(`APP_HTTP__REQUEST_TIMEOUT=2.5`); by files, directories and a configuration centre as the
same tree. `Hot` ones change while the service runs, the others when it is started again.
`python -m <package> check` prints what is in force. A default of None follows the
environment; what it becomes is said beside it.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from .runtime.client_rates import checked_rates
from .runtime.config.centres import CENTRES
from .runtime.config.configuration import Configuration
from .runtime.config.environment import environment
from .runtime.config.groups import (
    Environment,
    Group,
    HostName,
    Hot,
    Level,
    # jinja: if cookiecutter.auth == "jwt"
    OptionalUrl,
    # jinja: endif
    Port,
    Rate,
    RouteName,
    Seconds,
    SecondsOrZero,
)
from .runtime.config.opening import open_configuration
from .runtime.config.options import ConfigOptions
from .runtime.config.tree import Tree
from .runtime.faults import Fault
from .runtime.flags.flag import Flag, FlagName
from .runtime.outbound.options import Dependency


class Http(Group):
    """The service's port and what a request may cost."""

    host: str = "0.0.0.0"  # noqa: S104 - in a container every interface is the pod's own
    port: Port = 8000
    # The deadline of a request, unless its route has its own.
    request_timeout: Hot[Seconds] = {{cookiecutter.__request_timeout}}
    stream_idle_timeout: Hot[Seconds] = 30.0  # a stream that sends nothing for so long is cut
    max_body_bytes: int = Field(1_048_576, ge=0)  # 1 MiB: JSON, not uploads
    check_answers: bool | None = None  # against the contract: in development, it costs double
    keep_alive: int = Field(75, ge=1)  # above the 60 s idle timeout of common load balancers
    blocking_threads: int = Field(40, ge=1)  # for `def` endpoints
    # Until every load balancer has seen the failing probe.
    drain_delay: SecondsOrZero = {{cookiecutter.__drain_delay}}
    grace: Seconds = {{cookiecutter.__grace}}  # for requests in flight; at least request_timeout
    close_timeout: Seconds = 5.0  # for clients, database, telemetry, together
    trusted_proxies: tuple[str, ...] = ()  # whose X-Forwarded-For is believed

    @model_validator(mode="after")
    def _grace_covers_a_request(self) -> Self:
        if self.grace < self.request_timeout:
            raise ValueError("grace must be at least request_timeout, or draining cuts requests")
        return self


class Management(Group):
    """The port for operators: probes, metrics, information."""

    host: str = "0.0.0.0"  # noqa: S104 - scraped and probed from the node
    port: Port = 9000
    token: Hot[SecretStr] = SecretStr("")  # for what changes state; none set: that is off
    hosts: Hot[tuple[HostName, ...]] = ()  # public names that it has, as behind a proxy
    # The event loop held for so long is told with the line that holds it; 0: not looked for.
    stall_threshold: Hot[SecondsOrZero] = 0.25
    profile_limit: Hot[Seconds] = 60.0  # that one profile may take at most

    def unsafe(self, environment: Environment) -> Iterator[str]:
        token = self.token.get_secret_value()
        if environment is Environment.PRODUCTION and token and len(token) < 16:
            yield "APP_MANAGEMENT__TOKEN: at least 16 characters in production"


# jinja: if cookiecutter.database == "sql"
def _database_url(value: SecretStr) -> SecretStr:
    from .runtime.database.urls import parse_url

    parse_url(value.get_secret_value())
    return value


class Database(Group):
    """Where orders are kept."""

    # Secret because of the password in it.
    url: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("sqlite:///orders.db")
    pool_size: int = Field(10, ge=1, le=1000)  # to PostgreSQL; readiness has two more
    pool_wait: Hot[Seconds] = 2.0  # for a connection, before the request is refused
    deadline_share: Hot[float] = Field(0.8, gt=0, le=1)  # of what is left, for a transaction

    def unsafe(self, environment: Environment) -> Iterator[str]:
        if environment is Environment.PRODUCTION and "url" not in self.model_fields_set:
            yield "APP_DATABASE__URL: required in production, a pod's disk does not last"


# jinja: endif
# jinja: if cookiecutter.auth == "jwt"
# Asymmetric ones only: the key of an HMAC would be as good for signing.
Algorithm = Literal["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "RS256", "RS384"]


class Auth(Group):
    """Whose tokens are believed."""

    issuer: str = ""  # as in the tokens' `iss`; empty in development: a sandbox issues them
    jwks_url: OptionalUrl = ""  # the issuer's public keys
    audience: str = "{{ cookiecutter.project_slug }}"  # this service's name in the tokens' `aud`
    algorithms: tuple[Algorithm, ...] = ("ES256", "RS256")  # that its signatures may use
    leeway: SecondsOrZero = 30.0  # how far the issuer's clock may be from ours
    sandbox_port: int = Field(9001, ge=0, le=65535)  # of the sandbox, on loopback; 0 for any

    def unsafe(self, environment: Environment) -> Iterator[str]:
        if environment is Environment.DEVELOPMENT and not (self.issuer or self.jwks_url):
            return
        for name in ("issuer", "jwks_url"):
            if not getattr(self, name):
                yield f"APP_AUTH__{name.upper()}: required outside development"


# jinja: endif
class Dependencies(Group):
    """One entry per dependency; `runtime/outbound/options.py` has what each may say."""

    payments: Dependency = Dependency()

    def unsafe(self, environment: Environment) -> Iterator[str]:
        for name in type(self).model_fields:
            if environment is Environment.PRODUCTION and not getattr(self, name).url:
                yield f"APP_DEPENDENCIES__{name.upper()}__URL: required in production"


class Shedding(Group):
    """When requests are refused before work is done, with 503."""

    max_in_flight: Hot[int] = Field(1000, ge=1)  # the last line; beyond it memory decides
    min_in_flight: Hot[int] = Field(16, ge=1)  # below it nothing is shed
    target_lag: Hot[SecondsOrZero] = 0.05  # of the event loop, before the limit falls; 0: never
    critical_routes: Hot[tuple[RouteName, ...]] = ()  # and those marked x-priority


class RateLimit(Group):
    """What one client may ask, with 429 beyond it. Off while `limit` is empty."""

    limit: Hot[Annotated[str, AfterValidator(checked_rates)]] = ""  # such as "100/second;5000/hour"
    key_header: Hot[str] = ""  # that tells clients apart; empty: their address
    storage: SecretStr = SecretStr("")  # redis://host:port/0 for all replicas; empty: each its own


class Log(Group):
    """What is written, and how."""

    level: Hot[Level] = "info"
    levels: Hot[dict[str, Level]] = Field(default_factory=dict)  # of single loggers, by name
    format: Literal["json", "console"] | None = None  # console in development, json elsewhere
    sample_rate: Hot[Rate | None] = None  # of ordinary requests: 1 in development, 0.001 elsewhere
    key_route_rate: Hot[Rate] = 0.05  # of the routes below
    key_routes: Hot[tuple[RouteName, ...]] = ()  # beside those marked x-key-route in the contract
    slow_request: Hot[Seconds] = 1.0  # from here on a request tells its story
    story_size: Hot[int] = Field(64, ge=1, le=10_000)  # records that a silent request holds back
    writer: Literal["ring", "direct"] = "ring"  # direct loses nothing, and can stall the loop
    ring_size: int = Field(10_000, ge=1)  # records that wait for a slow reader

    @property
    def rate(self) -> float:
        """`sample_rate` once the environment has filled it in."""
        return self.sample_rate or 0.0


class Tracing(Group):
    """Spans; the exporter is OpenTelemetry's own, by `OTEL_EXPORTER_OTLP_ENDPOINT`."""

    sample_ratio: Hot[Rate] = 0.01  # of the traces that start here


class Faults(Group):
    """Faults injected on purpose; `/faults` on the management port takes the same."""

    rules: Hot[tuple[Fault, ...]] = ()  # a JSON list
    allow_in_production: bool = False

    def unsafe(self, environment: Environment) -> Iterator[str]:
        if self.rules and not self.allow_in_production and environment is Environment.PRODUCTION:
            yield (
                "APP_FAULTS__RULES: refused in production without"
                " APP_FAULTS__ALLOW_IN_PRODUCTION=true"
            )


class Settings(Tree):
    """The whole tree."""

    name: str = "{{ cookiecutter.project_slug }}"
    commit: str = "unknown"  # the image's build sets it
    config: ConfigOptions = ConfigOptions()
    http: Http = Http()
    management: Management = Management()
    # jinja: if cookiecutter.database == "sql"
    database: Database = Database()
    # jinja: endif
    # jinja: if cookiecutter.auth == "jwt"
    auth: Auth = Auth()
    # jinja: endif
    dependencies: Dependencies = Dependencies()
    shedding: Shedding = Shedding()
    rate_limit: RateLimit = RateLimit()
    log: Log = Log()
    tracing: Tracing = Tracing()
    faults: Faults = Faults()
    flags: Hot[dict[FlagName, Flag]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _follow_the_environment(self) -> Self:
        development = self.environment is Environment.DEVELOPMENT
        derived: dict[str, object] = {}
        if self.log.format is None:
            derived["format"] = "console" if development else "json"
        if self.log.sample_rate is None:
            derived["sample_rate"] = 1.0 if development else 0.001
        object.__setattr__(self, "log", self.log.model_copy(update=derived))
        if self.http.check_answers is None:
            checked = self.http.model_copy(update={"check_answers": development})
            object.__setattr__(self, "http", checked)
        return self

    @property
    def may_inject(self) -> bool:
        """Whether faults may be injected here."""
        return self.faults.allow_in_production or self.environment is not Environment.PRODUCTION


async def open_settings(explicit: Mapping[str, Any] | None = None) -> Configuration[Settings]:
    """The settings of all layers; `explicit` is a tree above them.

    Raises:
        InvalidSettings: they are refused, or a source that must be there is not.
    """
    return await open_configuration(Settings, CENTRES, environment(), explicit or {})
