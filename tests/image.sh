#!/usr/bin/env bash
# Builds docker/Dockerfile without a Docker engine and tries what it made: both
# binaries start in the image, as a user without rights, with no library
# missing. Debian 12, as root; needs debootstrap and buildah (installed here if
# missing) and about 10 GB under TMPDIR.
#
#   tests/image.sh [--target STAGE]     STAGE: stop there, try nothing
#
# Where pip has PIP_CERT, a file of certificates to trust, the build has it too.
set -euo pipefail
cd "$(dirname "$0")/.."

target=
case ${1:-} in
  '') ;;
  --target) target=${2:?--target needs the name of a stage of docker/Dockerfile} ;;
  -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
  *) echo "image: unknown option $1 (see --help)" >&2; exit 2 ;;
esac

say() { printf 'image: %s\n' "$*"; }

if ! command -v buildah >/dev/null || ! command -v debootstrap >/dev/null; then
  say "installing buildah and debootstrap"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends buildah debootstrap </dev/null >/dev/null
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/segue-image.XXXXXX")
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
# A store of this run's own: nothing is left behind, nothing old is used.
store=(--root "$work/store" --runroot "$work/run")
trap 'buildah "${store[@]}" rm --all >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

say "debian:bookworm-slim from Debian's packages"
debootstrap --variant=minbase bookworm "$work/base" >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  exit 1
}
base=$(buildah "${store[@]}" from scratch)
buildah "${store[@]}" add -q "$base" "$work/base" / >/dev/null
buildah "${store[@]}" commit -q --rm "$base" \
  docker.io/library/debian:bookworm-slim >/dev/null
rm -rf "$work/base"

say "docker/Dockerfile"
trust=()
if [ -n "${PIP_CERT:-}" ]; then
  printf '[global]\ncert = /run/build-ca.crt\n' >"$work/pip.conf"
  trust=(-v "$PIP_CERT:/run/build-ca.crt:ro"
    -v "$work/pip.conf:/etc/pip.conf:ro")
fi
buildah "${store[@]}" bud --pull-never --layers "${trust[@]}" \
  ${target:+--target "$target"} -f docker/Dockerfile -t segue .
buildah "${store[@]}" images
[ -z "$target" ] || exit 0

container=$(buildah "${store[@]}" from --pull-never segue)
in_image() { buildah "${store[@]}" run "$container" -- "$@"; }
say "as $(in_image id -un):"
[ "$(in_image id -u)" -ne 0 ] || { say "runs as root" >&2; exit 1; }
for binary in segue-server segue-trainer; do
  in_image "$binary" --version
  if in_image ldd "/usr/local/bin/$binary" | grep 'not found'; then
    say "$binary lacks a library" >&2
    exit 1
  fi
done
say "both binaries run in the image"
