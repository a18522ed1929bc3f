#!/usr/bin/env bash
# What is too long for every change: static analysis of the tests, too, every
# test under ThreadSanitizer, ten minutes of each fuzzer, faults at full scale, the
# image, trainings on real data. Five hours or so on two cores, and the soak; runs
# each part even if one fails, and says at the end which did.
#
#   tests/full.sh [PART...]      PART: analysis, browser, fuzz, tsan, image,
#                                soak, and trainings: beauty, movielens,
#                                movielens_transformer, playlists
#
# SEGUE_DATA names the folder with beauty/, ml-1m/ and playlists/ (events.csv.gz,
# items.csv.gz); default: ../shared/data, else data.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${SEGUE_DATA:-}
if [ -z "$data" ]; then
  data=data
  [ ! -d ../shared/data ] || data=../shared/data
fi

# train SET CONFIG: trains and publishes; the figures go to the screen.
train() {
  local set=$1 config=deploy/config/$2.textproto work=build/full/$2
  if [ ! -f "$data/$set/events.csv.gz" ]; then
    echo "full: $set SKIPPED: there is no $data/$set/events.csv.gz"
    return
  fi
  cmake --preset release && cmake --build build/release \
    --target segue-trainer || return
  rm -rf "$work"
  build/release/bin/segue-trainer train --config "$config" \
    --set "events.path=$data/$set/events.csv.gz" \
    --set "items.path=$data/$set/items.csv.gz" \
    --set "run_dir=$work/run" --set "bundle_root=$work/bundles" || return
  build/release/bin/segue-trainer inspect \
    --bundle "$work/bundles/$(cat "$work/bundles/CURRENT")" >"$work/manifest" ||
    return
  /usr/bin/python3 tests/figures.py "$work/run/report.json"
}

# The tests' sources, too.
analysis() {
  cmake --preset release -DSEGUE_BUILD_TESTS=ON &&
    cmake --build build/release && tests/static_analysis.sh all
}

# The pages of the report, in a browser.
browser() {
  local chromium
  chromium=$(command -v chromium) || {
    echo "full: browser SKIPPED: apt-get install chromium"
    return
  }
  cmake --preset release && cmake --build build/release \
    --target trainer_report_test || return
  SEGUE_CHROMIUM=$chromium build/release/tests/trainer_report_test \
    --gtest_filter='BrowserTest.*'
}

part() {
  case $1 in
    analysis) analysis ;;
    browser) browser ;;
    fuzz) tests/fuzz/fuzz.sh 600 ;;
    tsan) tests/sanitized.sh tsan ;;
    image) tests/image.sh ;;
    soak) tests/soak.sh ;;
    beauty | playlists) train "$1" "$1" ;;
    movielens | movielens_transformer) train ml-1m "$1" ;;
    *) echo "full: no part is called $1" >&2; return 2 ;;
  esac
}

parts=("$@")
[ $# -gt 0 ] || parts=(analysis browser image beauty playlists
  movielens movielens_transformer soak fuzz tsan)
deploy/install_deps.sh --with-dev-tools
failed=()
for name in "${parts[@]}"; do
  printf '\n== %s\n' "$name"
  part "$name" || failed+=("$name")
done
printf '\n'
if [ "${#failed[@]}" -gt 0 ]; then
  echo "full: failed: ${failed[*]}" >&2
  exit 1
fi
echo "full: passed: ${parts[*]}"
