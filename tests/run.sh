#!/usr/bin/env bash
# Everything that a change has to pass: dependencies, build with warnings as
# errors, layering, format, every test. The last lines are ctest's.
#
#   tests/run.sh [ARGUMENT...]      arguments go to ctest, e.g. -R core_
set -euo pipefail
cd "$(dirname "$0")/.."
readonly jobs=${SEGUE_JOBS:-$(nproc)}

deploy/install_deps.sh --with-dev-tools
cmake --preset release -DSEGUE_BUILD_TESTS=ON
cmake --build build/release -j "$jobs"
tests/layering/layering.sh
tests/format.sh
ctest --preset release -j "$jobs" "$@"
