#!/usr/bin/env bash
# From a clone to recommendations: installs what is needed, builds both
# binaries, makes music-listening data of Yambda's shape, trains, publishes,
# serves, asks for the next tracks of a few users, and stops what it started.
# Debian 12, x86-64; under 12 minutes on two cores from nothing, under 2 when
# built.
#
#   deploy/quickstart.sh [--keep] [--events FILE --items FILE] [--set PATH=VALUE]
#
# --keep          leaves the server running and says how to call it
# --events FILE   your own log instead: Parquet, CSV or CSV.gz with the columns
#                 uid, item_id and timestamp (any number that grows)
# --items FILE    your items: item_id and what people call them; columns of a
#                 CSV are shown in the answers
# --set ...       any field of the trainer's config (proto/segue/v1/config.proto),
#                 e.g. --set events.user_column=user --set training.epochs=5
#
# Everything lands in build/quickstart, which is emptied first.
set -euo pipefail
readonly called_from=$PWD
cd "$(dirname "$0")/.."

readonly work=build/quickstart
readonly trainer=build/release/bin/segue-trainer
readonly server=build/release/bin/segue-server
readonly python=/usr/bin/python3
keep=0 events='' items='' server_pid=''
settings=()

die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; }

absolute() { (cd "$called_from" && realpath -m -- "$1"); }

# step TEXT: what happens next, and how long all of it took so far.
step_number=0
step() {
  step_number=$((step_number + 1))
  printf '\n[%d/6] %s  (%d s so far)\n' "$step_number" "$1" "$SECONDS"
}

# quietly LOG COMMAND...: output goes to the log; its end is shown on failure.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 && return
  tail -n 20 "$log" >&2
  die "failed: $* (all of its output: $log)"
}

while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=1 ;;
    --events | --items | --set)
      [ $# -ge 2 ] || die "$1 needs a value (see --help)"
      case $1 in
        --events) events=$(absolute "$2") ;;
        --items) items=$(absolute "$2") ;;
        --set) settings+=(--set "$2") ;;
      esac
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  shift
done
[ -z "$items" ] || [ -n "$events" ] || die "--items needs --events too"
for file in "$events" "$items"; do
  [ -z "$file" ] || [ -e "$file" ] || die "there is no $file"
done

kept_server() {
  local pid
  pid=$(cat "$work/server.pid" 2>/dev/null) || return 1
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = segue-server ] && echo "$pid"
}
if pid=$(kept_server); then
  die "the server of an earlier --keep still runs: kill $pid"
fi

stop_server() {
  [ -n "$server_pid" ] || return 0
  kill "$server_pid" 2>/dev/null || true
  wait "$server_pid" || true
  server_pid=''
  rm -f "$work/server.pid"
}
trap stop_server EXIT

build() {
  quietly "$work/configure.log" cmake --preset release
  if [ -t 1 ]; then
    cmake --build build/release --target segue-trainer segue-server ||
      die "the build failed; its first error is above"
  else
    quietly "$work/build.log" cmake --build build/release \
      --target segue-trainer segue-server
  fi
}

# Names each column of a CSV of items, so that the answers can show them.
show_item_columns() {
  local column columns=()
  case $items in
    *.csv) IFS=, read -r -a columns <"$items" || true ;;
    *.csv.gz) IFS=, read -r -a columns < <(zcat "$items" 2>/dev/null) || true ;;
  esac
  for column in "${columns[@]}"; do
    column=${column//[$'\r"']/}
    [ "$column" = item_id ] ||
      data_settings+=(--set "items.display_columns[+]=$column")
  done
}

prepare_data() {
  if [ -n "$events" ]; then
    config=deploy/config/trial.textproto
    data_settings=(--set "events.path=$events")
    [ -z "$items" ] || data_settings+=(--set "items.path=$items")
    show_item_columns
    return
  fi
  config=deploy/config/synthetic.textproto
  "$trainer" synth --out "$work/data" --users 2000 --items 20000 \
    --events 600000 --seed 1 || die "synth failed"
  data_settings=(--set "events.path=$work/data/listens.parquet"
    --set "items.path=$work/data/items.parquet"
    --set "items.features[0].mapping_path=$work/data/artist_item_mapping.parquet"
    --set "items.features[1].mapping_path=$work/data/album_item_mapping.parquet")
}

# address_of WHAT: host:port that the server logged for gRPC or HTTP.
address_of() {
  sed -n "s/.*serving $1 address=\([^ ]*:[0-9]*\).*/\1/p" "$work/server.log" |
    tail -n 1
}

# Whether a bundle is live: the addresses are known before.
is_healthy() {
  "$python" -c 'import sys, urllib.request as u
u.urlopen(sys.argv[1], timeout=10)' "http://$(address_of HTTP)/healthz" \
    2>/dev/null
}

start_server() {
  local tries
  "$server" --set "bundle_root=$work/bundles" --set listen_address=127.0.0.1:0 \
    --set http_address=127.0.0.1:0 --set admin_address=127.0.0.1:0 \
    --set log_format=TEXT >"$work/server.log" 2>&1 &
  server_pid=$!
  echo "$server_pid" >"$work/server.pid"
  for ((tries = 0; tries < 600; tries++)); do
    [ -n "$(address_of gRPC)" ] && [ -n "$(address_of HTTP)" ] && is_healthy &&
      return
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$work/server.log" >&2
  die "the server did not come up (all of its log: $work/server.log)"
}

# The series that something has happened to.
show_metrics() {
  "$python" -c 'import sys, urllib.request as u
print(u.urlopen(sys.argv[1], timeout=10).read().decode())' "http://$http/metrics" |
    grep -E '^segue_(requests_total|request_duration_seconds_(count|sum)|bundle_)' |
    grep -v ' 0$'
}

mkdir -p build
rm -rf "$work"
mkdir "$work"

step "dependencies"
deploy/install_deps.sh
step "build (minutes the first time)"
build
step "data"
prepare_data
step "train, evaluate, index, publish"
"$trainer" train --config "$config" --set "run_dir=$work/run" \
  --set "bundle_root=$work/bundles" "${data_settings[@]}" "${settings[@]}" ||
  die "training failed; the reason is above"
step "serve"
start_server
grpc=$(address_of gRPC) http=$(address_of HTTP)
echo "gRPC on $grpc, HTTP on $http"
step "ask"
deploy/ask.py --address "$grpc" --requests "$work/run/sample_requests.json" ||
  die "the server did not answer (its log: $work/server.log)"
printf '\nhttp://%s/metrics, in part:\n' "$http"
show_metrics || die "no metrics at http://$http/metrics"

if [ "$keep" -eq 1 ]; then
  trap - EXIT
  cat <<TEXT

The server stays (pid $server_pid). Ask it, with item ids of your own:
  deploy/ask.py --address $grpc --history ID ID ID
  deploy/ask.py --address $grpc --requests $work/run/sample_requests.json --users 10
Its metrics:  http://$http/metrics
Stop it:      kill $server_pid
TEXT
else
  stop_server
fi
printf '\nDone in %d s. The report: %s/run/report.json, the bundle: %s/bundles\n' \
  "$SECONDS" "$work" "$work"
