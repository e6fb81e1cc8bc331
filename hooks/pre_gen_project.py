"""Refuses answers that cannot work, before a file is written.

Each refused answer gets one line on standard error. Cookiecutter renders this file with Jinja and
runs the copy, so the rules stand here and nothing is imported from the template.
"""

import json
import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Final

SLUG: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SLUG_LENGTH: Final = range(2, 41)
# One line of a source file, a manifest or a web page's title has to hold it.
LINE_LENGTH: Final = {"description": 120, "author": 80}
# Whole numbers, and why not others: below, no request gets done; above, nobody waits for it.
NUMBERS: Final[Mapping[str, range]] = {
    "request_timeout": range(1, 301),
    "drain_delay": range(5, 121),  # so long do requests come after an endpoint has gone
    "memory_mib": range(192, 65537),  # the service itself takes 110
}
# As a registry takes it: a host, which a dot or a port tells from a name, and a path.
IMAGE: Final = re.compile(
    r"[a-z0-9-]+((\.[a-z0-9-]+)+(:[0-9]+)?|:[0-9]+)(/[a-z0-9]+([._-]+[a-z0-9]+)*)+"
)
REPOSITORY: Final = re.compile(r"(https://|ssh://|git@)[A-Za-z0-9._~:/@-]+")

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "database": ("sql", "none"),
    "auth": ("none", "jwt"),
    "config_center": ("none", "etcd", "consul", "nacos"),
    "progressive_delivery": ("none", "gateway-api", "argo-rollouts"),
    "gitops": ("none", "argocd"),
    "multi_cluster": ("none", "karmada"),
    "edge": ("none", "k3s", "kubeedge"),
    "policy": ("none", "kyverno", "admission"),
    "helm": ("no", "yes"),
    "license": ("MIT", "Apache-2.0", "BSD-3-Clause", "Proprietary"),
    "python_version": ("3.11", "3.12", "3.13"),
    "ci": ("github", "gitlab", "none"),
}

# The service's package must not shadow anything that it imports. A test of the template compares
# this list with what is really installed.
DEPENDENCIES: Final = frozenset(
    """
    aiohappyeyeballs aiohttp aiosignal aiosqlite alembic annotated_doc annotated_types anyio
    argcomplete arrow ast_serialize async_timeout asyncpg attr attrs black blackd blib2to3 boolean
    cachecontrol cel certifi cffi cfgv chardet charset_normalizer click colorama coverage
    cryptography cyclonedx cyclonedx_py datamodel_code_generator dateutil defusedxml deprecated
    distlib dotenv editables execnet fastapi fastapi_swagger filelock fqdn frozenlist genson google
    graphql greenlet grimp h11 h2 harfile hatchling hpack httpcore httptools httpx httpx_aiohttp
    hypercorn hyperframe hypothesis hypothesis_graphql identify idna importlib_resources
    importlinter inflect iniconfig isoduration isort jaraco jinja2 jsonpointer jsonschema
    jsonschema_path jsonschema_rs jsonschema_specifications jwt kubernetes_validate lark
    lazy_object_proxy librt license_expression limits lxml mako markdown_it markupsafe mdurl
    more_itertools msgpack multidict multipart mypy mypy_extensions mypyc nodeenv
    openapi_schema_validator openapi_spec_validator openfeature opentelemetry orjson packageurl
    packaging packaging_legacy_version pathable pathspec pip pip_api pip_audit
    pip_requirements_parser pkg_resources platformdirs pluggy pre_commit priority prometheus_client
    prompt_toolkit promql_parser propcache psutil py py_serializable pybreaker pycparser pydantic
    pydantic_core pydantic_settings pygments pyparsing pyrate_limiter pyreqwest pytest pytest_cov
    python_discovery python_multipart pytokens redis referencing requests rfc3339_validator
    rfc3986_validator rfc3987_syntax rich rpds ruff schemathesis setuptools shellingham six
    sortedcontainers sqlalchemy starlette structlog tomli tomli_w tomlkit trove_classifiers trustme
    typeguard typer typing_extensions typing_inspection tzdata uri_template urllib3 uvicorn uvloop
    virtualenv wcwidth webcolors werkzeug wrapt wsproto xdist yaml yamllint yarl
    """.split()
)
# `tests` and `tools` are the service's own folders, `steadfast_service` the name its tests carry
# until the last hook replaces it.
RESERVED: Final = frozenset({"src", "steadfast_service", "tests", "tools"})
# Modules that came or went after 3.11. The answer must not depend on the Python that runs this
# hook: a service made here may run there.
OTHER_STDLIB: Final = frozenset(
    """
    aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt distutils
    imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau
    telnetlib uu xdrlib
    """.split()
)


def _slug_problem(slug: str) -> str | None:
    if not SLUG.fullmatch(slug):
        return (
            "use lower-case letters, digits and single hyphens, starting with a letter, "
            f"such as 'orders' or 'order-intake'; got {slug!r}"
        )
    if len(slug) not in SLUG_LENGTH:
        return f"use {SLUG_LENGTH[0]} to {SLUG_LENGTH[-1]} characters; got {len(slug)}"
    package = slug.replace("-", "_")
    if keyword.iskeyword(package):
        return f"{package!r} is a word of the Python language"
    if package in sys.stdlib_module_names or package in OTHER_STDLIB:
        return f"{package!r} is a module of Python's standard library, which it would hide"
    if package in DEPENDENCIES:
        return f"{package!r} is a package that the service depends on, which it would hide"
    if package in RESERVED:
        return f"{package!r} is a name that the template uses itself"
    return None


def _line_problem(line: str, limit: int) -> str | None:
    if not line or line != line.strip():
        return "must not be empty, nor begin or end with a space"
    # Control and formatting characters break TOML and YAML, and those that reverse the direction
    # of text make a file read other than it runs.
    if not line.isprintable():
        return "must be one line of printable characters"
    if len(line) > limit:
        return f"use at most {limit} characters; got {len(line)}"
    # An answer is rendered again when it is replayed or the service is updated.
    if re.search(r"\{[%#{]", line):
        return "must not hold two opening braces, or one before '%' or '#': Jinja reads them"
    return None


def problems(answers: Mapping[str, str]) -> Iterator[str]:
    """Yield one line for each answer that cannot work, beginning with the question's name."""
    slug_problem = _slug_problem(answers["project_slug"])
    if slug_problem:
        yield f"project_slug: {slug_problem}"
    for question, limit in LINE_LENGTH.items():
        if problem := _line_problem(answers[question], limit):
            yield f"{question}: {problem}"
    for question, limits in NUMBERS.items():
        number = answers[question]
        # isdecimal alone takes the digits of every script.
        if not (number.isascii() and number.isdecimal() and int(number) in limits):
            yield (f"{question}: a whole number from {limits[0]} to {limits[-1]}; got {number!r}")
    # One that has the bad name in it would be refused for the same reason.
    named = slug_problem and answers["project_slug"] in answers["image"]
    if not named and not IMAGE.fullmatch(answers["image"]):
        yield (
            "image: a registry and a name without a tag, such as 'registry.example.com/orders'; "
            f"got {answers['image']!r}"
        )
    if not REPOSITORY.fullmatch(answers["repository"]):
        yield (
            "repository: an https, ssh or git@ address, such as "
            f"'https://git.example.com/orders.git'; got {answers['repository']!r}"
        )
    for question, choices in CHOICES.items():
        # Cookiecutter checks a typed choice, but not one from a replayed file.
        if answers[question] not in choices:
            yield f"{question}: choose one of {', '.join(choices)}; got {answers[question]!r}"


if __name__ == "__main__":
    # JSON, because an answer may hold quotes; raw, because JSON has escapes of its own.
    found = list(problems(json.loads(r"""{{ cookiecutter | tojson }}""")))
    for line in found:
        print(line, file=sys.stderr)
    sys.exit(1 if found else 0)
