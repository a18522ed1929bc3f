"""Latency while one bundle takes the place of another, beside that between."""

import datetime
import os
import shutil
import threading
import time

from serving import bundles
from spread import text

RATE = 2000  # calls a second, begun at their times
SWAPS = 8
BETWEEN_SECONDS = 4
CONNECTIONS = 32


def measure(bench, load, root, run):
    two = two_versions(bench, load, root)
    requests = load.requests(run, "requests", top_k=100)
    # Nothing is held: each swap reads, verifies, loads and warms up.
    with load.ours(two, ["hold_previous=false"], admin=True) as server:
        load.send(server, requests, CONNECTIONS, calls=4000)
        windows = []
        swapping = threading.Thread(target=swap, args=(load, server, two, windows))
        swapping.start()
        seconds = SWAPS * (BETWEEN_SECONDS + 3)
        sent = load.send(
            server,
            requests,
            CONNECTIONS,
            calls=RATE * seconds,
            rate=RATE,
            details=True,
        )
        swapping.join()
        reloads = server.series()['segue_bundle_reloads_total{outcome="success"}']
    assert reloads - 1 == SWAPS, f"{reloads - 1:g} of {SWAPS} pins were followed"
    inside, outside = [], []
    for call in sent.pop("details"):
        began, took = when(call)
        during = any(a <= began + took and began <= b for a, b in windows)
        (inside if during else outside).append(took * 1e3)
    seconds = [end - begin for begin, end in windows]
    bench.figures["swaps"] = {
        **sent,
        "windows_s": seconds,
        "p99_inside_ms": p99(inside),
        "p99_outside_ms": p99(outside),
    }
    bench.add(
        f"p99 while a bundle is swapped in ({reloads - 1:g} times,"
        f" {sum(seconds) / len(seconds):.1f} s each) at {RATE:,} calls/s, ms; peer:"
        " p99 between swaps",
        text(p99(inside)),
        text(p99(outside)),
        text(p99(inside) / p99(outside)),
        "at most 1.2",
    )
    bench.add("calls that failed meanwhile", text(sent["failed"]))


def two_versions(bench, load, root):
    """A root with the bundle and one of the same towers that knows more items."""
    two = load.folder / "swapping"
    if not (two / "CURRENT").is_file():
        shutil.rmtree(two, ignore_errors=True)
        bundle = bundles.current(root)
        shutil.copytree(bundle, two / bundle.name, copy_function=os.link)
        items = bench.folder / "data-serving/items.parquet"
        bench.run(
            [
                *[bench.build / "bin/segue-trainer", "refresh"],
                *["--bundle", root, "--items", items, "--max-dead", "0.3"],
                *["--set", f"bundle_root={two}"],
            ],
            bench.ours,
        )
    return two


def swap(load, server, root, windows):
    """Pins one version after the other; a window is from the command until it is
    answered, which is when the version serves."""
    versions = sorted(p.name for p in root.iterdir() if p.is_dir())
    for i in range(SWAPS):
        time.sleep(BETWEEN_SECONDS)
        begin = time.time()
        load.pin(server, versions[i % 2])
        windows.append((begin, time.time()))


def when(call):
    """When a call of ghz's report began, and how long it took, s."""
    ended = datetime.datetime.fromisoformat(call["timestamp"][:26].rstrip("Z"))
    ended = ended.replace(tzinfo=datetime.timezone.utc).timestamp()
    took = call["latency"] / 1e9
    return ended - took, took


def p99(values):
    return sorted(values)[int(0.99 * len(values))]
