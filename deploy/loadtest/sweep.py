#!/usr/bin/python3
"""Loads a running server ever harder, to saturation, and draws latency against
load.

    deploy/loadtest/sweep.py [--address HOST:PORT] [--metrics HOST:PORT]
                             [--requests FILE] [--out FOLDER] [...]

Open loop: calls begin at their times, whether or not those before them are
answered, so that a slow server is not asked more slowly. Each rate is a quarter
above the one before, from --from on, until less than nine tenths of the calls
are answered, or the slowest hundredth takes longer than --longest. Calls go
round the requests of real users that training left in its run_dir.

Prints a line a rate, and writes sweep.json and sweep.html to --out. Processor
time is the server's own (process_cpu_seconds_total). To loopback only, unless
--anywhere says otherwise: it is made to overload what it asks.

Needs ghz on PATH or in ~/go/bin:
  go install github.com/bojand/ghz/cmd/ghz@v0.121.0
and for the chart apt-get install libjs-chart.js.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(ROOT / "trainer/report"))

import frame  # noqa: E402  (found by the line above)

STEP = 1.25
LEAST_ANSWERED = 0.9
LOOPBACK = ("127.", "localhost:", "[::1]:")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", default="127.0.0.1:50051")
    parser.add_argument(
        "--metrics", default="127.0.0.1:9464", help="the server's http_address"
    )
    parser.add_argument(
        "--requests",
        type=pathlib.Path,
        default=ROOT / "build/quickstart/run/sample_requests.json",
        help="a JSON array of segue.v1.RetrieveRequest",
    )
    parser.add_argument(
        "--out", type=pathlib.Path, default=ROOT / "build/loadtest"
    )
    parser.add_argument("--top-k", type=int, help="of every request, instead")
    parser.add_argument("--from", dest="first", type=float, default=100)
    parser.add_argument("--to", dest="last", type=float, default=20000)
    parser.add_argument("--seconds", type=float, default=10, help="a rate")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument(
        "--longest", type=float, default=500, help="of p99, in ms"
    )
    parser.add_argument("--anywhere", action="store_true")
    parser.add_argument("--chart-js", default=frame.CHART_JS)
    return parser.parse_args()


def find_ghz():
    places = os.environ.get("PATH", "") + os.pathsep + str(
        pathlib.Path.home() / "go/bin"
    )
    found = shutil.which("ghz", path=places)
    if found is None:
        sys.exit("sweep: no ghz: go install github.com/bojand/ghz/cmd/ghz@v0.121.0")
    return found


def requests_file(asked, folder):
    """The requests as ghz reads them."""
    try:
        requests = json.loads(asked.requests.read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit(
            f"sweep: there is no {asked.requests}: train first, or name another"
            " file with --requests"
        )
    if asked.top_k:
        requests = [{**request, "top_k": asked.top_k} for request in requests]
    path = pathlib.Path(folder) / "requests.json"
    path.write_text(json.dumps(requests), encoding="utf-8")
    return path


def metric(address, name):
    """A series without labels."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as page:
        text = page.read().decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE).group(1))


def load(ghz, asked, requests, rate, folder):
    """One rate: what was asked, and what came back. Latencies in ms."""
    calls = max(int(rate * asked.seconds), 10)
    report = pathlib.Path(folder) / "report.json"
    before = metric(asked.metrics, "process_cpu_seconds_total")
    subprocess.run(
        [
            *[ghz, "--insecure", "--async", "--rps", str(round(rate))],
            *["--proto", ROOT / "proto/segue/v1/retrieval.proto"],
            *["--import-paths", ROOT / "proto"],
            *["--call", "segue.v1.RetrievalService/Retrieve"],
            *["--data-file", requests, "--total", str(calls)],
            *["--concurrency", str(asked.connections)],
            *["--connections", str(asked.connections), "--timeout", "10s"],
            *["--format", "json", "--output", report, asked.address],
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    cpu = metric(asked.metrics, "process_cpu_seconds_total") - before
    result = json.loads(report.read_text(encoding="utf-8"))
    codes = result["statusCodeDistribution"] or {}
    seconds = result["total"] / 1e9
    answered = codes.get("OK", 0)
    tail = {
        point["percentage"]: point["latency"] / 1e6
        for point in result["latencyDistribution"] or []
    }
    return {
        "offered": rate,
        "answered": answered / seconds,
        "codes": codes,
        "share_answered": answered / calls,
        "p50_ms": tail.get(50),
        "p95_ms": tail.get(95),
        "p99_ms": tail.get(99),
        "cpu_us": 1e6 * cpu / max(answered, 1),
        "processors": cpu / seconds,
    }


def is_saturated(point, asked):
    return (
        point["answered"] < LEAST_ANSWERED * point["offered"]
        or (point["p99_ms"] or 0) > asked.longest
    )


COLUMNS = {
    "calls/s offered": "{offered:.0f}",
    "answered": "{answered:.0f}",
    "of them OK, %": "{percent:.1f}",
    "p50, ms": "{p50_ms:.2f}",
    "p95, ms": "{p95_ms:.2f}",
    "p99, ms": "{p99_ms:.2f}",
    "CPU a call, us": "{cpu_us:.0f}",
    "processors": "{processors:.2f}",
}


def cells(point):
    values = {name: 0 if v is None else v for name, v in point.items()}
    values["percent"] = 100 * point["share_answered"]
    return [form.format(**values) for form in COLUMNS.values()]


def main():
    asked = arguments()
    if not asked.anywhere and not asked.address.startswith(LOOPBACK):
        sys.exit(f"sweep: {asked.address} is not loopback (--anywhere)")
    ghz = find_ghz()
    points = []
    print("  ".join(COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        requests = requests_file(asked, folder)
        rate = asked.first
        while rate <= asked.last:
            point = load(ghz, asked, requests, rate, folder)
            points.append(point)
            print(
                "  ".join(
                    cell.rjust(len(name))
                    for name, cell in zip(COLUMNS, cells(point))
                ),
                flush=True,
            )
            if is_saturated(point, asked):
                break
            rate *= STEP
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "sweep.json").write_text(
        json.dumps(points, indent=1) + "\n", encoding="utf-8"
    )
    html = frame.page(
        "Latency against load",
        "<p>Open loop; client and server share the processors where both run on"
        " one machine.</p>\n",
        frame.chart("latency", "Latency", "Milliseconds by calls a second")
        + frame.chart("cpu", "Processor time", "Microseconds a call of the server")
        + frame.section("figures", "Figures", frame.table(COLUMNS, map(cells, points))),
        {"points": points},
        (HERE / "sweep.js").read_text(encoding="utf-8"),
        chart_js=asked.chart_js,
    )
    (asked.out / "sweep.html").write_text(html, encoding="utf-8")
    print(f"wrote {asked.out}/sweep.html")


if __name__ == "__main__":
    main()
