"""Pages of tables and charts in the frame of the trainer's reports (page.html,
page.css, charts.js): one file that loads nothing. For scripts that measure."""

import base64
import hashlib
import html
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
CHART_JS = "/usr/share/javascript/chart.js/chart.min.js"


def section(name, title, body):
    return f'<section id="{name}">\n<h2>{title}</h2>\n{body}</section>\n'


def table(columns, rows):
    """Of text; the first cell of a row is its head."""

    def line(cells):
        first, *others = map(html.escape, cells)
        return (
            f'<tr><th scope="row">{first}</th>'
            + "".join(f"<td>{cell}</td>" for cell in others)
            + "</tr>\n"
        )

    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    return (
        '<div class="scroll" tabindex="0"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "".join(map(line, rows))
        + "</tbody></table></div>\n"
    )


def chart(name, title, caption):
    """A section with the canvas `name`-chart, for the page's script to draw."""
    return section(
        name,
        title,
        f'<figure class="chart"><figcaption>{caption}</figcaption><div>'
        f'<canvas id="{name}-chart" role="img" aria-label="{caption}"></canvas>'
        "</div></figure>\n",
    )


def page(title, intro, sections, data, script, style="", chart_js=CHART_JS):
    """The page. `script` runs behind charts.js and finds `data` as JSON in the
    element `data`; `style` stands behind page.css."""
    library = pathlib.Path(chart_js).read_text(encoding="utf-8")
    script = (HERE / "charts.js").read_text(encoding="utf-8") + "\n" + script
    style = (HERE / "page.css").read_text(encoding="utf-8") + style
    result = (HERE / "page.html").read_text(encoding="utf-8")
    for place, text in {
        "title": html.escape(title),
        "script_hashes": f"{_source(library)} {_source(script)}",
        "style_hash": _source(style),
        "style": style,
        "intro": intro,
        "links": "",
        "sections": sections,
        "data": '<script type="application/json" id="data">'
        + json.dumps(data).replace("<", "\\u003c")
        + "</script>\n",
        "chart_js": library,
        "script": script,
    }.items():
        result = result.replace("{{" + place + "}}", text)
    return result


def _source(text):
    """How the page's policy names the one text that it allows."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
