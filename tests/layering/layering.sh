#!/usr/bin/env bash
# Who may know whom: reads the #includes of core/, trainer/ and server/ and
# fails with file, line and rule. The rooms share one include root, so that the
# build cannot see this. core/README.md draws the same picture.
#
#   tests/layering/layering.sh [ROOT]        ROOT: the checkout; default: this one
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root"

# room: the rooms of ours whose headers it may include, besides its own.
# A name ending in / stands for everything below it.
readonly rooms='
core/base:
core/config:      core/base
core/rows:
core/schema:      core/base
core/catalog:     core/base core/rows core/schema
core/history:     core/base core/schema core/catalog
core/index:       core/base core/rows
core/index_build: core/base core/rows core/index core/metrics
core/towers:      core/base
core/metrics:     core/base
core/bundle:      core/base
core/retrieval:   core/base core/rows core/schema core/catalog core/history core/index core/towers core/bundle
server/base:      core/base
server/net:       core/base server/base
server/queue:     core/base core/retrieval server/base
server/metrics:   core/base server/base server/queue
server/lifecycle: core/base core/bundle core/retrieval server/base server/metrics
server/quality:   core/base core/metrics core/retrieval server/base server/metrics server/lifecycle
server/requests:  core/base core/bundle core/retrieval server/base server/queue server/metrics server/lifecycle server/quality
server/admin:     core/base core/bundle server/base server/lifecycle server/quality
server:           core/base core/config core/index core/towers core/bundle core/retrieval server/
trainer/base:
trainer/data:     trainer/base core/
trainer/model:    trainer/base trainer/data core/
trainer/report:   core/base core/bundle
trainer/:         trainer/ core/
'

# library: its headers (extended regular expression): the files that may include
# them (extended regular expression on the path).
readonly libraries='
LibTorch       ^(torch|ATen|c10|caffe2)/                                ^(core/towers/([^/]*\.cc|attention\.h|half_weights\.h|packed_heads\.h)$|trainer/model/)
FAISS          ^faiss/                                                  ^core/index(_build)?/
Arrow          ^(arrow|parquet)/                                        ^trainer/data/
gRPC           ^(grpc|grpcpp|grpc\+\+)/|\.grpc\.pb\.h$                  ^server/
prometheus-cpp ^prometheus/                                             ^server/
cpp-httplib    ^httplib\.h$                                             ^server/
CLI11          ^CLI/                                                    ^(server|trainer)/
CRoaring       ^roaring/                                                ^core/rows/
OpenSSL        ^openssl/                                                ^(core/base|server/net)/
OpenMP         ^omp\.h$                                                 ^(core/index(_build)?|trainer)/
GoogleTest     ^(gtest|gmock|benchmark)/|^tests/                        ^$
'

mapfile -t sources < <(find core trainer server -name '*.h' -o -name '*.cc' |
  LC_ALL=C sort)
if [ "${#sources[@]}" -eq 0 ]; then
  echo "layering: no source under $root/{core,trainer,server}" >&2
  exit 2
fi

awk -v rooms="$rooms" -v libraries="$libraries" '
BEGIN {
  n = split(rooms, lines, "\n")
  for (i = 1; i <= n; i++) {
    if (split(lines[i], halves, ":") < 2) continue
    allowed[halves[1]] = " " halves[2] " "
  }
  n = split(libraries, lines, "\n")
  for (i = 1; i <= n; i++) {
    if (split(lines[i], f, /[ \t]+/) < 3) continue
    name[++kinds] = f[1]; headers[kinds] = f[2]; where[kinds] = f[3]
  }
}
# The room that the path lies in: its folder, or else the nearest above that
# stands for everything below it; "" if none.
function room_of(path) {
  sub(/\/[^\/]*$/, "", path)
  if (path in allowed) return path
  do if ((path "/") in allowed) return path "/"
  while (sub(/\/[^\/]*$/, "", path))
  return ""
}
function may_know(room, folder, names, i, n) {
  n = split(allowed[room], names, " ")
  for (i = 1; i <= n; i++) {
    if (names[i] == folder) return 1
    if (names[i] ~ /\/$/ && index(folder "/", names[i]) == 1) return 1
  }
  return 0
}
function refuse(rule) {
  printf "%s:%d: includes %s: %s\n", FILENAME, FNR, header, rule
  bad++
}
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
  header = $0
  sub(/^[^<"]*[<"]/, "", header)
  sub(/[>"].*/, "", header)
  from = room_of(FILENAME)
  if (from == "") {
    refuse("this folder has no line in the rooms of tests/layering/layering.sh")
    next
  }
  for (i = 1; i <= kinds; i++)
    if (header ~ headers[i] && FILENAME !~ where[i])
      refuse(name[i] " is not known here, only in " where[i])
  if (header ~ /^(core|trainer|server)\//) {
    to = room_of(header)
    if (to == "") refuse("no such room")
    else if (to != from && !may_know(from, to))
      refuse(from " may not know " to)
  }
  checked++
}
END {
  if (bad) {
    printf "layering: %d of %d includes break a rule\n", bad, checked
    exit 1
  }
  if (!checked) { print "layering: found no #include"; exit 2 }
  printf "layering: %d includes keep the rules\n", checked
}' "${sources[@]}"
