#!/usr/bin/env bash
# Fails if clang-format would change a C++ file; --fix lets it.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(--dry-run -Werror)
[ "${1:-}" != --fix ] || mode=(-i)
find core server trainer tests -name '*.h' -o -name '*.cc' | LC_ALL=C sort |
  xargs clang-format "${mode[@]}"
echo "format: as .clang-format says"
