"""Repetitions of a measurement, and how people read them."""

import statistics


def spread(values):
    values = sorted(values)
    return {
        "median": statistics.median(values),
        "min": values[0],
        "max": values[-1],
        "count": len(values),
    }


def text(figure, unit="", digits=3):
    """A figure or a spread of figures, as people read it."""

    def number(value):
        short = f"{value:.{digits}g}"
        # 999.9 is 1,000 to three digits, not 1e+03.
        return f"{value:,.0f}" if float(short) >= 1000 else short

    if not isinstance(figure, dict):
        return number(figure) + unit
    line = number(figure["median"]) + unit
    if figure["count"] > 1:
        line += f" ({number(figure['min'])} to {number(figure['max'])})"
    return line
