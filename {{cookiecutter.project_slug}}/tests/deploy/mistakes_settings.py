"""Settings that the service cannot take, or that change nothing."""

from tools.package import groups

from .mistake import (
    CONFIG,
    DEPLOYMENT,
    DEVELOPMENT,
    ENVIRONMENT,
    PRODUCTION,
    SERVE,
    Mistake,
    variable,
)
from .support import overlay

SETTINGS = (
    Mistake(
        "a variable with a slip in its name",
        ENVIRONMENT,
        SERVE,
        variable("APP_HTTP__REQEST_TIMEOUT", "5"),
        "settings/refused",
        also=("settings/unknown",),
    ),
    Mistake(
        "a variable that is no setting",
        ENVIRONMENT,
        SERVE,
        variable("APP_TIMEOUT", "5"),
        "settings/unknown",
    ),
    Mistake(
        "production without the URL of what it needs",
        ENVIRONMENT,
        f"{PRODUCTION}            - name: APP_DEPENDENCIES__PAYMENTS__URL\n",
        f"{PRODUCTION}            - name: PAYMENTS_URL\n",
        "settings/refused",
    ),
    Mistake(
        "the wrong environment",
        ENVIRONMENT,
        PRODUCTION,
        PRODUCTION.replace("production", "staging"),
        "settings/environment",
        also=("settings/differ",),
    ),
    Mistake(
        "a setting in the ConfigMap that only a restart changes",
        CONFIG,
        "log.level=info",
        "log.ring_size=500",
        "settings/restart",
    ),
    Mistake(
        "a value that the service refuses, in the ConfigMap",
        CONFIG,
        "log.level=info",
        "log.level=verbose",
        "settings/refused",
    ),
    Mistake(
        "a setting of the ConfigMap that the environment hides",
        ENVIRONMENT,
        SERVE,
        variable("APP_LOG__LEVEL", "info"),
        "settings/shadowed",
    ),
    Mistake(
        "a mount that nothing reads",
        DEPLOYMENT,
        '["/etc/<name>/config", "/etc/<name>/secret"]',
        '["/etc/<name>/config"]',
        "settings/unread",
        also=("settings/refused", "settings/differ"),
    ),
    Mistake(
        "a command that the service does not know",
        DEPLOYMENT,
        "args: [serve]",
        "args: [start]",
        "settings/command",
    ),
    Mistake(
        "a dependency behind a port that the policy closes",
        ENVIRONMENT,
        f"{PRODUCTION}            - name: APP_DEPENDENCIES__PAYMENTS__URL\n"
        "              value: http://payments.payments.svc:8000",
        f"{PRODUCTION}            - name: APP_DEPENDENCIES__PAYMENTS__URL\n"
        "              value: http://payments.payments.svc:8080",
        "settings/egress",
    ),
    *(
        (
            Mistake(
                "a database where nothing may be written",
                DEVELOPMENT,
                "sqlite:////data/",
                "sqlite:////var/",
                "settings/writable",
                also=("settings/differ",),
                folder=overlay("dev"),
            ),
            Mistake(
                "one database is migrated, another one served",
                DEVELOPMENT,
                "sqlite:////data/<name>.db",
                "sqlite:////data/other.db",
                "settings/differ",
                folder=overlay("dev"),
            ),
        )
        if "database" in groups()
        else ()
    ),
)
