#!/bin/sh
# A rolling update under load in the cluster that kubectl talks to, with the image of `make image`
# already in it: no request may be lost. The argument is the host on which port 30080 is.
set -eu
cd -- "$(dirname -- "$0")/../.."
namespace={{ cookiecutter.project_slug }}-dev
service=deployment/{{ cookiecutter.project_slug }}

say() { kubectl --namespace "$namespace" "$@"; }

# What a person would ask for first, on the way out of a failure.
explain() {
    code=$?
    if [ "$code" -ne 0 ]; then
        say get pods,events --sort-by=.metadata.creationTimestamp || true
        say describe pods || true
        say logs "$service" --all-containers --prefix --tail=200 || true
    fi
    exit "$code"
}
trap explain EXIT

kubectl apply --server-side --kustomize deploy/kustomize/overlays/dev
say apply --filename tools/rollout/way-in.yaml
say scale "$service" --replicas=2
say rollout status "$service" --timeout=300s

# The load goes on until the last old pod has ended.
.venv/bin/python -m tools.rollout --url "http://$1:30080/api/version" \
# jinja: if cookiecutter.auth == "none"
    --post /api/orders \
# jinja: endif
    --after {{ cookiecutter.__termination_grace }} -- \
    sh -c "kubectl --namespace $namespace rollout restart $service && \
        kubectl --namespace $namespace rollout status $service --timeout=300s"
