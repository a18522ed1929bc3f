"""The server under load: processor time a call beside the same service in
Python, latency at that one's peak, where the time goes, other sizes."""

import json

import ghz
from serving import bundles, floor, processes, sizes, swaps, workers
from spread import spread, text

CONNECTIONS = [32, 1]
CALLS = {32: 12000, 1: 3000}
ITEMS = 308000  # of which some 300,000 are ever heard
EVENTS = 15000000
PEER = "python_service"
# Fields of the requests: what they ask for. The peer finds less than either: .21
# of what its own tower asks for, .78 of the exact answer to vectors near items.
TUNED = "overlap as tuned (.97)"
TARGETS = {TUNED: {}, "overlap asked .80": {"target_overlap": 0.80}}


class Load:
    """Runs ghz, ours, an empty server and the peer; remembers nothing."""

    def __init__(self, bench):
        self.bench = bench
        self.folder = bench.folder / "serving"
        self.folder.mkdir(exist_ok=True)

    def ours(self, root, settings=(), admin=False):
        binary = self.bench.build / "bin/segue-server"
        return processes.segue(
            binary, root, self.folder, self.bench.ours, settings, admin
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
        calls = calls or CALLS[connections]
        return processes.load(server, requests, calls, connections, **more)

    def send_peer(self, server, connections):
        folder = self.folder / PEER
        ids = [1, 22, 333, 4444, 5555, 66666, 77777, 88888, 99999, 100000]
        return processes.load(
            server,
            {"user": 5, "history": [*ids, 200000], "k": 100},
            CALLS[connections] // 3,
            connections,
            method="peer.Peer/Retrieve",
            proto=folder / "peer.proto",
            imports=folder,
        )

    def pin(self, server, version):
        """Not by `segue-server admin`, whose start takes processor time that
        the calls beside it would miss."""
        ghz.run(
            server.admin,
            {"version": version},
            calls=1,
            connections=1,
            method="segue.v1.AdminService/PinVersion",
            proto=ghz.PROTO / "segue/v1/admin.proto",
            timeout="120s",
        )

    def requests(self, run, name, history=0, **fields):
        """A run's sample requests with fields of their own, and of the history
        its newest events alone."""
        sample = json.loads((run / "sample_requests.json").read_text())
        for one in sample:
            for part in ["history", "history_times", "historyTimes"]:
                if history and part in one:
                    one[part] = one[part][-history:]
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps([{**one, **fields} for one in sample]))
        return path


def measure(bench):
    if ghz.find() is None:
        bench.skip("the server under load", f"no ghz: {ghz.INSTALL}")
        return
    load = Load(bench)
    root, run = bench.trained(
        "serving", bench.synthetic("data-serving", ITEMS, EVENTS)
    )
    beside_the_peer(bench, load, root, run)
    stages(bench, load, root, run)
    workers.measure(bench, load, root, run)
    swaps.measure(bench, load, root, run)
    sizes.measure(bench, load, root, run)


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
    missing = prepare_peer(bench, load)
    requests = {
        target: load.requests(run, f"requests-{i}", top_k=100, **fields)
        for i, (target, fields) in enumerate(TARGETS.items())
    }
    found = {
        target: found_overlap(load, root, requests[target]) for target in TARGETS
    }
    cases = [(target, c) for target in TARGETS for c in CONNECTIONS]
    ours = {case: [] for case in cases}
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
            load.send(server, requests[TUNED], 32, calls=2000)  # page cache, ghz
            for target, connections in cases:
                ours[target, connections].append(
                    load.send(server, requests[target], connections)
                )
            if not missing:
                peak = theirs[32][-1]
                tails.append(
                    load.send(server, requests[TUNED], 32, rate=peak["rate"])
                )
            resident = server.resident()
        with load.empty() as server:
            for connections in CONNECTIONS:
                empty[connections].append(
                    load.send(server, requests[TUNED], connections)
                )
    bench.figures["serving"] = {
        "ours": {f"{target}, {c}": runs for (target, c), runs in ours.items()},
        "found_overlap": found,
        "empty": empty,
        "peer": theirs,
        "at_peak_of_peer": tails,
        "resident": resident,
    }
    for (target, connections), runs in ours.items():
        what = (
            f"server CPU a call at {connections} connections, {target}: found"
            f" {found[target]:.3f} of the exact answer, us"
        )
        mine = [run["cpu_us"] for run in runs]
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
                "at most .2, better .143"
                if connections == 32
                else "at most .333, better .25",
            )
        bench.add("calls/s", text(spread([run["rate"] for run in runs])))
    for connections in CONNECTIONS:
        bench.add(
            f"an empty gRPC call with the same answer, {connections}"
            " connections, us",
            text(spread([run["cpu_us"] for run in empty[connections]])),
        )
    if tails:
        bench.add(
            f"p99 at the peer's peak of calls/s, {TUNED}, ms",
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
    add_memory(bench, resident, served_bytes(root))


def found_overlap(load, root, requests):
    """The share of the exact answers that such requests find."""
    settings = ["live_overlap_share=1", "live_overlap_processor=0.9"]
    with load.ours(root, settings) as server:
        load.send(server, requests, 1)
        sums = {"sum": 0, "count": 0}
        for name, value in server.series().items():
            for part in sums:
                if name.startswith(f"segue_live_overlap_{part}{{"):
                    sums[part] += value
    return sums["sum"] / sums["count"]


def add_memory(bench, resident, bundle):
    bench.add(
        "resident memory beyond the bundle's bytes, MiB",
        text((resident["all"] - bundle) / 2**20),
        wanted="at most 150",
    )
    bench.add(
        "of it pages of the binary and its libraries, MiB",
        text(resident["files"] / 2**20),
    )


def served_bytes(root):
    files = bundles.content(bundles.current(root))["files"]
    return sum(int(f["bytes"]) for f in files if f.get("served"))


def stages(bench, load, root, run):
    """What a call takes in each stage under load, and in one process."""
    requests = load.requests(run, "requests", top_k=100)
    bench.figures["stages"] = {}
    for connections in CONNECTIONS:
        found = floor.beside(bench, load, root, requests, connections)
        bench.figures["stages"][connections] = found
        what = f"at {connections} connections, {found['batch']:.2f} queries a pass"
        for stage, label in floor.STAGES.items():
            bench.add(
                f"{label}, us a query, {what}",
                f"{found['stages_us'].get(stage, 0):.1f}",
            )
        floor.add(bench, found, what)
