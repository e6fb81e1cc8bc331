#!/bin/sh
# Builds the image with docker, podman or buildah; deploy/image.md has the variables it takes.
set -eu
cd -- "$(dirname -- "$0")/.."

fail() {
    echo "make image: $*" >&2
    exit 1
}

# A client without its engine, or docker without BuildKit, builds nothing.
works() {
    case "$1" in
    docker) docker buildx version && docker info ;;
    podman | buildah) "$1" info ;;
    *) return 1 ;;
    esac >/dev/null 2>&1
}

if [ -n "${ENGINE:-}" ]; then
    case "$ENGINE" in
    docker | podman | buildah) ;;
    *) fail "ENGINE=$ENGINE: use docker, podman or buildah" ;;
    esac
    works "$ENGINE" || fail "$ENGINE is missing or does not work here; '$ENGINE info' says why"
else
    for ENGINE in docker podman buildah; do
        if works "$ENGINE"; then break; fi
        ENGINE=
    done
    [ -n "$ENGINE" ] || fail "needs docker (with buildx), podman or buildah; none of them works here"
fi

IMAGE=${IMAGE:-{{ cookiecutter.project_slug }}:dev}
PYTHON_IMAGE=${PYTHON_IMAGE:-python:{{ cookiecutter.python_version }}-slim}
BASE_DIGEST=${BASE_DIGEST:-}
case "$BASE_DIGEST" in
'' | sha256:*) ;;
*) fail "BASE_DIGEST=$BASE_DIGEST: a digest looks like sha256:0123..." ;;
esac
if [ -n "${PUSH:-}" ]; then
    case "$IMAGE" in
    */*:*) ;;
    *) fail "PUSH needs IMAGE=registry/name:tag; got $IMAGE" ;;
    esac
    [ -n "$BASE_DIGEST" ] || fail "PUSH needs BASE_DIGEST=sha256:...: the base $PYTHON_IMAGE of a release stands still"
fi

VERSION=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "src/{{ cookiecutter.__package_name }}/__init__.py")
REVISION=$(git rev-parse --verify --quiet HEAD 2>/dev/null || echo unknown)
if [ "$REVISION" != unknown ] && [ -n "$(git status --porcelain 2>/dev/null)" ]; then
    REVISION=$REVISION-dirty
fi
# The commit's time, and no clock: the same commit on the same base is the same image.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
CREATED=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null ||
    date -u -r "$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

mkdir -p build
rm -f build/image.digest build/image.id build/image.json
# Whatever is given to this script goes to the engine as well.
set -- --file deploy/Dockerfile --tag "$IMAGE" --iidfile build/image.id \
    --build-arg "BASE_DIGEST=$BASE_DIGEST" \
    --build-arg "CREATED=$CREATED" \
    --build-arg "PYTHON_IMAGE=$PYTHON_IMAGE" \
    --build-arg "REVISION=$REVISION" \
    --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH" \
    --build-arg "VERSION=$VERSION" \
    "$@"

echo "Building $IMAGE with $ENGINE on $PYTHON_IMAGE${BASE_DIGEST:+@$BASE_DIGEST}"
case "$ENGINE" in
docker)
    # Not as an attestation: `make sbom` writes one that does not change with the clock.
    docker buildx build --load --provenance=false "$@" .
    if [ -n "${PUSH:-}" ]; then
        docker buildx build --provenance=false --metadata-file build/image.json \
            --output type=registry,rewrite-timestamp=true "$@" .
        sed -n 's/.*"containerimage.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' build/image.json >build/image.digest
    fi
    ;;
podman)
    podman build --format oci --timestamp "$SOURCE_DATE_EPOCH" "$@" .
    if [ -n "${PUSH:-}" ]; then podman push --digestfile build/image.digest "$IMAGE"; fi
    ;;
buildah)
    buildah build --format oci --layers --timestamp "$SOURCE_DATE_EPOCH" "$@" .
    if [ -n "${PUSH:-}" ]; then buildah push --digestfile build/image.digest "$IMAGE"; fi
    ;;
esac

echo "Built $IMAGE ($(cat build/image.id))"
if [ -n "${PUSH:-}" ]; then echo "Pushed ${IMAGE%:*}@$(cat build/image.digest)"; fi
