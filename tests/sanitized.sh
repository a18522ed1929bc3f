#!/usr/bin/env bash
# Builds the tests with sanitizers and runs them. The last lines are ctest's.
#
#   tests/sanitized.sh asan|tsan [ARGUMENT...]      arguments go to ctest
#
# asan is AddressSanitizer with leak checking and UndefinedBehaviorSanitizer,
# tsan ThreadSanitizer. Any finding fails its test. What libraries do that are
# not built with a sanitizer is named, with its reason, in tests/sanitizers/.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly preset=${1:-}
case $preset in asan | tsan) shift ;; *)
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2
  exit 2
  ;;
esac
readonly jobs=${SEGUE_JOBS:-$(nproc)}
readonly lists=$PWD/tests/sanitizers
# Teams that spin while they wait starve the other test.
export OMP_WAIT_POLICY=passive
# libgomp is not instrumented: each of its barriers would be a race. So no race
# within an OpenMP loop is looked for.
[ "$preset" != tsan ] || export OMP_THREAD_LIMIT=1

# The distribution's libraries are not instrumented: containers that cross into
# them look half-annotated, which is no overflow.
export ASAN_OPTIONS=detect_container_overflow=0:strict_string_checks=1
export LSAN_OPTIONS=suppressions=$lists/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=suppressions=$lists/tsan.supp:ignore_noninstrumented_modules=1:halt_on_error=1:second_deadlock_stack=1

cmake --preset "$preset" -DSEGUE_BUILD_TESTS=ON
cmake --build "build/$preset" -j "$jobs"
ctest --preset "$preset" -j "$jobs" "$@"
