"""bench.html, in the frame of the trainer's reports (trainer/report/page.html):
one file that loads nothing."""

import base64
import hashlib
import html
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
REPORT = HERE.parents[1] / "trainer/report"
CHART_JS = "/usr/share/javascript/chart.js/chart.min.js"


def source(text):
    """How the page's policy names the one text that it allows."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def table(rows):
    def line(cells):
        first, *others = map(html.escape, cells)
        return (
            f'<tr><th scope="row">{first}</th>'
            + "".join(f"<td>{cell}</td>" for cell in others)
            + "</tr>\n"
        )

    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ["what", "ours", "peer", "ratio", "wanted"]
    )
    return (
        '<div class="scroll" tabindex="0"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "".join(line(row) for row in rows)
        + "</tbody></table></div>\n"
    )


def section(name, title, body):
    return f'<section id="{name}">\n<h2>{title}</h2>\n{body}</section>\n'


def chart(name, title, caption):
    return section(
        name,
        title,
        f'<figure class="chart"><figcaption>{caption}</figcaption><div>'
        f'<canvas id="{name}-chart" role="img" aria-label="{caption}"></canvas>'
        "</div></figure>\n",
    )


def make(rows, steps, cost, chart_js):
    """`rows`: of the table; `steps`: by name, what trainer_bench says about
    tables of several sizes; `cost`: what index_bench says about several numbers
    of items. Either may be None."""
    sections = section("figures", "Figures", table(rows))
    if steps:
        sections += chart(
            "steps",
            "Steps by the size of tables",
            "Seconds of a training step by rows of the embedding tables",
        )
    if cost:
        sections += chart(
            "cost",
            "Searches by the number of items",
            "Microseconds of a search of 100 by items, one thread",
        )
    chart_library = pathlib.Path(chart_js).read_text(encoding="utf-8")
    script = "\n".join(
        file.read_text(encoding="utf-8")
        for file in [REPORT / "charts.js", HERE / "bench.js"]
    )
    style = (REPORT / "page.css").read_text(encoding="utf-8")
    style += "\ntbody th { white-space: normal; min-width: 20rem; }\n"
    style += "tbody td:last-child { white-space: normal; min-width: 7rem; }\n"
    result = (REPORT / "page.html").read_text(encoding="utf-8")
    for place, text in {
        "title": "Speed of trainer and index",
        "script_hashes": f"{source(chart_library)} {source(script)}",
        "style_hash": source(style),
        "style": style,
        "intro": "<p>Medians, with the lowest and the highest; peers ran in"
        " turns with them.</p>\n",
        "links": "",
        "sections": sections,
        "data": '<script type="application/json" id="data">'
        + json.dumps({"steps": steps, "cost": cost}).replace("<", "\\u003c")
        + "</script>\n",
        "chart_js": chart_library,
        "script": script,
    }.items():
        result = result.replace("{{" + place + "}}", text)
    return result
