"""The objects of a canary: the Deployment that is made and removed, the route, the autoscaler."""

import copy
import math
from collections.abc import Iterator

from .kubectl import Kubectl, Manifest

ROLLOUT_LIMIT = 600.0  # seconds; the Deployment's own progress deadline is shorter
BY_HEADER = "by-header"
HELD = "canary-min-replicas"  # annotation: what the autoscaler's minimum was before


class ClusterError(Exception):
    """The objects are not as they have to be; the message says what."""


class Cluster:
    """One service in one namespace."""

    def __init__(self, kubectl: Kubectl, name: str) -> None:
        self._kubectl = kubectl
        self.name, self.canary = name, f"{name}-canary"

    def remains(self) -> list[str]:
        """What a run that was killed has left, or what another is doing."""
        found = []
        if canary := self._kubectl.get("deployment", self.canary):
            found.append(f"Deployment {self.canary} of {image_of(canary)}")
        found += [
            f"HTTPRoute {self.name}: {one.name} has weight {one.weight}"
            for one in self._backends()
            if one.weight != one.share(0)
        ]
        scaler = self._kubectl.get("horizontalpodautoscaler", self.name)
        if scaler and HELD in scaler["metadata"].get("annotations", {}):
            found.append(f"HorizontalPodAutoscaler {self.name}: its minimum is held")
        return found

    def stable(self) -> Manifest:
        """The Deployment that runs. Raises `ClusterError` where a canary beside it cannot be."""
        found = self._kubectl.get("deployment", self.name)
        if found is None:
            raise ClusterError(f"there is no Deployment {self.name} in {self._kubectl.namespace}")
        if found["spec"]["selector"]["matchLabels"].get("track") != "stable":
            raise ClusterError(
                f"Deployment {self.name} would select the canary's pods: it is older than the"
                " component gateway-api, whose README says how to replace it"
            )
        return found

    def make(self, image: str) -> None:
        """A Deployment like the stable's, of another image, without traffic."""
        stable = self.stable()
        spec = copy.deepcopy(stable["spec"])
        spec["replicas"] = self._pods_for(0, stable)
        spec["selector"]["matchLabels"]["track"] = "canary"
        spec["template"]["metadata"]["labels"]["track"] = "canary"
        for pod, number in _same_image(stable):
            spec["template"]["spec"][pod][number]["image"] = image
        labels = {"app.kubernetes.io/managed-by": "make-canary"}
        labels |= spec["template"]["metadata"]["labels"]
        # No other label or annotation of the stable's: what applied it would take this for its own.
        metadata = {"name": self.canary, "labels": labels}
        self._kubectl.create(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        )
        self._kubectl.rolled_out(self.canary, ROLLOUT_LIMIT)

    def hold(self) -> None:
        """The stable keeps its pods while it has less to do: it must take all back at once."""
        scaler = self._kubectl.get("horizontalpodautoscaler", self.name)
        if scaler is not None:
            lowest = scaler["spec"].get("minReplicas", 1)
            now = max(lowest, self.stable()["spec"].get("replicas", 1))
            self._merge_scaler({HELD: str(lowest)}, now)

    def release(self) -> None:
        """The autoscaler decides again."""
        scaler = self._kubectl.get("horizontalpodautoscaler", self.name)
        held = scaler and scaler["metadata"].get("annotations", {}).get(HELD)
        if held:
            self._merge_scaler({HELD: None}, int(held))

    def scale(self, weight: int) -> None:
        """As many pods as this share of the requests needs, all of them ready."""
        pods = self._pods_for(weight, self.stable())
        self._kubectl.merge("deployment", self.canary, {"spec": {"replicas": pods}})
        self._kubectl.rolled_out(self.canary, ROLLOUT_LIMIT)

    def missing(self) -> int:
        """How many of the canary's pods are not available."""
        canary = self._kubectl.get("deployment", self.canary)
        if canary is None:
            return 1
        available: int = canary.get("status", {}).get("availableReplicas", 0)
        return int(max(0, canary["spec"]["replicas"] - available))

    def expect(self, weight: int) -> None:
        """Raises `ClusterError` where the canary has another weight: somebody else has set it."""
        for one in self._backends():
            if not one.by_header and one.weight != one.share(weight):
                raise ClusterError(
                    f"somebody else changes the route: {one.name} has weight {one.weight}"
                )

    def weigh(self, weight: int, *, header: bool) -> None:
        """Send `weight` % of the requests to the canary; of those with the header all, or none."""
        operations: list[Manifest] = []
        for one in self._backends():
            share = (100 if header else 0) if one.by_header else weight
            operations += one.weigh(one.share(share))
        self._kubectl.patch("httproute", self.name, operations)

    def image(self) -> str:
        """What the stable runs."""
        return image_of(self.stable())

    def give(self, image: str) -> None:
        """Give the stable this image."""
        stable = self.stable()
        old = image_of(stable)
        operations: list[Manifest] = []
        for pod, number in _same_image(stable):
            path = f"/spec/template/spec/{pod}/{number}/image"
            operations += [
                {"op": "test", "path": path, "value": old},
                {"op": "replace", "path": path, "value": image},
            ]
        self._kubectl.patch("deployment", self.name, operations)

    def given(self) -> None:
        """Wait for the stable's pods."""
        self._kubectl.rolled_out(self.name, ROLLOUT_LIMIT)

    def remove(self) -> None:
        """The canary's Deployment; its pods drain by themselves."""
        self._kubectl.delete("deployment", self.canary)

    def _merge_scaler(self, annotations: dict[str, str | None], lowest: int) -> None:
        change = {"metadata": {"annotations": annotations}, "spec": {"minReplicas": lowest}}
        self._kubectl.merge("horizontalpodautoscaler", self.name, change)

    def _pods_for(self, weight: int, stable: Manifest) -> int:
        pods: int = stable["spec"].get("replicas", 1)
        return max(min(2, pods), math.ceil(pods * weight / 100))

    def _backends(self) -> Iterator["Backend"]:
        """Those of the rules that know both versions."""
        route = self._kubectl.get("httproute", self.name)
        found = [
            Backend(rule, number, place)
            for number, rule in enumerate(route["spec"]["rules"] if route else [])
            if [one["name"] for one in rule.get("backendRefs", [])] == [self.name, self.canary]
            for place in (0, 1)
        ]
        if not found:
            raise ClusterError(
                f"there is no HTTPRoute {self.name} with the backends {self.name}, {self.canary}"
            )
        yield from found


class Backend:
    """One version in one rule of the route."""

    def __init__(self, rule: Manifest, number: int, place: int) -> None:
        reference = rule["backendRefs"][place]
        self.path = f"/spec/rules/{number}/backendRefs/{place}"
        self.name: str = reference["name"]
        self.weight: int = reference.get("weight", 1)
        self.by_header = rule.get("name") == BY_HEADER
        self._is_canary = place == 1

    def share(self, canary: int) -> int:
        """What is its own when the canary has this weight."""
        return canary if self._is_canary else 100 - canary

    def weigh(self, weight: int) -> list[Manifest]:
        """Give it this weight, if it is still what it was."""
        return [
            {"op": "test", "path": f"{self.path}/name", "value": self.name},
            {"op": "test", "path": f"{self.path}/weight", "value": self.weight},
            {"op": "replace", "path": f"{self.path}/weight", "value": weight},
        ]


def image_of(deployment: Manifest) -> str:
    """What its first container runs."""
    image: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def _same_image(deployment: Manifest) -> Iterator[tuple[str, int]]:
    """Where the service's image stands: in its container, and in the one that migrates."""
    pod, image = deployment["spec"]["template"]["spec"], image_of(deployment)
    for kind in ("initContainers", "containers"):
        for number, container in enumerate(pod.get(kind, [])):
            if container["image"] == image:
                yield kind, number
