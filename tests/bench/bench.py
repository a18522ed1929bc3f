#!/usr/bin/python3
"""Prints how fast trainer, index and server are, beside their peers in the same run.

cmake --build build/release --target bench         all parts, three hours
tests/bench/bench.py --build build/release [PART...]

PART: step, rows, embed, read, transformer, index, serving. Writes bench.json and
bench.html to the build's bench/ folder. Each figure is a median over repetitions
with the lowest and the highest; peers take turns with ours, and a ratio is the
median of those of the pairs: figures of different runs do not compare. Put
nothing else on the processors.

  SEGUE_PEERS        folder with the peers: seed_training.py, a dense step of
                     the seed notebook in PyTorch, transformer.py, and
                     python_service/; default: ../shared/bench
  SEGUE_PEER_PYTHON  a Python that has torch and numpy, and for python_service
                     faiss and grpc; default: python3
  SEGUE_DATA         folder with beauty/ and ml-1m/ (events.csv.gz); default:
                     ../shared/data, else data

What is not there is said to be SKIPPED.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import page
import index
import transformer
from serving import serving
from spread import spread, text

Row = collections.namedtuple("Row", "what figure peer ratio wanted")


class Bench:
    root = pathlib.Path(__file__).resolve().parents[2]

    def __init__(self, arguments):
        self.build = pathlib.Path(arguments.build).resolve()
        self.folder = self.build / "bench"
        self.pairs = arguments.pairs
        shared = self.root.parent / "shared"
        self.peers = pathlib.Path(
            os.environ.get("SEGUE_PEERS", shared / "bench")
        )
        data = shared / "data"
        if not data.is_dir():
            data = self.root / "data"
        self.data = pathlib.Path(os.environ.get("SEGUE_DATA", data))
        self.python = os.environ.get("SEGUE_PEER_PYTHON", "python3")
        # As segue-trainer starts itself.
        self.ours = {"OMP_WAIT_POLICY": "passive", **os.environ}
        # Settings of the distribution's OpenBLAS say nothing to a wheel's MKL.
        self.theirs = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("OPENBLAS_")
        }
        self.rows = []
        self.figures = {}

    def run(self, command, environment, cwd=None):
        command = [str(part) for part in command]
        print("  $", " ".join(command), file=sys.stderr, flush=True)
        done = subprocess.run(
            command,
            env=environment,
            cwd=cwd or self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        if done.returncode != 0:
            sys.exit(f"{command[0]} failed:\n{done.stderr}")
        return done.stdout

    def bench(self, *arguments):
        """The lines that trainer_bench prints."""
        output = self.run(
            [self.folder / "trainer_bench", *arguments], self.ours
        )
        return [json.loads(line) for line in output.splitlines()]

    def peer(self, name, *arguments):
        """What the last line of a peer's output says."""
        output = self.run(
            [self.python, self.peers / name, *arguments], self.theirs
        )
        return output.splitlines()[-1]

    def why_no_peer(self, name):
        """"", or what is missing."""
        if not (self.peers / name).is_file():
            return f"there is no {self.peers / name} (SEGUE_PEERS)"
        if shutil.which(self.python) is None or subprocess.run(
            [self.python, "-c", "import torch, numpy"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode:
            return f"{self.python} has no torch (SEGUE_PEER_PYTHON)"
        return ""

    def add(self, what, figure, peer="", ratio="", wanted=""):
        row = Row(what, figure, peer, ratio, wanted)
        self.rows.append(row)
        print(" | ".join(part for part in row if part), flush=True)

    def skip(self, what, why):
        self.add(what, f"SKIPPED: {why}")

    # ---- parts

    def step(self):
        missing = self.why_no_peer("seed_training.py")
        ours, theirs = [], []
        for _ in range(self.pairs):
            ours += self.bench("step")
            if not missing:
                found = re.fullmatch(
                    r"([\d.]+) s/step +(\d+) examples/s +([\d.]+) GB peak",
                    self.peer("seed_training.py").strip(),
                )
                theirs.append([float(part) for part in found.groups()])
        rates = [run["batch"] / run["seconds"]["median"] for run in ours]
        # Steps of constant batches, and their time by that of the others.
        gains = [
            run["seconds"]["median"] / run["seconds_constant_batch"]["median"]
            for run in ours
        ]
        shares = [run["share_of_matrix_products"]["median"] for run in ours]
        self.figures["step"] = {"ours": ours, "peer": theirs}
        what = "training step at the seed's sizes, examples/s"
        memory = "its peak memory, GB"
        if missing:
            self.add(what, text(spread(rates)))
            self.add(memory, text(max(run["peak_gb"] for run in ours)))
            self.skip("the same, dense in PyTorch", missing)
        else:
            ratios = [o / t[1] for o, t in zip(rates, theirs)]
            self.add(
                what,
                text(spread(rates)),
                text(spread([t[1] for t in theirs])),
                text(spread(ratios)),
                "at least 12 times",
            )
            own = max(run["peak_gb"] for run in ours)
            dense = min(t[2] for t in theirs)
            self.add(memory, text(own), text(dense), text(own / dense), "less")
        self.add(
            "share of the step in matrix products (time in torch's mm and"
            " addmm, by its profiling hook)",
            text(spread(shares)),
            wanted="at least .7",
        )
        self.add(
            "steps/s on one constant batch, by those on drawn ones",
            text(spread(gains)),
            wanted="at most 1.05",
        )

    def rows_of_tables(self):
        self.figures["rows"] = series = {
            "drawn as the seed's": self.bench("rows"),
            "drawn evenly": self.bench("rows", "--evenly"),
        }
        for name, steps in series.items():
            for step in steps:
                self.add(
                    f"step with {step['rows'] / 1e6:g}M rows of tables,"
                    f" {name}, s",
                    text(step["seconds"]),
                )
            # Drawn evenly is the worst that can be, not what data are like.
            self.add(
                f"the last by that with {steps[0]['rows'] / 1e6:g}M",
                text(steps[-1]["by_first"]),
                wanted="" if "evenly" in name else ".9 to 1.1",
            )

    def embed(self):
        (result,) = self.bench("embed")
        self.figures["embed"] = result
        self.add(
            f"vectors of {result['items']:,.0f} items, s",
            text(result["seconds"]),
            wanted="at most 25",
        )

    def synthetic(self, name="data", items=934057, events=46467212):
        """Listens of Yambda's shape, by default of Yambda-50M's; made once."""
        folder = self.folder / name
        if not folder.is_dir():
            aside = self.folder / f"{name}.part"
            shutil.rmtree(aside, ignore_errors=True)
            sizes = ["--users", 10000, "--items", items, "--events", events]
            self.run(
                [self.build / "bin/segue-trainer", "synth", "--out", aside]
                + sizes,
                self.ours,
            )
            aside.rename(folder)
        return folder

    def trained(self, name, data, settings=()):
        """The root of a bundle of the seed's model over synthetic listens, and
        its run; made once."""
        folder = self.folder / name
        run = folder / "run"
        if not (folder / "bundles/CURRENT").is_file():
            command = [self.build / "bin/segue-trainer", "train", "--config"]
            command.append(self.root / "deploy/config/yambda.textproto")
            for assignment in [
                f"events.path={data}/listens.parquet",
                f"items.features[0].mapping_path={data}/artist_item_mapping.parquet",
                f"items.features[1].mapping_path={data}/album_item_mapping.parquet",
                f"items.path={data}/items.parquet",
                "items.display_columns=title",
                f"run_dir={run}",
                f"bundle_root={folder}/bundles",
                "window.max_windows_per_user=400",
                "training.epochs=1",
                "evaluation.max_queries=2000",
                *settings,
            ]:
                command += ["--set", assignment]
            self.run(command, self.ours)
        return folder / "bundles", run

    def read(self):
        folder = self.synthetic()
        arguments = ["--config", self.root / "deploy/config/yambda.textproto"]
        for assignment in [
            f"events.path={folder}/listens.parquet",
            f"items.features[0].mapping_path={folder}/"
            "artist_item_mapping.parquet",
            f"items.features[1].mapping_path={folder}/"
            "album_item_mapping.parquet",
        ]:
            arguments += ["--set", assignment]
        runs = []
        for _ in range(self.pairs):
            runs += self.bench("read", *arguments)
        self.figures["read"] = runs
        self.add(
            f"{runs[0]['events']:,.0f} listens read, ordered, split and ready"
            " to draw from, s",
            text(spread([run["seconds"] for run in runs])),
            wanted="at most 90",
        )
        self.add(
            "its peak memory, GB",
            text(max(run["peak_gb"] for run in runs)),
            wanted="at most 4.29 (4 GiB)",
        )


PARTS = {
    "step": Bench.step,
    "rows": Bench.rows_of_tables,
    "embed": Bench.embed,
    "read": Bench.read,
    "transformer": transformer.compare,
    "index": index.measure,
    "serving": serving.measure,
}


def show(rows):
    head = Row("what", "ours", "peer", "ratio", "wanted")
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    for row in [head, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths))
        print("  ".join(cells).rstrip())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--build", required=True, help="the build's folder")
    parser.add_argument("--chart-js", default=page.CHART_JS)
    parser.add_argument("--pairs", type=int, default=3, help="repetitions")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {' '.join(sorted(unknown))}")
    bench = Bench(arguments)
    for name in arguments.parts or PARTS:
        print(f"\n== {name}", flush=True)
        PARTS[name](bench)
    print()
    show(bench.rows)
    result = {
        "processors": os.cpu_count(),
        "rows": [row._asdict() for row in bench.rows],
        "figures": bench.figures,
    }
    with open(bench.folder / "bench.json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    html = page.make(
        bench.rows,
        bench.figures.get("rows"),
        bench.figures.get("cost"),
        arguments.chart_js,
    )
    (bench.folder / "bench.html").write_text(html, encoding="utf-8")
    print(f"\n{bench.folder}/bench.json, bench.html")


if __name__ == "__main__":
    main()
