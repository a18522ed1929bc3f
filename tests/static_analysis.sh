#!/usr/bin/env bash
# clang-tidy with .clang-tidy's checks on the sources of the release build (run
# tests/run.sh first: generated headers must be there). Any finding fails.
#
#   tests/static_analysis.sh               what is shipped: core, trainer, server
#   tests/static_analysis.sh all           tests and benchmarks, too: twice as long
#   tests/static_analysis.sh FILE...
set -euo pipefail
cd "$(dirname "$0")/.."
readonly jobs=${SEGUE_JOBS:-$(nproc)}
readonly database=build/release

[ -f "$database/compile_commands.json" ] || {
  echo "static_analysis: no $database: run cmake --preset release" >&2
  exit 2
}
folders='core|trainer|server'
if [ "$*" = all ]; then
  folders+='|tests'
  set --
fi
if [ $# -gt 0 ]; then
  sources=("$@")
else
  mapfile -t sources < <(sed -n 's/^ *"file": "\(.*\)",\?$/\1/p' \
    "$database/compile_commands.json" | grep -E "^$PWD/($folders)/" |
    LC_ALL=C sort -u)
fi

# LibTorch 1.13's headers are C++17 and do not parse as C++20 in clang: sources
# that see them, by our own headers too, are read as C++17.
torch='<torch/' found=''
while headers=$(grep -rlE --include='*.h' "#include ($torch)" core trainer \
  server tests) && [ "$headers" != "$found" ]; do
  found=$headers
  torch='<torch/'
  while IFS= read -r header; do torch+="|\"$header\""; done <<<"$headers"
done
export torch database

# One file a process, each one's findings in one piece.
analyse() {
  local output arguments=(--extra-arg=-Wno-unknown-warning-option)
  if grep -qE "#include ($torch)" "$1"; then
    arguments+=(--extra-arg=-std=c++17)
  fi
  output=$(clang-tidy -p "$database" --quiet "${arguments[@]}" "$1" \
    2>/dev/null) && return
  printf '%s\n' "${output:-$1: clang-tidy cannot read it}"
  return 1
}
export -f analyse
echo "static analysis: ${#sources[@]} files"
printf '%s\0' "${sources[@]}" |
  xargs -0 -n 1 -P "$jobs" bash -c 'analyse "$0"' || {
  echo "static analysis: findings above" >&2
  exit 1
}
echo "static analysis: nothing found ($SECONDS s)"
