"""The index over vectors of trained towers: overlap and time beside other
indexes, filters, cost by size, loading, start-up, refreshing."""

import json
import time

from serving import bundles, processes
from spread import spread, text

# How many vectors the figures are of, and how many the cost is shown for.
ITEMS = 877168
COST_ITEMS = [100000, 1000000, 5000000]
FLAT = "FAISS Flat"
LEAST_OVERLAP = {10: 0.96, 100: 0.95}


def measure(bench):
    """Adds the rows of all of these to a Bench."""
    root, run = bench.trained("index", bench.synthetic())
    bundle = bundles.current(root)
    inputs = ["--bundle", bundle, "--requests", run / "sample_requests.json"]
    folder = ["--work", bench.folder]
    search(bench, [*inputs, *folder, "--items", ITEMS])
    load(bench)
    filters(bench, inputs)
    start(bench, bundle)
    refresh(bench, bundle)
    cost(bench, [*inputs, *folder])


def lines(bench, *arguments):
    """What index_bench prints."""
    output = bench.run([bench.folder / "index_bench", *arguments], bench.ours)
    return [json.loads(line) for line in output.splitlines()]


def by_name(found, what):
    return [line for line in found if line["what"] == what]


def search(bench, inputs):
    found = lines(bench, "search", *inputs)
    bench.figures["index"] = found
    (build,) = by_name(found, "build")
    bench.add(
        f"{ITEMS:,} x 128 vectors of trained towers in {build['name']}, searched"
        f" with nprobe {build['nprobe']}, k_factor {build['k_factor']}: bytes an"
        " item",
        text(build["bytes_per_item"]),
        wanted="at most 230",
    )
    bench.add(
        "building it, s", text(build["construct_seconds"]), wanted="at most 240"
    )
    bench.add(
        "choosing and tuning it, s",
        text(build["tune_seconds"]),
        wanted="at most 360",
    )
    bench.add(
        "peak memory by that of the vectors",
        text(build["peak_gb"] / build["vectors_gb"]),
        wanted="at most 2",
    )
    peers = by_name(found, "peer")
    for line in peers:
        if line["name"] != FLAT:
            continue
        k, target = int(line["k"]), line["target"]
        bench.add(
            f"overlap@{k} with the exact answer, of a request with"
            f" target_overlap {target:g}",
            f"{line['overlap_segue']:.4f}",
            wanted=f"at least {LEAST_OVERLAP[k]:g}",
        )
        bench.add(
            "its search, one thread, us; peer: IndexFlatIP",
            text(line["microseconds_segue"]),
            text(line["microseconds"]),
            text(line["times_slower_than_segue"]),
            "at least 20 times, better 40",
        )
    for line in peers:
        if line["name"] == FLAT:
            continue
        bench.add(
            f"a search of {line['k']:g} that finds {line['overlap_segue']:.4f};"
            f" peer: {line['name']} at setting {line['setting']:g},"
            f" {line['overlap']:.4f}, {line['bytes_per_item']:.0f} bytes an item,"
            f" built in {line['build_seconds']:.0f} s",
            text(line["microseconds_segue"]),
            text(line["microseconds"]),
            text(line["times_slower_than_segue"]),
        )


def load(bench):
    for mapped in [False, True]:
        arguments = ["--index", bench.folder / "bench.faiss"]
        runs = [
            lines(bench, "load", *arguments, *(["--mapped"] if mapped else []))
            for _ in range(bench.pairs)
        ]
        runs = [line for (line,) in runs]
        bench.add(
            f"loading the index, {runs[0]['name']}, s",
            text(spread([run["seconds"] for run in runs])),
        )
        bench.add(
            "resident bytes an item after it",
            text(runs[0]["resident_bytes_per_item"]),
        )


def filters(bench, inputs):
    found = lines(bench, "filters", *inputs)
    bench.figures["filters"] = found
    for line in by_name(found, "filter"):
        ways = {
            way: line[f"by_{way}"]
            for way in ["more_candidates", "cells", "exact"]
            if line[f"by_{way}"] > 0
        }
        bench.add(
            f"filter that keeps {line['share']:.2%}, {line['name']}: overlap@100",
            f"{line['overlap']:.4f}",
            wanted="at least .95",
        )
        bench.add(
            "its search by one without, us; found by "
            + ", ".join(f"{way} {share:.0%}" for way, share in ways.items()),
            text(line["microseconds"]),
            ratio=text(line["times_unfiltered"]),
            wanted="at most 3 times",
        )
    for line in by_name(found, "diversity"):
        bench.add(
            f"diversity by {line['name']}, us by a search without",
            text(line["microseconds"]),
            ratio=text(line["times_without"]),
        )


def start(bench, bundle):
    """From the start of the server until it answers (it has warmed up on real
    requests before it says so)."""
    binary = bench.build / "bin/segue-server"
    seconds = []
    for _ in range(bench.pairs):
        begin = time.monotonic()
        with processes.segue(binary, bundle.parent, bench.folder, bench.ours):
            seconds.append(time.monotonic() - begin)
    items = bundles.content(bundle)["items"]
    bench.add(
        f"segue-server until it answers from {int(items):,} items, s",
        text(spread(seconds)),
        wanted="at most 5",
    )


def refresh(bench, bundle):
    """The items that nobody listened to join the bundle."""
    data = bench.synthetic()
    root = bench.folder / "index/refreshed"
    begin = time.monotonic()
    output = bench.run(
        [
            *[bench.build / "bin/segue-trainer", "refresh"],
            *["--bundle", bundle, "--items", data / "items.parquet"],
            *["--set", f"bundle_root={root}", "--max-dead", "0.3"],
        ],
        bench.ours,
    )
    seconds = time.monotonic() - begin
    report = json.loads(output)
    bench.figures["refresh"] = report
    begin = time.monotonic()
    bench.run(
        [
            *[bench.build / "bin/segue-trainer", "index"],
            *["--bundle", bundle, "--set", f"bundle_root={root}"],
        ],
        bench.ours,
    )
    whole = time.monotonic() - begin
    bench.add(
        f"refresh with {report['added']:,} new items, s; peer: embed, build and"
        " publish all",
        text(seconds),
        text(whole),
        text(seconds / whole),
        "at most .1 for 1 %",
    )
    bench.add(
        "what of the new items in exact answers it finds",
        f"{report['new_overlap']:.4f}",
    )


def cost(bench, inputs):
    points = []
    for items in COST_ITEMS:
        found = lines(bench, "cost", *inputs, "--items", items)
        (build,) = by_name(found, "build")
        (line,) = by_name(found, "cost")
        points.append({**build, **line})
        bench.add(
            f"{items:,} items: overlap@100 {line['overlap']:.4f},"
            f" {build['bytes_per_item']:.0f} bytes an item, built in"
            f" {build['construct_seconds']:.0f} s; a search, us",
            text(line["microseconds"]),
        )
    bench.figures["cost"] = points
