#!/usr/bin/env bash
# Fuzzers (libFuzzer) of what comes from outside, with AddressSanitizer and
# UndefinedBehaviorSanitizer: builds them, and runs each over its corpus and for
# SECONDS more. A finding fails; what made it lies in build/fuzz/findings. What
# corpora grew by lies in build/fuzz/corpus.
#
#   tests/fuzz/fuzz.sh [SECONDS] [TARGET...]     default: 600 s, all targets
#
# A target is fuzz_TARGET.cc; it says what it is fed and what must hold. A
# finding, once mended, becomes a file in tests/fuzz/corpus/TARGET and a unit
# test. With B=build/fuzz/bin/fuzz_TARGET, `$B FILE` repeats one, and `$B
# -set_cover_merge=1 -use_counters=0 -max_len=2000 tests/fuzz/corpus/TARGET
# build/fuzz/corpus/TARGET` takes over the few that reach all that was reached.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly all=(request manifest index config state tables)
readonly seconds=${1:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || {
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2
  exit 2
}
[ $# -eq 0 ] || shift
targets=("$@")
[ $# -gt 0 ] || targets=("${all[@]}")
readonly bin=build/fuzz/bin findings=build/fuzz/findings

# Of one allocation; of the process, sanitizers and all; of one input, with them
# and on a busy machine.
readonly limits=(-malloc_limit_mb=64 -rss_limit_mb=1024 -timeout=10)
readonly max_bytes=16384

# As tests/sanitized.sh has them.
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
export ASAN_OPTIONS=detect_container_overflow=0:strict_string_checks=1
export LSAN_OPTIONS=suppressions=$PWD/tests/sanitizers/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

mkdir -p build
cmake --preset fuzz >build/fuzz.log
cmake --build --preset fuzz -j "${SEGUE_JOBS:-$(nproc)}"

# run TARGET: fails on a finding.
run() {
  local target=$1 log=build/fuzz/$1.log grown=build/fuzz/corpus/$1 status=0
  mkdir -p "$grown" "$findings"
  "$bin/fuzz_$target" "${limits[@]}" -max_len="$max_bytes" \
    -max_total_time="$seconds" -print_final_stats=1 \
    -artifact_prefix="$findings/$target-" "$grown" \
    "tests/fuzz/corpus/$target" >"$log" 2>&1 || status=$?
  awk -v target="$target" '
    /^stat::number_of_executed_units/ { executed = $2 }
    /^stat::average_exec_per_sec/ { rate = $2 }
    / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
    END {
      printf "fuzz: %s: %d executions, %d a second, %d edges\n", target,
        executed, rate, edges
    }' "$log"
  [ "$status" -ne 0 ] || return 0
  tail -n 60 "$log" >&2
  echo "fuzz: $target: a finding (see $log); input in $findings/" >&2
  return 1
}

failed=()
for target in "${targets[@]}"; do
  [ -f "tests/fuzz/fuzz_$target.cc" ] || {
    echo "fuzz: no target $target; there are ${all[*]}" >&2
    exit 2
  }
  run "$target" || failed+=("$target")
done
if [ "${#failed[@]}" -gt 0 ]; then
  echo "fuzz: findings in: ${failed[*]}" >&2
  exit 1
fi
echo "fuzz: nothing found in ${targets[*]}, $seconds s each"
