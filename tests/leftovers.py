"""What a written service must not hold: traces of the template."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.rendering import RECORD, texts

# Files whose readers have these braces, too, and what they write in them.
FOREIGN = {
    "deploy/argocd/application-set.yaml": r"\{\{ \.\w+ \}\}|\{\{- (if \.\w+|else|end) \}\}",
    "deploy/kustomize/components/argo-rollouts/analysis-alarm.yaml": r"\{\{args\.[a-z-]+\}\}",
    "deploy/kustomize/components/argo-rollouts/analysis-step.yaml": r"\{\{args\.[a-z-]+\}\}",
    "observability/dashboard.json": r"\{\{\w+\}\}",
    "observability/prometheus-rule.yaml": r"\{\{ \$[\w.]+( \| \w+)? \}\}",
    "observability/rules.yaml": r"\{\{ \$[\w.]+( \| \w+)? \}\}",
}
# The service's own templates, in the same language as ours.
ITS_TEMPLATES = "/runtime/ops/console/templates/"
# Expressions of GitHub Actions have these braces too, behind a dollar sign.
TRACES = (r"(?<!\$)\{\{", "{%", "# jinja:", "steadfast")


def traces(service: Path) -> Iterator[str]:
    """Where the template shows through, one line each."""
    for name, text in texts(service).items():
        if name == RECORD:
            continue
        if name in FOREIGN:
            text = re.sub(FOREIGN[name], "", text)  # noqa: PLW2901
        if ITS_TEMPLATES in name:
            text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)  # noqa: PLW2901
        yield from (f"{name} holds {trace}" for trace in TRACES if re.search(trace, text))
        if name != "README.md" and "cookiecutter" in text.lower():
            yield f"{name} names cookiecutter"
        if "{" in name:
            yield f"{name} is no name of a file"
    yield from (f"{path} is a leftover" for path in service.rglob("__pycache__"))
    for path in service.rglob("*"):
        if path.is_dir() and not any(path.iterdir()):
            yield f"{path.relative_to(service)} is empty"
