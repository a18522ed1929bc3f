"""How many workers a server should have, and whether each should be bound to a
processor of its own."""

import os
import pathlib

from spread import spread, text

CONNECTIONS = 32


def measure(bench, load, root, run):
    """Beside as many as there are processors, unbound: what a server chooses."""
    requests = load.requests(run, "requests", top_k=100)
    processors = len(os.sched_getaffinity(0))
    chosen = (processors, False)
    cases = [(count, False) for count in sorted({1, 2, 3, 4, processors})]
    cases.append((processors, True))
    runs = {case: [] for case in cases}
    for _ in range(bench.pairs):
        for count, bound in cases:
            settings = [f"worker_threads={count}"]
            with load.ours(root, settings) as server:
                if bound:
                    bind(server)
                load.send(server, requests, CONNECTIONS, calls=2000)
                runs[count, bound].append(
                    load.send(server, requests, CONNECTIONS)
                )
    bench.figures["workers"] = {
        f"{count}{', bound' if bound else ''}": runs[count, bound]
        for count, bound in cases
    }
    for count, bound in cases:
        for field, what in {
            "rate": "calls/s",
            "cpu_us": "server CPU a call, us",
            "p99_ms": "p99, ms",
        }.items():
            mine = [one[field] for one in runs[count, bound]]
            usual = [one[field] for one in runs[chosen]]
            bench.add(
                f"{count} workers{', a processor each' if bound else ''},"
                f" {CONNECTIONS} connections: {what}; peer: as many as there are"
                " processors",
                text(spread(mine)),
                text(spread(usual)),
                text(spread([m / u for m, u in zip(mine, usual)])),
            )


def bind(server):
    """Each worker to one of the processors, in turn."""
    processors = sorted(os.sched_getaffinity(server.process.pid))
    threads = pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()
    workers = [
        int(thread.name)
        for thread in threads
        if (thread / "comm").read_text().startswith("worker-")
    ]
    assert workers, "no thread is called worker-"
    for i, thread in enumerate(sorted(workers)):
        os.sched_setaffinity(thread, {processors[i % len(processors)]})
