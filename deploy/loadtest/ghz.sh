#!/usr/bin/env bash
# Calls Retrieve on a running server with histories of real users and prints
# what ghz measured: throughput, latencies, codes.
#
#   deploy/loadtest/ghz.sh [--address HOST:PORT] [--requests FILE]
#                          [--calls N] [--connections N] [--rate N] [--json FILE]
#
# --address      default 127.0.0.1:50051
# --requests     a JSON array of segue.v1.RetrieveRequest; training leaves one in
#                its run_dir (default: that of deploy/quickstart.sh)
# --calls        in all; default 20000. They go round the file's requests.
# --connections  each with one call at a time; default 8
# --rate         calls a second at most; default 0, as fast as they are answered
# --json         keeps ghz's own report
#
# Fails if any call fails. Needs ghz on PATH or in ~/go/bin:
#   go install github.com/bojand/ghz/cmd/ghz@v0.121.0
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

address=127.0.0.1:50051 requests=$root/build/quickstart/run/sample_requests.json
calls=20000 connections=8 rate=0 json=

die() { printf 'ghz: %s\n' "$*" >&2; exit 1; }
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    --address | --requests | --calls | --connections | --rate | --json)
      [ $# -ge 2 ] || die "$1 needs a value (see --help)"
      declare "${1#--}=$2"
      shift 2
      ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
done

PATH=$PATH:${GOBIN:-$HOME/go/bin}
command -v ghz >/dev/null ||
  die "not found; go install github.com/bojand/ghz/cmd/ghz@v0.121.0"
[ -f "$requests" ] || die "there is no $requests: train first, or name another
file with --requests"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
report=${json:-$work/report.json}
ghz --insecure --proto "$root/proto/segue/v1/retrieval.proto" \
  --import-paths "$root/proto" --call segue.v1.RetrievalService/Retrieve \
  --data-file "$requests" --total "$calls" --concurrency "$connections" \
  --connections "$connections" --rps "$rate" --timeout 10s \
  --format json --output "$report" "$address"

/usr/bin/python3 - "$report" <<'PY'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    report = json.load(file)
tail = {p["percentage"]: p["latency"] / 1e6 for p in report["latencyDistribution"] or []}
print(f"{report['count']} calls, {report['rps']:.0f} a second")
print("latency  " + "  ".join(f"p{p} {tail[p]:.2f} ms" for p in (50, 95, 99) if p in tail))
codes = report["statusCodeDistribution"] or {}
print("codes    " + "  ".join(f"{code} {n}" for code, n in sorted(codes.items())))
for text, n in (report["errorDistribution"] or {}).items():
    print(f"  {n} x {text}")
if set(codes) != {"OK"}:
    sys.exit("ghz: not every call was answered")
PY
