"""Kubernetes by kubectl: what it may do, and as whom, is the kubeconfig's."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

Manifest = dict[str, Any]
ANSWER_LIMIT = 20.0  # seconds, of one call


class KubectlError(Exception):
    """A call that failed; the message is kubectl's own."""


class Kubectl:
    """Calls in one namespace; kinds and names as on the command line."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def get(self, kind: str, name: str) -> Manifest | None:
        """The object as the cluster has it; None: there is none."""
        text = self._run("get", kind, name, "--ignore-not-found", "--output=json")
        found: Manifest | None = json.loads(text) if text.strip() else None
        return found

    def create(self, manifest: Mapping[str, Any]) -> None:
        """Fails where the object is there already."""
        self._run("create", "--filename=-", text=json.dumps(manifest))

    def patch(self, kind: str, name: str, operations: Sequence[Mapping[str, Any]]) -> None:
        """A JSON patch: all of it or nothing, and nothing where one of its tests does not hold."""
        self._run("patch", kind, name, "--type=json", f"--patch={json.dumps(operations)}")

    def merge(self, kind: str, name: str, change: Mapping[str, Any]) -> None:
        """A merge patch: None deletes."""
        self._run("patch", kind, name, "--type=merge", f"--patch={json.dumps(change)}")

    def delete(self, kind: str, name: str) -> None:
        """Ask for its end, without waiting for it; it need not be there."""
        self._run("delete", kind, name, "--ignore-not-found", "--wait=false")

    def rolled_out(self, name: str, limit: float) -> None:
        """Wait until a Deployment has all its pods of its newest version.

        Raises:
            KubectlError: not within `limit` seconds, or it gave up.
        """
        words = ("rollout", "status", f"deployment/{name}", f"--timeout={limit:.0f}s")
        self._run(*words, limit=limit + ANSWER_LIMIT)

    def _run(self, *words: str, text: str = "", limit: float = ANSWER_LIMIT) -> str:
        line = ["kubectl", f"--namespace={self.namespace}", *words]
        try:
            # In a session of its own: Ctrl-C is for us, and must not end it halfway.
            done = subprocess.run(  # noqa: S603
                line,
                input=text,
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
                start_new_session=True,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise KubectlError(f"kubectl {words[0]} {words[1]}: {exc}") from None
        if done.returncode:
            said = done.stderr.strip() or f"exit code {done.returncode}"
            raise KubectlError(f"kubectl {words[0]} {words[1]}: {said}")
        return done.stdout
