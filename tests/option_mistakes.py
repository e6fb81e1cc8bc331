"""Mistakes in what the options deploy, and the rule that tells of each."""

from collections.abc import Mapping, Sequence

OVERLAYS = "deploy/kustomize/overlays"
PRODUCTION = f"{OVERLAYS}/production"
CLUSTERS = f"{OVERLAYS}/multi-cluster"
ARGOCD = "deploy/argocd"
ROLLOUTS = "deploy/kustomize/components/argo-rollouts"
GATEWAY = "deploy/kustomize/components/gateway-api"

# What is replaced, by what, and the rule.
Edits = Sequence[tuple[str, str, str]]
# By the options of the service, the folder that is rendered, and the file.
MISTAKES: Mapping[str, Mapping[tuple[str, str], Edits]] = {
    "rollouts": {
        (PRODUCTION, f"{ROLLOUTS}/rollout.yaml"): (
            ("name: orders\n  strategy", "name: order\n  strategy", "references/workload"),
            (
                "canaryService: orders-canary",
                "canaryService: orders-new",
                "references/rollout-service",
            ),
            ("canaryService: orders-canary", "canaryService: orders", "references/rollout-service"),
            ("- name: canary-by-header", "- name: by-header", "references/rollout-route"),
            (
                "- name: orders\n                use",
                "- name: order\n                use",
                "references/rollout-route",
            ),
            (
                "templateName: orders-canary\n",
                "templateName: orders-judge\n",
                "references/analysis",
            ),
            ("- name: stable\n", "- name: old\n", "references/analysis-argument"),
            ("scaleDownDelaySeconds: 35", "scaleDownDelaySeconds: 1", "numbers/scale-down"),
            ("progressDeadlineSeconds: 180", "progressDeadlineSeconds: 20", "numbers/progress"),
        ),
        (PRODUCTION, f"{ROLLOUTS}/analysis-step.yaml"): (
            ("[5m]", "[20s]", "numbers/window"),
            ("interval: 1m", "interval: 5s", "numbers/analysis-interval"),
            ("name: max-slowdown", "name: slowdown", "references/analysis-argument"),
        ),
        (PRODUCTION, f"{ROLLOUTS}/kustomization.yaml"): (
            ("/spec/replicas, value: 0", "/spec/replicas, value: 3", "posture/lent-template"),
            (
                "/spec/scaleTargetRef/kind, value: Rollout",
                "/spec/scaleTargetRef/kind, value: Deployment",
                "references/scale-target",
            ),
        ),
        (PRODUCTION, f"{PRODUCTION}/environment.yaml"): (
            ('database-connections: "300"', 'database-connections: "200"', "numbers/connections"),
        ),
        (CLUSTERS, f"{CLUSTERS}/placement.yaml"): (
            ("kind: ServiceAccount, ", "kind: Secret, ", "references/karmada-selector"),
            (
                "    - {apiVersion: v1, kind: Service, labelSelector: *own}\n",
                "",
                "references/karmada-left",
            ),
        ),
        (CLUSTERS, f"{CLUSTERS}/overrides.yaml"): (
            ("[member1]", "[member9]", "references/karmada-cluster"),
            ("/data/tracing.sample_ratio", "/data/tracing.ratio", "references/karmada-override"),
        ),
        (ARGOCD, f"{ARGOCD}/application-set.yaml"): (
            ("overlay: staging", "overlay: stage", "references/argocd"),
            (".namespace }", ".space }", "references/argocd"),
        ),
        (ARGOCD, f"{ARGOCD}/project.yaml"): (
            ("namespace: orders-staging", "namespace: orders-stage", "references/argocd"),
            ("    - {group: apps, kind: Deployment}\n", "", "references/argocd"),
        ),
    },
    "gateway": {
        (PRODUCTION, f"{GATEWAY}/route.yaml"): (
            ("request: 7s", "request: 5s", "numbers/route-timeout"),
            ("backendRequest: 6s", "backendRequest: 4s", "numbers/route-timeout"),
            ("{name: orders, port: 80", "{name: order, port: 80", "references/backend"),
            (
                "{name: orders, port: 80",
                "{name: orders-management, port: 9000",
                "references/backend",
            ),
            ("port: 80, weight: 0", "port: 80, weight: 5", "references/service-selector"),
            ("\n      namespace: gateway\n", "\n", "references/parent"),
        ),
        (PRODUCTION, f"{GATEWAY}/kustomization.yaml"): (
            (
                "/spec/selector/track, value: stable",
                "/spec/selector/track, value: main",
                "references/service-selector",
            ),
        ),
    },
}
