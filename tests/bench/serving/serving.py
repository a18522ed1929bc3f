"""The server under load: processor time a call beside the same service in
Python, latency at that one's peak, where the time goes, other sizes."""

import json
import pathlib
import statistics

from serving import processes
from spread import spread, text

CONNECTIONS = [32, 1]
CALLS = {32: 12000, 1: 3000}
ITEMS = 308000  # of which some 300,000 are ever heard
EVENTS = 15000000
PEER = "python_service"


class Load:
    """Runs ghz, ours, an empty server and the peer; remembers nothing."""

    def __init__(self, bench, ghz):
        self.bench, self.ghz = bench, ghz
        self.folder = bench.folder / "serving"
        self.folder.mkdir(exist_ok=True)
        proto = bench.root / "proto"
        file = proto / "segue/v1/retrieval.proto"
        self.call = (file, proto, "segue.v1.RetrievalService/Retrieve")

    def ours(self, root, settings=()):
        binary = self.bench.build / "bin/segue-server"
        return processes.segue(
            binary, root, self.folder, self.bench.ours, settings
        )

    def empty(self, items=100):
        port = processes.free_port()
        return processes.running(
            [self.bench.folder / "empty_server", port, items],
            port,
            lambda log: "serving" in log,
            self.folder,
            self.bench.ours,
        )

    def peer(self):
        port = processes.free_port()
        return processes.running(
            [self.bench.python, "serve.py", port],
            port,
            lambda log: "serving" in log,
            self.folder / PEER,
            self.bench.theirs,
        )

    def send(self, server, requests, connections, calls=None, **more):
        return processes.load(
            self.ghz,
            server,
            self.call,
            ["--data-file", requests],
            connections,
            calls or CALLS[connections],
            self.folder,
            **more,
        )

    def send_peer(self, server, connections):
        folder = self.folder / PEER
        ids = [1, 22, 333, 4444, 5555, 66666, 77777, 88888, 99999, 100000]
        data = json.dumps({"user": 5, "history": [*ids, 200000], "k": 100})
        return processes.load(
            self.ghz,
            server,
            (folder / "peer.proto", folder, "peer.Peer/Retrieve"),
            ["--data", data],
            connections,
            CALLS[connections] // 3,
            self.folder,
        )

    def requests(self, run, name, **fields):
        """A run's sample requests with fields of their own."""
        sample = json.loads((run / "sample_requests.json").read_text())
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps([{**one, **fields} for one in sample]))
        return path


def measure(bench):
    ghz = processes.find_ghz()
    if ghz is None:
        bench.skip(
            "the server under load",
            "no ghz: go install github.com/bojand/ghz/cmd/ghz@latest",
        )
        return
    load = Load(bench, ghz)
    root, run = bench.trained(
        "serving", bench.synthetic("data-serving", ITEMS, EVENTS)
    )
    beside_the_peer(bench, load, root, run)
    stages(bench, load, root, run)


def prepare_peer(bench, load):
    """Its index and tower, made once; why not, or ""."""
    why = bench.why_no_peer(f"{PEER}/serve.py")
    if why:
        return why
    folder = load.folder / PEER
    if not (folder / "items.faiss").is_file():
        folder.mkdir(exist_ok=True)
        for file in (bench.peers / PEER).iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        generate = ["-m", "grpc_tools.protoc", "-I.", "--python_out=."]
        generate += ["--grpc_python_out=.", "peer.proto"]
        bench.run([bench.python, *generate], bench.theirs, cwd=folder)
        bench.run([bench.python, "build.py"], bench.theirs, cwd=folder)
    return ""


def beside_the_peer(bench, load, root, run):
    requests = load.requests(run, "requests", top_k=100)
    missing = prepare_peer(bench, load)
    ours = {connections: [] for connections in CONNECTIONS}
    empty = {connections: [] for connections in CONNECTIONS}
    theirs = {connections: [] for connections in CONNECTIONS}
    tails = []
    for _ in range(bench.pairs):
        if not missing:
            with load.peer() as server:
                for connections in CONNECTIONS:
                    theirs[connections].append(
                        load.send_peer(server, connections)
                    )
        with load.ours(root) as server:
            load.send(server, requests, 32, calls=2000)  # page cache, ghz
            for connections in CONNECTIONS:
                ours[connections].append(
                    load.send(server, requests, connections)
                )
            if not missing:
                peak = theirs[32][-1]
                tails.append(
                    load.send(server, requests, 32, rate=peak["rate"])
                )
            resident = server.resident_bytes()
        with load.empty() as server:
            for connections in CONNECTIONS:
                empty[connections].append(
                    load.send(server, requests, connections)
                )
    bench.figures["serving"] = {
        "ours": ours,
        "empty": empty,
        "peer": theirs,
        "at_peak_of_peer": tails,
        "resident_bytes": resident,
    }
    for connections in CONNECTIONS:
        what = f"server CPU a call at {connections} connections, us"
        mine = [run["cpu_us"] for run in ours[connections]]
        calls = [run["rate"] for run in ours[connections]]
        if missing:
            bench.add(what, text(spread(mine)))
            bench.skip(f"{what}: the peer", missing)
        else:
            other = [run["cpu_us"] for run in theirs[connections]]
            bench.add(
                what,
                text(spread(mine)),
                text(spread(other)),
                text(spread([m / o for m, o in zip(mine, other)])),
                "at most .2, better .143" if connections == 32 else
                "at most .333, better .25",
            )
        bench.add(
            f"an empty gRPC call with the same answer, {connections}"
            " connections, us",
            text(spread([run["cpu_us"] for run in empty[connections]])),
        )
        bench.add(f"calls/s at {connections} connections", text(spread(calls)))
    if tails:
        bench.add(
            "p99 at the peer's peak of calls/s, ms",
            text(spread([run["p99_ms"] for run in tails])),
            text(spread([run["p99_ms"] for run in theirs[32]])),
            text(
                spread(
                    [
                        m["p99_ms"] / o["p99_ms"]
                        for m, o in zip(tails, theirs[32])
                    ]
                )
            ),
            "at most .125",
        )
    failed = sum(one["failed"] for runs in ours.values() for one in runs)
    bench.add("calls that failed", text(failed + sum(t["failed"] for t in tails)))
    size = served_bytes(root)
    bench.add(
        "resident memory beyond the bundle's bytes, MiB",
        text((resident - size) / 2**20),
        wanted="at most 150",
    )


def served_bytes(root):
    folder = root / (root / "CURRENT").read_text().strip()
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    files = manifest["content"]["files"]
    return sum(int(f["bytes"]) for f in files if f.get("served"))


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


def stages(bench, load, root, run):
    """What a call takes in each stage under load, and in one process."""
    requests = load.requests(run, "requests", top_k=100)
    bundle = root / (root / "CURRENT").read_text().strip()
    table = {}
    for connections in CONNECTIONS:
        with load.ours(root) as server:
            load.send(server, requests, 32, calls=2000)
            before = server.series()
            sent = load.send(server, requests, connections)
            sums, passes, queries = stage_sums(before, server.series())
        with load.empty() as server:
            empty = load.send(server, requests, connections)
        batch = queries / passes
        alone = in_process(bench, bundle, requests, connections)
        floor = interpolate(alone["embed_and_search"], batch) + empty["cpu_us"]
        table[connections] = {
            "batch": batch,
            "cpu_us": sent["cpu_us"],
            "empty_us": empty["cpu_us"],
            "stages_us": {
                stage: 1e6 * seconds / queries for stage, seconds in sums.items()
            },
            "in_process_us": alone,
        }
        what = f"at {connections} connections, {batch:.2f} queries a pass"
        for stage, label in STAGES.items():
            bench.add(
                f"{label}, us a query, {what}",
                f"{1e6 * sums.get(stage, 0) / queries:.1f}",
            )
        bench.add(
            f"server CPU a call by that of embed and search in one process and"
            f" an empty call, {what}",
            f"{sent['cpu_us']:.0f}",
            f"{floor:.0f}",
            text(sent["cpu_us"] / floor),
            "at most 1.35",
        )
    bench.figures["stages"] = table


def in_process(bench, bundle, requests, connections):
    """Processor time a query, us: a number, or one by size of the batch."""
    threads = 1 if connections == 1 else 2
    output = bench.run(
        [
            bench.folder / "stages_bench",
            *["--bundle", bundle, "--requests", requests],
            *["--threads", threads, "--benchmark_format=json"],
            *["--benchmark_repetitions=3", "--benchmark_min_time=0.3"],
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
