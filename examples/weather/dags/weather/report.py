"""What people see: a table and a picture."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = {
    "year": "Year", "days": "Days", "mean_temperature": "Mean °C", "hottest": "Hottest °C", "hottest_day": "on",
    "coldest": "Coldest °C", "coldest_day": "on", "rain_mm": "Rain mm", "wet_days": "Wet days", "snow_days": "Snow days",
}
_INK, _QUIET, _WARM, _COLD, _RAIN = "#1f2933", "#9aa5b1", "#d1495b", "#3d7ea6", "#5b8db8"


def markdown(years: Sequence[Mapping[str, Any]]) -> str:
    """The result table and the picture's place."""
    lines = ["# Weather in Seattle", "", "![temperature and rain](seattle-weather.png)", ""]
    lines.append("| " + " | ".join(COLUMNS.values()) + " |")
    lines.append("|" + " ---: |" * len(COLUMNS))
    lines += ["| " + " | ".join(str(row[name]) for name in COLUMNS) + " |" for row in years]
    return "\n".join(lines) + "\n"


def picture(days: Sequence[Mapping[str, Any]], months: Sequence[Mapping[str, Any]]) -> bytes:
    """A PNG: each day's range of temperature with the mean of a week, and each month's rain."""
    from matplotlib import dates
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.5), dpi=110, layout="constrained")
    warmth, rain = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    when = [row["day"] for row in days]
    warmth.vlines(
        when, [row["temp_min"] for row in days], [row["temp_max"] for row in days], color=_QUIET, alpha=0.45, linewidth=0.8
    )
    for name, color, label in (("week_max", _WARM, "high"), ("week_min", _COLD, "low")):
        warmth.plot(when, [row[name] for row in days], color=color, linewidth=1.6)
        warmth.annotate(
            label, (when[-1], days[-1][name]), xytext=(6, 0), textcoords="offset points", color=color, va="center"
        )
    warmth.set_ylabel("°C")
    warmth.set_title(
        f"Weather in Seattle, {when[0].year} to {when[-1].year}", loc="left", color=_INK, fontsize=15, fontweight="bold"
    )
    warmth.set_title("each day's range, and the mean of seven days", loc="right", color=_QUIET, fontsize=10)
    rain.bar([row["month"] for row in months], [row["rain_mm"] for row in months], width=26, align="edge", color=_RAIN)
    rain.set_ylabel("rain, mm a month")
    rain.xaxis.set_major_locator(dates.YearLocator())
    rain.xaxis.set_major_formatter(dates.DateFormatter("%Y"))
    rain.xaxis.set_minor_locator(dates.MonthLocator(bymonth=(4, 7, 10)))
    for axes in (warmth, rain):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color=_QUIET, alpha=0.25)
        axes.set_axisbelow(True)
        axes.tick_params(colors=_INK)
        axes.margins(x=0.01)
    image = io.BytesIO()
    FigureCanvasAgg(figure).print_png(image)
    return image.getvalue()
