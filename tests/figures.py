#!/usr/bin/python3
"""Prints the figures of a run's report.json that people compare.

tests/figures.py runs/movielens/report.json [...]
"""

import json
import sys


def row(name, figures, ks):
    cells = (f"{figures.get(k, float('nan')):8.4f}" for k in ks)
    return f"  {name:<26}" + "".join(cells)


def show(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    test = report["evaluation"]["test"]
    ks = sorted(test["exact"]["recall"], key=int)
    training = report["training"]
    print(f"{path}: {report['dataset']}")
    print(
        f"  {training['examples_per_second']:.0f} examples/s,"
        f" {training['seconds']:.0f} s of training"
    )
    print("  " + " " * 26 + "".join(f"{'@' + k:>8}" for k in ks))
    for name, part in [
        ("exact", test["exact"]),
        ("index", test.get("ann", {})),
    ] + sorted(test.get("baselines", {}).items()):
        for metric in ["recall", "ndcg", "overlap"]:
            if part.get(metric):
                print(row(f"{name} {metric}", part[metric], ks))
    if test.get("lost_to"):
        print(f"  loses to {', '.join(test['lost_to'])}")


if len(sys.argv) < 2:
    sys.exit(__doc__)
for argument in sys.argv[1:]:
    show(argument)
