#!/usr/bin/python3
"""Calls Retrieve on a running server with histories of real users and prints
what ghz measured: throughput, latencies, codes.

    deploy/loadtest/ghz.py [--address HOST:PORT] [--requests FILE]
                           [--calls N] [--connections N] [--rate N] [--json FILE]
                           [--ca FILE] [--cert FILE --key FILE]

Fails if any call fails. Needs ghz on PATH or in ~/go/bin:
  go install github.com/bojand/ghz/cmd/ghz@v0.121.0
Other scripts import this one for run() and what goes with it.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
RETRIEVE = "segue.v1.RetrievalService/Retrieve"
INSTALL = "go install github.com/bojand/ghz/cmd/ghz@v0.121.0"
ADDRESS = "127.0.0.1:50051"
# Those of deploy/quickstart.sh.
REQUESTS = ROOT / "build/quickstart/run/sample_requests.json"
PLAIN_TEXT = ("--insecure",)


class Failed(Exception):
    """ghz is not there, or could not do what it was told."""


def find():
    """Its path; None: it is not installed."""
    own = os.environ.get("GOBIN") or str(pathlib.Path.home() / "go/bin")
    return shutil.which("ghz", path=os.environ.get("PATH", "") + os.pathsep + own)


def run(
    address,
    data,
    calls,
    connections,
    method=RETRIEVE,
    proto=PROTO / "segue/v1/retrieval.proto",
    imports=PROTO,
    rate=0,
    open_loop=False,
    timeout="20s",
    tls=PLAIN_TEXT,
):
    """ghz's report of so many calls of `method`, which `proto` declares.

    data: path of a JSON array of requests to go round, or one request (a dict).
    connections: each with one call at a time, unless open_loop. rate: calls a
    second at most; 0: as fast as they are answered. open_loop: calls begin at
    the times that rate gives them, whether or not those before are answered.
    tls: ghz's options for it, as tls_of() has them.
    """
    ghz = find()
    if ghz is None:
        raise Failed(f"no ghz: {INSTALL}")
    command = [ghz, *tls, "--proto", proto, "--import-paths", imports]
    command += ["--call", method, "--total", calls, "--timeout", timeout]
    command += ["--concurrency", connections, "--connections", connections]
    command += ["--rps", round(rate), *(["--async"] if open_loop else [])]
    if isinstance(data, dict):
        command += ["--data", json.dumps(data)]
    else:
        command += ["--data-file", data]
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command += ["--format", "json", "--output", report, address]
        done = subprocess.run(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        if done.returncode:
            raise Failed(f"{' '.join(done.args)}: {done.stdout}")
        return json.loads(report.read_text(encoding="utf-8"))


def tail(report):
    """Percentile -> latency in ms, of the calls that were answered."""
    return {
        point["percentage"]: point["latency"] / 1e6
        for point in report["latencyDistribution"] or []
    }


def add_tls(parser):
    """For tls_of()."""
    parser.add_argument("--ca", help="PEM: who signed the server's certificate")
    parser.add_argument("--cert", help="PEM: the client's, where it wants one")
    parser.add_argument("--key", help="PEM: of --cert")


def tls_of(asked):
    """ghz's options for what add_tls() took."""
    given = {"--cacert": asked.ca, "--cert": asked.cert, "--key": asked.key}
    options = [part for pair in given.items() if pair[1] for part in pair]
    return options or PLAIN_TEXT


def requests_file(path):
    """`path`, if there is such a file."""
    if not path.is_file():
        raise Failed(
            f"there is no {path}: train first, or name another file with --requests"
        )
    return path


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", default=ADDRESS)
    add_tls(parser)
    parser.add_argument(
        "--requests",
        type=pathlib.Path,
        default=REQUESTS,
        help="a JSON array of segue.v1.RetrieveRequest; training leaves one in"
        " its run_dir (default: that of deploy/quickstart.sh)",
    )
    parser.add_argument(
        "--calls", type=int, default=20000, help="in all, round the requests"
    )
    parser.add_argument(
        "--connections",
        type=int,
        default=8,
        help="each with one call at a time (default: 8)",
    )
    parser.add_argument(
        "--rate",
        type=int,
        default=0,
        help="calls a second at most (default: as fast as they are answered)",
    )
    parser.add_argument("--json", type=pathlib.Path, help="keeps ghz's own report")
    return parser.parse_args()


def main():
    asked = arguments()
    report = run(
        asked.address,
        requests_file(asked.requests),
        asked.calls,
        asked.connections,
        rate=asked.rate,
        timeout="10s",
        tls=tls_of(asked),
    )
    if asked.json:
        asked.json.write_text(json.dumps(report) + "\n", encoding="utf-8")
    print(f"{report['count']} calls, {report['rps']:.0f} a second")
    slow = [f"p{p} {ms:.2f} ms" for p, ms in tail(report).items() if p in (50, 95, 99)]
    print("latency  " + "  ".join(slow))
    codes = report["statusCodeDistribution"] or {}
    print("codes    " + "  ".join(f"{code} {n}" for code, n in sorted(codes.items())))
    for text, n in (report["errorDistribution"] or {}).items():
        print(f"  {n} x {text}")
    if set(codes) != {"OK"}:
        sys.exit("ghz: not every call was answered")


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"ghz: {error}")
