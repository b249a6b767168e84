"""The head and the tail of the queue over time, as one SVG that loads nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from markupsafe import escape

from jamline.series._growth import moment

_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP, _BOTTOM = 860.0, 300.0, 64.0, 24.0, 46.0, 40.0

_STYLE = (
    "text{font:13px system-ui,'Liberation Sans',sans-serif;fill:#1b1b1b}.t{font-weight:650;font-size:15px}"
    ".s{fill:#565656}.g{stroke:#d3d3d3}.b{fill:#d55e00;fill-opacity:.25}.l{fill:none;stroke:#d55e00;stroke-width:2}"
    ".h{stroke-dasharray:6 4}.w{stroke:#1b1b1b;stroke-width:1.5}.o{fill:#1b1b1b}.n{fill:none;stroke:#565656}"
)


@dataclass(frozen=True, slots=True)
class _Axes:
    """From time and km to the drawing of one panel."""

    first: float
    last: float
    low_km: float
    high_km: float
    top: float

    def x(self, when: float) -> float:
        share = (when - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        # Half a step of air at both ends, so that no mark lies on the frame.
        return _LEFT + (0.06 + 0.88 * share) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, km: float) -> float:
        return self.top + (self.high_km - km) / (self.high_km - self.low_km) * (_PANEL - _TOP - _BOTTOM)


def plot(rows: Sequence[Mapping[str, Any]], *, title: str | None = None) -> str:
    """Return the plot: a panel for each side on which a queue was seen, time to the right, km from the origin up.

    Parameters
    ----------
    rows : sequence of mapping
        As `growth` returns them.
    title : str, optional
        What it is called.

    Examples
    --------
    >>> "No queue was seen" in plot([])
    True
    """
    panels = list(dict.fromkeys((row["road"], row["side"]) for row in rows))
    height = 34.0 + _PANEL * max(len(panels), 1)
    name = escape(title or "Head and tail of the queue over time")
    body = [f'<text class="t" x="{_LEFT:.0f}" y="22">{name}</text>']
    for number, key in enumerate(panels):
        mine = [row for row in rows if (row["road"], row["side"]) == key]
        body += _panel(mine, 34.0 + number * _PANEL)
    if not panels:
        body.append(f'<text x="{_LEFT:.0f}" y="60">No queue was seen at any time.</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-labelledby="t"><title id="t">{name}</title><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def _panel(rows: Sequence[Mapping[str, Any]], top: float) -> Iterator[str]:
    """Yield the drawing of one side."""
    seen = [row for row in rows if row["head_km"] is not None]
    times = [moment(row["time"]).timestamp() for row in rows]
    km = [row[f"{end}{part}_km"] for row in seen for end in ("head", "tail") for part in ("", "_low", "_high")]
    told = [value for value in km if value is not None]
    low, high = min([0.0, *told]), max([0.0, *told])
    step = _step(high - low)
    axes = _Axes(min(times), max(times), math.floor(low / step) * step, math.ceil(high / step) * step, top + _TOP)
    side = "" if rows[0]["side"] == "all" else f", {rows[0]['side']} side"
    yield f'<text class="t" x="{_LEFT:.0f}" y="{top + 20:.0f}">{escape(rows[0]["road"] + side)}</text>'
    yield (
        f'<text class="s" x="{_LEFT:.0f}" y="{top + 37:.0f}">km from the origin; whiskers: interval, '
        f"arrows: open end</text>"
    )
    yield from _grid(axes, step, times)
    for _, run in groupby(rows, key=lambda row: row["head_km"] is not None):
        yield from _course(axes, [row for row in run if row["head_km"] is not None])
    if seen:
        x = axes.x(moment(seen[-1]["time"]).timestamp())
        for end in ("head", "tail"):
            yield f'<text x="{x + 10:.1f}" y="{axes.y(seen[-1][f"{end}_km"]) + 4:.1f}">{end}</text>'
    for row, when in zip(rows, times, strict=True):
        yield from _marks(axes, row, when)


def _grid(axes: _Axes, step: float, times: Sequence[float]) -> Iterator[str]:
    """Yield the lines and labels of the km, and the label of each look that has room for one."""
    for k in range(round((axes.high_km - axes.low_km) / step) + 1):
        km = axes.low_km + k * step
        y = axes.y(km)
        yield f'<path class="g" d="M{_LEFT:.0f} {y:.1f}H{_WIDTH - _RIGHT:.0f}"/>'
        label = f"{km:.{max(0, math.ceil(-math.log10(step)))}f}".replace("-", "−")
        yield f'<text class="s" text-anchor="end" x="{_LEFT - 8:.0f}" y="{y + 4:.1f}">{label}</text>'
    clock = len({datetime.fromtimestamp(when, UTC).date() for when in times}) < len(times)
    taken = -math.inf
    for when in times:
        x = axes.x(when)
        if x - taken < 135:
            continue
        taken = x
        label = datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M" if clock else "%Y-%m-%d")
        yield f'<text class="s" text-anchor="middle" x="{x:.1f}" y="{axes.y(axes.low_km) + 20:.1f}">{label}</text>'


def _course(axes: _Axes, seen: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the queue as a band between looks that all show one, and the courses of its ends."""
    if not seen:
        return
    x = [axes.x(moment(row["time"]).timestamp()) for row in seen]
    ends = {end: [axes.y(row[f"{end}_km"]) for row in seen] for end in ("head", "tail")}
    there = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, ends["tail"], strict=True))
    back = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[::-1], ends["head"][::-1], strict=True))
    yield f'<polygon class="b" points="{there} {back}"/>'
    for end, style in (("head", "l h"), ("tail", "l")):
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, ends[end], strict=True))
        yield f'<polyline class="{style}" points="{points}"/>'


def _marks(axes: _Axes, row: Mapping[str, Any], when: float) -> Iterator[str]:
    """Yield the marks of one look: both ends with their intervals, or that there was no queue."""
    x = axes.x(when)
    if row["head_km"] is None:
        yield (
            f'<circle class="n" cx="{x:.1f}" cy="{axes.y(0.0):.1f}" r="4"><title>{escape(row["time"])}: no queue seen'
            f"</title></circle>"
        )
        return
    outward = 1 if row["tail_km"] >= row["head_km"] else -1
    for end, sign in (("head", -outward), ("tail", outward)):
        y = axes.y(row[f"{end}_km"])
        ends = [row[f"{end}{part}_km"] for part in ("_low", "_high")]
        low, high = (y if value is None else axes.y(value) for value in ends)
        yield f'<path class="w" d="M{x:.1f} {low:.1f}V{high:.1f}M{x - 4:.1f} {low:.1f}h8M{x - 4:.1f} {high:.1f}h8"/>'
        told = f"{escape(row['time'])}: {end} at {row[f'{end}_km']:.2f} km"
        if end in row["open"].split(","):
            yield f'<path class="o" d="M{x - 6:.1f} {y:.1f}h12l-6 {-9 * sign:.0f}z"><title>{told}, open</title></path>'
        else:
            yield f'<circle class="o" cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{told}</title></circle>'


def _step(span: float) -> float:
    """Return a round step that parts a span into at most six."""
    steps = (m * 10.0**k for k in range(-2, 4) for m in (1, 2, 5))
    return next((step for step in steps if span / step <= 6), 1000.0)
