"""What a call costs beside what it has to: embed and search in one process, and a
gRPC call that does nothing, as often."""

import json
import statistics

from serving import bundles
from spread import text

STAGES = {
    "decode": "decode",
    "queue": "queue",
    "resolve": "resolve",
    "filter": "filter",
    "embed": "embed",
    "search": "search, refinement included",
    "refine": "of it refine",
    "encode": "encode",
}


def beside(bench, load, root, requests, connections, items=100, what="."):
    """Figures of one load. `items`: how many an answer has; `what`: which of
    stages_bench's figures, a pattern."""
    bundle = bundles.current(root)
    with load.ours(root) as server:
        load.send(server, requests, connections, calls=1000)  # page cache, ghz
        before = server.series()
        sent = load.send(server, requests, connections)
        sums, passes, queries = stage_sums(before, server.series())
    with load.empty(items) as server:
        # At as many calls a second: a server that is flooded takes many each
        # time that it wakes up, one that is not wakes up for each.
        empty = load.send(server, requests, connections, rate=sent["rate"])
    batch = queries / passes
    alone = in_process(bench, bundle, requests, connections, what)
    return {
        "batch": batch,
        "sent": sent,
        "empty_us": empty["cpu_us"],
        "stages_us": {
            stage: 1e6 * seconds / queries for stage, seconds in sums.items()
        },
        "in_process_us": alone,
        "floor_us": interpolate(alone["embed_and_search"], batch)
        + empty["cpu_us"],
    }


def add(bench, found, what):
    """A row of a Bench."""
    cpu = found["sent"]["cpu_us"]
    bench.add(
        "server CPU a call, us, by that of embed and search in one process and an"
        f" empty call at the same calls/s, {what}",
        f"{cpu:.0f}",
        f"{found['floor_us']:.0f}",
        text(cpu / found["floor_us"]),
        "at most 1.35",
    )


def stage_sums(before, after):
    """Seconds by stage, passes of the tower, and queries."""
    sums = {}
    for name, value in after.items():
        for stage in STAGES:
            if "duration_seconds_sum{" in name and f'stage="{stage}"' in name:
                sums[stage] = sums.get(stage, 0) + value - before.get(name, 0)
    passes, queries = (
        after[name] - before.get(name, 0)
        for name in [
            "segue_embed_batch_queries_count",
            "segue_embed_batch_queries_sum",
        ]
    )
    return sums, passes, queries


def in_process(bench, bundle, requests, connections, what):
    """Processor time a query, us: a number, or one by size of the batch."""
    threads = 1 if connections == 1 else 2
    output = bench.run(
        [
            bench.folder / "stages_bench",
            *["--bundle", bundle, "--requests", requests],
            *["--threads", threads, "--benchmark_format=json"],
            *["--benchmark_repetitions=3", "--benchmark_min_time=0.3"],
            f"--benchmark_filter={what}",
        ],
        bench.ours,
    )
    runs = {}
    for one in json.loads(output)["benchmarks"]:
        if one["run_type"] != "iteration":
            continue
        name, *rest = one["name"].split("/")
        size = int(rest[0]) if rest and rest[0].isdigit() else 0
        # Of all threads together: by wall time an iteration of each.
        time = one["real_time"] / max(size, 1)
        if "manual_time" not in one["name"]:
            time = one["cpu_time"] / max(size, 1)
        runs.setdefault(name, {}).setdefault(size, []).append(time)
    return {
        name: {size: statistics.median(times) for size, times in sizes.items()}
        for name, sizes in runs.items()
    }


def interpolate(by_size, size):
    below = max(s for s in by_size if s <= size)
    above = min((s for s in by_size if s >= size), default=below)
    if above == below:
        return by_size[below]
    share = (size - below) / (above - below)
    return by_size[below] * (1 - share) + by_size[above] * share
