#!/usr/bin/env bash
# Faults at full scale: the tests behind the table of 25 in tests/README.md, and
# at the end their figures beside the targets. Nothing else should run on the
# machine meanwhile. Runs each part even if one fails, and says at the end which
# did.
#
#   tests/soak.sh [PART...]      PART: elsewhere, injected, binaries
#
# elsewhere: what core, server and integration tests have of them. injected: the
# server in the test's process. binaries: segue-server and segue-trainer as they
# are shipped, a soak among them. Fuzzers (20) and ThreadSanitizer (21) are parts
# of tests/full.sh.
#
# On two cores, once built: 1, 5 and 35 minutes, of which SEGUE_SOAK_MINUTES (30)
# are the soak.
# Figures stay in build/soak/figures, what the tests said in
# build/soak/PART.log.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly jobs=${SEGUE_JOBS:-$(nproc)}
readonly out=build/soak
# Tests that table names, as ctest calls them.
readonly others=(core_base core_bundle core_index core_retrieval core_schema
  core_towers server integration/swap integration/train_to_serve)

export SEGUE_SCALE=full SEGUE_FIGURES=$PWD/$out/figures
# Teams that spin while they wait starve what is measured.
export OMP_WAIT_POLICY=passive

# build TARGET...
build() {
  cmake --preset release -DSEGUE_BUILD_TESTS=ON >"$out/build.log" &&
    cmake --build build/release -j "$jobs" --target "$@" >>"$out/build.log" || {
    tail -n 40 "$out/build.log" >&2
    return 1
  }
}

# run PART COMMAND...: what the tests say goes to a log, failures to the screen.
run() {
  local log=$out/$1.log
  shift
  "$@" >"$log" 2>&1 || {
    grep -E 'Failure|FAILED|Failed' -A 8 "$log" | tail -n 80 >&2
    echo "soak: see $log" >&2
    return 1
  }
}

part() {
  case $1 in
    elsewhere)
      local targets=("${others[@]##*/}")
      build "${targets[@]/%/_test}" && run "$1" ctest --preset release \
        -R "^($(IFS='|' && echo "${others[*]}"))\$"
      ;;
    injected) build injected_faults_test && run "$1" \
      build/release/tests/injected_faults_test ;;
    binaries) build faults_test && run "$1" build/release/tests/faults_test ;;
    *) echo "soak: no part is called $1" >&2; return 2 ;;
  esac
}

parts=("$@")
[ $# -gt 0 ] || parts=(elsewhere injected binaries)
mkdir -p "$out"
: >"$SEGUE_FIGURES"
failed=()
for name in "${parts[@]}"; do
  printf '== %s\n' "$name"
  begin=$SECONDS
  part "$name" || failed+=("$name")
  printf '   %d s\n' $((SECONDS - begin))
done

printf '\n'
{
  echo 'test | what | figure | target'
  LC_ALL=C sort -s -t '|' -k 1,1n "$SEGUE_FIGURES"
} | column -t -s '|' -o '|'
printf '\n'
if [ "${#failed[@]}" -gt 0 ]; then
  echo "soak: failed: ${failed[*]}" >&2
  exit 1
fi
echo "soak: passed: ${parts[*]}"
