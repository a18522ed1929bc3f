"""bench.html, in the frame of the trainer's reports (trainer/report/frame.py)."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "trainer/report"))

import frame  # noqa: E402  (found by the line above)

CHART_JS = frame.CHART_JS
STYLE = """
tbody th { white-space: normal; min-width: 18rem; }
tbody td { white-space: normal; min-width: 7rem; }
"""


def make(rows, steps, cost, chart_js):
    """`rows`: of the table; `steps`: by name, what trainer_bench says about
    tables of several sizes; `cost`: what index_bench says about several numbers
    of items. Either may be None."""
    columns = ["what", "ours", "peer", "ratio", "wanted"]
    sections = frame.section("figures", "Figures", frame.table(columns, rows))
    if steps:
        sections += frame.chart(
            "steps",
            "Steps by the size of tables",
            "Seconds of a training step by rows of the embedding tables",
        )
    if cost:
        sections += frame.chart(
            "cost",
            "Searches by the number of items",
            "Microseconds of a search of 100 by items, one thread",
        )
    return frame.page(
        "Speed of trainer and index",
        "<p>Medians, with the lowest and the highest; peers ran in turns with"
        " them.</p>\n",
        sections,
        {"steps": steps, "cost": cost},
        (HERE / "bench.js").read_text(encoding="utf-8"),
        STYLE,
        chart_js,
    )
