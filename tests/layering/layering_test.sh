#!/usr/bin/env bash
# Plants one violation of each kind in a tiny tree: layering.sh must name its
# file, line and rule, and must keep quiet about the same tree without it.
set -euo pipefail
checker=$(cd "$(dirname "$0")" && pwd)/layering.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

fail() {
  printf 'FAILED: %s\n' "$*"
  failures=$((failures + 1))
}

# A tree that keeps every rule.
plant_clean_tree() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree"/core/{base,index,towers,schema} "$tree"/server \
    "$tree"/trainer/{data,model}
  echo '#include <string>' >"$tree/core/base/file.h"
  echo '#include "core/base/file.h"' >"$tree/core/schema/vocabulary.h"
  echo '#include <faiss/Index.h>' >"$tree/core/index/faiss_index.cc"
  echo '#include <torch/script.h>' >"$tree/core/towers/towers.cc"
  echo '#include <grpcpp/grpcpp.h>' >"$tree/server/server.cc"
  echo '#include <arrow/api.h>' >"$tree/trainer/data/reader.cc"
  echo '#include "trainer/data/reader.h"' >"$tree/trainer/model/batch.h"
}

# expect_refused FILE INCLUDE RULE: the include stands in line 2 of the file.
expect_refused() {
  local file=$1 include=$2 rule=$3 output
  plant_clean_tree
  mkdir -p "$(dirname "$tree/$file")"
  printf '// A file.\n#include %s\n' "$include" >"$tree/$file"
  if output=$("$checker" "$tree"); then
    fail "$file may include $include"
  elif ! grep -qF "$file:2: " <<<"$output" || ! grep -qF "$rule" <<<"$output"; then
    fail "$file, $include: expected line 2 and \"$rule\", got: $output"
  fi
}

plant_clean_tree
"$checker" "$tree" >/dev/null || fail "a clean tree is refused"

expect_refused core/base/a.cc '"core/schema/vocabulary.h"' \
  'core/base may not know core/schema'
expect_refused core/index/a.cc '"server/server.h"' \
  'core/index may not know server'
expect_refused core/index/a.h '"trainer/data/reader.h"' \
  'core/index may not know trainer/data'
expect_refused server/a.cc '"trainer/model/batch.h"' \
  'server may not know trainer/model'
expect_refused server/a.cc '"core/index_build/index_builder.h"' \
  'server may not know core/index_build'
expect_refused trainer/a.cc '"server/server.h"' 'trainer/ may not know server'
expect_refused server/base/a.cc '"server/metrics/metrics.h"' \
  'server/base may not know server/metrics'
expect_refused server/queue/a.h '"server/requests/call.h"' \
  'server/queue may not know server/requests'
expect_refused server/lifecycle/a.cc '"server/quality/live_hits.h"' \
  'server/lifecycle may not know server/quality'
expect_refused server/admin/a.cc '"core/index_build/index_builder.h"' \
  'server/admin may not know core/index_build'
expect_refused trainer/data/a.cc '"trainer/model/batch.h"' \
  'trainer/data may not know trainer/model'
expect_refused server/a.cc '<torch/script.h>' 'LibTorch is not known here'
expect_refused core/towers/a.h '<torch/script.h>' 'LibTorch is not known here'
expect_refused trainer/training/a.cc '<ATen/ATen.h>' 'LibTorch is not known here'
expect_refused server/a.cc '<faiss/Index.h>' 'FAISS is not known here'
expect_refused core/bundle/a.cc '<arrow/api.h>' 'Arrow is not known here'
expect_refused trainer/main.cc '<grpcpp/grpcpp.h>' 'gRPC is not known here'
expect_refused core/retrieval/a.h '"segue/v1/retrieval.grpc.pb.h"' \
  'gRPC is not known here'
expect_refused core/metrics/a.h '  <prometheus/counter.h>' \
  'prometheus-cpp is not known here'
expect_refused core/attic/a.h '"core/base/file.h"' 'has no line in the rooms'
expect_refused server/attic/a.h '"core/base/file.h"' 'has no line in the rooms'
expect_refused server/a.cc '"core/attic/a.h"' 'no such room'

if "$checker" "$tree/core/base" >/dev/null 2>&1; then
  fail "a tree without sources passes"
fi

[ "$failures" -eq 0 ] || exit 1
echo "each planted violation was found"
