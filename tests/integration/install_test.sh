#!/usr/bin/env bash
# What `cmake --install` gives: two binaries that start, the protos and the
# example configurations.
#
#   tests/integration/install_test.sh BUILD_DIR
set -euo pipefail
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$1" --prefix "$prefix" >/dev/null

"$prefix/bin/segue-trainer" --version | grep -q '^FAISS .* \(AVX2\|SSE2\)$'
"$prefix/bin/segue-server" --version | grep -q '^gRPC '
for file in segue/v1/retrieval.proto segue/config/yambda.textproto \
  segue/config/server.textproto; do
  [ -f "$prefix/share/$file" ] || { echo "no share/$file" >&2; exit 1; }
done
[ "$(ls "$prefix/bin")" = $'segue-server\nsegue-trainer' ] || {
  echo "other binaries too: $(ls "$prefix/bin")" >&2
  exit 1
}
echo "installed: $(cd "$prefix" && find . -type f | wc -l) files"
