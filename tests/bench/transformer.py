"""Training a transformer, beside the same in PyTorch (the peer transformer.py)."""

import collections
import csv
import gzip
import json
import re
import shutil
import statistics

from spread import spread, text

Case = collections.namedtuple(
    "Case",
    "data width length dropout negatives sequences steps minutes",
)

# What transformer.py is known to be run with; `steps` and `minutes` are how
# long either side goes on.
CASES = [
    Case("beauty", 64, 50, 0.5, 2048, 512, 130, 0.4),
    Case("ml-1m", 128, 200, 0.2, 0, 32, 100, 0.1),
]


def compare(bench):
    """Adds a row for each case to a Bench."""
    missing = bench.why_no_peer("transformer.py")
    for case in CASES:
        what = (
            f"transformer, {case.data} (width {case.width}, {case.length}"
            f" events, "
            + (
                f"{case.negatives} negatives"
                if case.negatives
                else "full softmax"
            )
            + "), targets/s"
        )
        events = bench.data / case.data / "events.csv.gz"
        if not events.is_file():
            bench.skip(what, f"there is no {events} (SEGUE_DATA)")
            continue
        compare_case(bench, case, what, events, missing)


def compare_case(bench, case, what, events, missing):
    batch = targets_a_step(events, case)
    ours, theirs = [], []
    for _ in range(bench.pairs):
        ours.append(ours_of(bench, case, events, batch))
        if not missing:
            theirs.append(theirs_of(bench, case))
    bench.figures.setdefault("transformer", {})[case.data] = {
        "targets_a_step": batch,
        "ours": ours,
        "peer": theirs,
    }
    if missing:
        bench.add(what, text(spread(ours)))
        bench.skip("the same in PyTorch", missing)
        return
    ratios = [own / peer for own, peer in zip(ours, theirs)]
    bench.add(
        what,
        text(spread(ours)),
        text(spread(theirs)),
        text(spread(ratios)),
        "at least 1",
    )


def ours_of(bench, case, events, batch):
    run = bench.folder / "transformer"
    shutil.rmtree(run, ignore_errors=True)
    loss = (
        ["negatives=UNIFORM", f"uniform_negatives={case.negatives}"]
        if case.negatives
        else ["negatives=FULL"]
    )
    assignments = [
        f"run_dir={run}",
        f"bundle_root={run}/bundles",
        f"events.path={events}",
        f"items.embedding_width={case.width}",
        f"window.history_length={case.length}",
        f"model.encoder.width={case.width}",
        f"model.encoder.dropout={case.dropout}",
        f"model.layers=[{case.width}]",
        f"training.batch_size={batch}",
        f"training.max_steps={case.steps}",
    ] + [f"training.loss.{setting}" for setting in loss]
    command = [bench.build / "bin/segue-trainer", "train", "--config"]
    command.append(bench.root / "tests/bench/transformer.textproto")
    for assignment in assignments:
        command += ["--set", assignment]
    bench.run(command, bench.ours)
    with open(run / "report.json", encoding="utf-8") as file:
        return json.load(file)["training"]["examples_per_second"]


def theirs_of(bench, case):
    arguments = [bench.data / case.data, "--every", 1000]
    for name, value in [
        ("width", case.width),
        ("length", case.length),
        ("dropout", case.dropout),
        ("negatives", case.negatives),
        ("batch", case.sequences),
        ("minutes", case.minutes),
    ]:
        arguments += [f"--{name}", value]
    line = bench.peer("transformer.py", *arguments)
    return float(re.search(r"(\d+) tokens/s", line).group(1))


def targets_a_step(events, case):
    """As many as the peer's batches of sequences hold on average: a user's last
    two events are no targets, the first one has nothing before it."""
    with gzip.open(events, "rt", encoding="utf-8") as file:
        counts = collections.Counter(row["uid"] for row in csv.DictReader(file))
    targets = [min(n - 3, case.length) for n in counts.values() if n >= 4]
    return round(case.sequences * statistics.mean(targets))
