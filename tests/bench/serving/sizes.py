"""What a call costs at other sizes than those beside the peer: catalogues,
answers, batches, histories under a transformer. Each beside its own floor."""

import json

from serving import bundles, floor
from spread import text

SMALL = ("serving-small", 10000, 500000)  # name, items, events
BATCH = 100
BATCH_RETRIEVE = "segue.v1.RetrievalService/BatchRetrieve"
HISTORIES = [1, 50, 200]
TOP_KS = [10, 1000]
# The seed's towers, but for a query tower that reads 200 events in their order.
TRANSFORMER = [
    "window.history_length=200",
    "model.encoder.kind=TRANSFORMER",
    "training.max_steps=300",
    "publish.beat_popularity=false",  # it is here for what it costs
]


def measure(bench, load, root, run):
    """`root`, `run`: of the bundle that is held beside the peer."""
    bench.figures["sizes"] = {}
    requests = load.requests(run, "requests", top_k=100)
    for k in TOP_KS:
        one(
            bench,
            load,
            root,
            load.requests(run, f"top-{k}", top_k=k),
            f"k = {k}",
            items=k,
        )
    batches(bench, load, root, requests)
    name, items, events = SMALL
    data = bench.synthetic(f"data-{name}", items, events)
    small, its_run = bench.trained(name, data)
    one(
        bench,
        load,
        small,
        load.requests(its_run, "small", top_k=100),
        catalogue(small),
    )
    large, its_run = bench.trained("index", bench.synthetic())
    one(
        bench,
        load,
        large,
        load.requests(its_run, "large", top_k=100),
        catalogue(large),
    )
    reader, its_run = bench.trained("serving-transformer", data, TRANSFORMER)
    for length in HISTORIES:
        one(
            bench,
            load,
            reader,
            load.requests(its_run, f"history-{length}", length, top_k=100),
            f"{catalogue(reader)}, a transformer, {length} events",
        )


def one(bench, load, root, requests, what, items=100):
    for connections in [32, 1]:
        found = floor.beside(
            bench, load, root, requests, connections, items, "embed_and_search"
        )
        found["what"] = what
        bench.figures["sizes"][f"{what}, {connections}"] = found
        floor.add(
            bench,
            found,
            f"{what}, {connections} connections, {found['batch']:.2f} queries a"
            " pass",
        )


def catalogue(root):
    items = bundles.content(bundles.current(root))["items"]
    return f"{int(items):,} items"


def batches(bench, load, root, requests):
    """BatchRetrieve, by the query, beside Retrieve."""
    queries = json.loads(requests.read_text())
    queries *= BATCH // len(queries) + 1
    path = requests.with_name("batches.json")
    path.write_text(json.dumps([{"requests": queries[:BATCH]}]))
    for connections in [4, 1]:
        with load.ours(root) as server:
            load.send(server, path, connections, 20, method=BATCH_RETRIEVE)
            sent = load.send(
                server, path, connections, 200, method=BATCH_RETRIEVE
            )
        bench.figures["sizes"][f"batches, {connections}"] = sent
        bench.add(
            f"server CPU a query of BatchRetrieve of {BATCH}, {connections}"
            " connections, us; p99 of a batch, ms",
            text(sent["cpu_us"] / BATCH),
            text(sent["p99_ms"]),
        )
