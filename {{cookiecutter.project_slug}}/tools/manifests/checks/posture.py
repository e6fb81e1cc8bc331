"""How objects have to be so that the service stays up and keeps to itself, rule by rule.

A rule that an object has a reason to break is named there: see `tools/manifests/exceptions.py`.
"""

from collections.abc import Iterator

from ..exceptions import PREFIX, exceptions, is_reason
from ..model import Finding, Manifest, Project, Rendered
from ..pod_security import restricted
from ..pods import unfolded
from ..posture_folder import FOLDER
from ..posture_pods import BOTH, CONTAINER, POD, own_pods

Key = tuple[str, str, str]
Told = tuple[Manifest, str, str]  # the object, the rule, what is wrong

# The controls of Pod Security are not among them: no reason gets such a pod admitted.
RULES = frozenset([*FOLDER, *POD, *CONTAINER, *BOTH])


def check(project: Project) -> Iterator[Finding]:
    """Every rule on every object; an exception that nothing needs is a finding as well."""
    needed: set[Key] = set()
    given: dict[Key, Finding] = {}
    for folder in project.rendered:
        rendered = unfolded(folder)
        for manifest in rendered.objects:
            for rule, reason in exceptions(manifest).items():
                if not is_reason(reason):
                    said = f"{PREFIX}{rule} gives no reason"
                    yield rendered.finding(manifest, "posture/exceptions", said)
                if "." not in rule:  # else it is a linter's
                    said = "holds" if rule in RULES else "is no rule that has exceptions"
                    message = f"{PREFIX}{rule}: {rule} {said}; take the annotation out"
                    given[_key(manifest, rule)] = rendered.finding(
                        manifest, "posture/exceptions", message
                    )
        for manifest, rule, message in _told(rendered):
            if rule in RULES and rule in exceptions(manifest):
                needed.add(_key(manifest, rule))
            else:
                yield rendered.finding(manifest, f"posture/{rule}", message)
    # An overlay inherits what another needs.
    yield from (finding for key, finding in given.items() if key not in needed)


def _key(manifest: Manifest, rule: str) -> Key:
    return manifest["kind"], manifest["metadata"]["name"], rule


def _told(rendered: Rendered) -> Iterator[Told]:
    for rule, of_folder in FOLDER.items():
        for manifest, message in of_folder(rendered):
            yield manifest, rule, message
    for workload in own_pods(rendered):
        for rule, message in restricted(workload.spec):
            yield workload.manifest, rule, message
        for rule, of_pod in POD.items():
            for message in of_pod(workload):
                yield workload.manifest, rule, message
        for container in workload.containers:
            name = container.get("name")
            for rule, of_container in CONTAINER.items():
                for message in of_container(container):
                    yield workload.manifest, rule, f"{name}: {message}"
            for rule, of_both in BOTH.items():
                for message in of_both(workload, container):
                    yield workload.manifest, rule, f"{name}: {message}"
