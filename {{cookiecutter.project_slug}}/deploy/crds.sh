#!/bin/sh
# Brings the definitions of the custom resources in these manifests into build/crds, for
# `make manifests CRDS=build/crds` and for a cluster of one's own. They come from the sources of
# their projects, which Go fetches and verifies by checksum; where an operator is installed already,
# `kubectl get crd -o yaml` has the same.
set -eu
cd -- "$(dirname -- "$0")/.."

if ! command -v go >/dev/null 2>&1; then
    echo "deploy/crds.sh: needs Go" >&2
    exit 1
fi
into=$PWD/build/crds
rm -rf "$into"
mkdir -p "$into"

# What the folder of a module at a version defines.
fetch() {
    if ! (cd / && GOFLAGS='' go mod download -json "$1@$2") >build/crds.json; then
        cat build/crds.json >&2
        exit 1
    fi
    source=$(sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p' build/crds.json)
    rm build/crds.json
    find "$source/$3" -name '*.yaml' -exec grep -l '^kind: CustomResourceDefinition' {} + |
        while read -r file; do
            cp -- "$file" "$into/"
            chmod u+w "$into/${file##*/}"
        done
}

fetch github.com/prometheus-operator/prometheus-operator v0.85.0 example/prometheus-operator-crd
# jinja: if cookiecutter.progressive_delivery != "none"
fetch sigs.k8s.io/gateway-api v1.4.1 config/crd/standard
# jinja: endif
# jinja: if cookiecutter.progressive_delivery == "argo-rollouts"
fetch github.com/argoproj/argo-rollouts v1.8.3 manifests/crds
# jinja: endif
# jinja: if cookiecutter.gitops == "argocd"
fetch github.com/argoproj/argo-cd/v3 v3.3.0 manifests/crds
# jinja: endif
# jinja: if cookiecutter.multi_cluster == "karmada"
fetch github.com/karmada-io/karmada v1.16.0 charts/karmada/_crds/bases
# jinja: endif
# jinja: if cookiecutter.edge == "kubeedge"
fetch github.com/kubeedge/kubeedge v1.21.0 build/crds/apps
# jinja: endif
# jinja: if cookiecutter.policy == "kyverno"
fetch github.com/kyverno/kyverno v1.18.2 config/crds/policies.kyverno.io
# jinja: endif
echo "build/crds: $(find "$into" -type f | wc -l) definitions"
