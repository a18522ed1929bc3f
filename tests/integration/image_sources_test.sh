#!/usr/bin/env bash
# What docker/Dockerfile copies is enough to configure a build without tests:
# the image itself takes minutes (tests/image.sh).
#
#   tests/integration/image_sources_test.sh SOURCE_DIR
set -euo pipefail
cd "$1"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# The stage that builds has the sources; the last word of a COPY is its target.
sed -n '/AS build$/,/^FROM/s/^COPY //p' docker/Dockerfile |
  while read -ra words; do
    target=$copy/${words[-1]}
    mkdir -p "$(dirname "$target")"
    cp -r "${words[@]:0:${#words[@]}-1}" "$target"
  done
[ -f "$copy/CMakeLists.txt" ] || {
  echo "docker/Dockerfile copies no CMakeLists.txt" >&2
  exit 1
}
# Libraries that deploy/install_deps.sh put beside the sources.
[ ! -d .deps ] || ln -s "$PWD/.deps" "$copy/.deps"
cd "$copy"
cmake --preset release -DSEGUE_BUILD_TESTS=OFF
