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
import pathlib
import re
import sys
import tempfile
import urllib.request

import ghz

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(ghz.ROOT / "trainer/report"))

import frame  # noqa: E402  (found by the line above)

STEP = 1.25
LEAST_ANSWERED = 0.9
LOOPBACK = ("127.", "localhost:", "[::1]:")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", default=ghz.ADDRESS)
    ghz.add_tls(parser)
    parser.add_argument(
        "--metrics", default="127.0.0.1:9464", help="the server's http_address"
    )
    parser.add_argument(
        "--requests",
        type=pathlib.Path,
        default=ghz.REQUESTS,
        help="a JSON array of segue.v1.RetrieveRequest",
    )
    parser.add_argument(
        "--out", type=pathlib.Path, default=ghz.ROOT / "build/loadtest"
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


def requests_file(asked, folder):
    """The requests as ghz reads them."""
    given = ghz.requests_file(asked.requests)
    if not asked.top_k:
        return given
    requests = json.loads(given.read_text(encoding="utf-8"))
    requests = [{**request, "top_k": asked.top_k} for request in requests]
    path = pathlib.Path(folder) / "requests.json"
    path.write_text(json.dumps(requests), encoding="utf-8")
    return path


def metric(address, name):
    """A series without labels."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as page:
        text = page.read().decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE).group(1))


def load(asked, requests, rate):
    """One rate: what was asked, and what came back. Latencies in ms."""
    calls = max(int(rate * asked.seconds), 10)
    before = metric(asked.metrics, "process_cpu_seconds_total")
    result = ghz.run(
        asked.address,
        requests,
        calls,
        asked.connections,
        rate=rate,
        open_loop=True,
        timeout="10s",
        tls=ghz.tls_of(asked),
    )
    cpu = metric(asked.metrics, "process_cpu_seconds_total") - before
    codes = result["statusCodeDistribution"] or {}
    seconds = result["total"] / 1e9
    answered = codes.get("OK", 0)
    tail = ghz.tail(result)
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
    points = []
    print("  ".join(COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        requests = requests_file(asked, folder)
        rate = asked.first
        while rate <= asked.last:
            point = load(asked, requests, rate)
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
    try:
        main()
    except ghz.Failed as error:
        sys.exit(f"sweep: {error}")
