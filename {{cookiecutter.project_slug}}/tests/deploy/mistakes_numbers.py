"""Numbers that contradict each other."""

import re

from tools.package import ROOT, groups

from .mistake import DEPLOYMENT, ENVIRONMENT, MONITOR, SERVE, Mistake, variable

TERMINATION = re.findall(
    r"terminationGracePeriodSeconds: \d+", (ROOT / DEPLOYMENT).read_text(encoding="utf-8")
)[0]

NUMBERS = (
    Mistake(
        "killed before it has drained",
        DEPLOYMENT,
        TERMINATION,
        f"{TERMINATION.split()[0]} 15",
        "numbers/termination-grace",
    ),
    Mistake(
        "a longer grace, and the pod is killed as early as before",
        ENVIRONMENT,
        SERVE,
        variable("APP_HTTP__GRACE", "400"),
        "numbers/termination-grace",
    ),
    Mistake(
        "gone before gateways know",
        ENVIRONMENT,
        SERVE,
        variable("APP_HTTP__DRAIN_DELAY", "1"),
        "numbers/drain-delay",
    ),
    Mistake(
        "connections closed before the balancer does",
        ENVIRONMENT,
        SERVE,
        variable("APP_HTTP__KEEP_ALIVE", "30"),
        "numbers/keep-alive",
    ),
    Mistake(
        "a deadline above the grace",
        ENVIRONMENT,
        SERVE,
        variable("APP_HTTP__REQUEST_TIMEOUT", "900"),
        "settings/refused",
    ),
    Mistake(
        "another port than the container's",
        ENVIRONMENT,
        SERVE,
        variable("APP_HTTP__PORT", "8080"),
        "numbers/port",
    ),
    Mistake(
        "another management port than the probes'",
        ENVIRONMENT,
        SERVE,
        variable("APP_MANAGEMENT__PORT", "9090"),
        "numbers/probe-port",
        also=("numbers/port",),
    ),
    Mistake(
        "a probe more hurried than the checks",
        DEPLOYMENT,
        "timeoutSeconds: 3 # above",
        "timeoutSeconds: 1 # above",
        "numbers/probe-timeout",
        also=("posture/probes",),
    ),
    Mistake(
        "no time to start",
        DEPLOYMENT,
        "failureThreshold: 30",
        "failureThreshold: 5",
        "numbers/startup",
        also=("numbers/liveness", "posture/probes"),
    ),
    Mistake(
        "killed before it is taken out",
        DEPLOYMENT,
        "periodSeconds: 10\n            timeoutSeconds: 5\n            failureThreshold: 3",
        "periodSeconds: 2\n            timeoutSeconds: 5\n            failureThreshold: 3",
        "numbers/liveness",
        also=("posture/probes",),
    ),
    Mistake(
        "volumes that are larger than the pod's share of the disk",
        DEPLOYMENT,
        "sizeLimit: 64Mi",
        "sizeLimit: 1Gi",
        "numbers/disk",
    ),
    Mistake(
        "a roll-out that is given up before a pod can be ready",
        DEPLOYMENT,
        "progressDeadlineSeconds: 180",
        "progressDeadlineSeconds: 30",
        "numbers/progress",
    ),
    Mistake(
        "a scrape that takes longer than the next one waits",
        MONITOR,
        "scrapeTimeout: 5s",
        "scrapeTimeout: 30s",
        "numbers/scrape",
    ),
    Mistake(
        "a window with hardly a sample in it",
        MONITOR,
        "interval: 15s",
        "interval: 2m",
        "numbers/window",
        also=("numbers/analysis-interval",),
    ),
    *(
        (
            Mistake(
                "more connections than the database has",
                ENVIRONMENT,
                'database-connections: "',
                'database-connections: "1" # "',
                "numbers/connections",
            ),
        )
        if "database" in groups()
        else ()
    ),
)
