"""Our own manifests against the policies that the cluster will hold them to."""

from collections.abc import Iterator, Mapping

from ..admission import NATIVE, Policy, PolicyError, Request, policies, rule
from ..model import Finding, Manifest, Project, Rendered, kind_and_name
from ..pods import namespace, unfolded, workloads


def check(project: Project) -> Iterator[Finding]:
    """Every object of every folder, and the pods that controllers make of them."""
    everything = [one for rendered in project.rendered for one in rendered.objects]
    homes = {one["metadata"]["name"]: one for one in everything if one.get("kind") == "Namespace"}
    for rendered in project.rendered:
        yield from _without_effect(rendered)
    try:
        found = policies(everything)
    except PolicyError as exc:
        yield Finding("deploy/policies", "policies/expression", str(exc))
        return
    for rendered in map(unfolded, project.rendered):
        yield from _judged(rendered, found, homes)


def _without_effect(rendered: Rendered) -> Iterator[Finding]:
    names = {one["metadata"]["name"] for one in rendered.of_kind(NATIVE)}
    bound = {one["spec"]["policyName"] for one in rendered.of_kind(f"{NATIVE}Binding")}
    for policy in rendered.of_kind(NATIVE):
        if policy["metadata"]["name"] not in bound:
            text = "it does nothing until a ValidatingAdmissionPolicyBinding names it"
            yield rendered.finding(policy, "policies/unbound", text)
    for binding in rendered.of_kind(f"{NATIVE}Binding"):
        if binding["spec"]["policyName"] not in names:
            text = f"there is no policy {binding['spec']['policyName']!r}"
            yield rendered.finding(binding, "policies/unbound", text)


def _judged(
    rendered: Rendered, found: list[Policy], homes: Mapping[str, Manifest]
) -> Iterator[Finding]:
    pods = {id(one.manifest): pod(one.manifest, one.pod) for one in workloads(rendered)}
    for manifest in rendered.objects:
        where = f"{rendered.name}: {kind_and_name(manifest)}"
        said = list(answers(manifest, found, homes))
        made = pods.get(id(manifest))
        if made:
            # Its pods are refused for the same reasons, which need no second line.
            said += [one for one in answers(made, found, homes) if one not in said]
        for message in said:
            yield Finding(where, f"policies/{rule(message, 'denied')}", message)
        asked = made or manifest
        if made and not any(one.concerns(Request(asked, _home(asked, homes))) for one in found):
            text = f"no policy reaches the namespace {namespace(manifest)!r}"
            yield Finding(where, "policies/out-of-reach", f"{text}: name it in deploy/policies")


def answers(
    manifest: Manifest, found: list[Policy], homes: Mapping[str, Manifest]
) -> Iterator[str]:
    """Why policies refuse to create it, or to touch it when it is there; each reason once."""
    home = _home(manifest, homes)
    requests = [Request(manifest, home, operation) for operation in ("CREATE", "UPDATE")]
    said = (text for policy in found for one in requests for text in policy.denials(one))
    yield from dict.fromkeys(said)


def _home(manifest: Manifest, homes: Mapping[str, Manifest]) -> Manifest | None:
    name = namespace(manifest)
    return homes.get(name, {"metadata": {"name": name}}) if name else None


def pod(manifest: Manifest, template: Manifest) -> Manifest:
    """What a controller makes of a template."""
    own = {"name": manifest["metadata"]["name"], "namespace": namespace(manifest)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**(template.get("metadata") or {}), **own},
        "spec": template.get("spec") or {"containers": []},
    }
