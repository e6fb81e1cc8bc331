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

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "database": ("sql", "none"),
    "auth": ("none", "jwt"),
    "config_center": ("none", "etcd", "consul", "nacos"),
    "license": ("MIT", "Apache-2.0", "BSD-3-Clause", "Proprietary"),
    "python_version": ("3.11", "3.12", "3.13"),
    "ci": ("github", "gitlab", "none"),
}

# The service's package must not shadow anything that it imports. A test of the template compares
# this list with what is really installed.
DEPENDENCIES: Final = frozenset(
    """
    aiohappyeyeballs aiohttp aiosignal aiosqlite alembic annotated_doc annotated_types anyio
    argcomplete ast_serialize async_timeout asyncpg attr attrs black blackd blib2to3 certifi cffi
    charset_normalizer click colorama coverage cryptography datamodel_code_generator deprecated
    dotenv editables fastapi frozenlist genson google graphql greenlet grimp h11 h2 harfile
    hatchling hpack httpcore httptools httpx httpx_aiohttp hypercorn hyperframe hypothesis
    hypothesis_graphql idna importlinter inflect iniconfig isort jaraco jinja2 jsonschema
    jsonschema_path jsonschema_rs jsonschema_specifications jwt lazy_object_proxy librt limits mako
    markdown_it markupsafe mdurl more_itertools multidict multipart mypy mypy_extensions mypyc
    openapi_schema_validator openapi_spec_validator openfeature opentelemetry orjson packaging
    pathable pathspec pip pkg_resources platformdirs pluggy priority prometheus_client propcache
    psutil py pybreaker pycparser pydantic pydantic_core pydantic_settings pygments pyrate_limiter
    pyreqwest pytest pytest_cov python_multipart pytokens redis referencing requests
    rfc3339_validator rich rpds ruff schemathesis setuptools shellingham six sortedcontainers
    sqlalchemy starlette structlog tomlkit trove_classifiers trustme typeguard typer
    typing_extensions typing_inspection urllib3 uvicorn uvloop werkzeug wrapt wsproto yaml yarl
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
    if problem := _slug_problem(answers["project_slug"]):
        yield f"project_slug: {problem}"
    for question, limit in LINE_LENGTH.items():
        if problem := _line_problem(answers[question], limit):
            yield f"{question}: {problem}"
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
