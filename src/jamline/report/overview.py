"""The road on a map of its own: north up, drawn from what was measured, with no tile from anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

from jamline.report.words import km, length
from jamline.spans import Span, merge, round_m, subtract

if TYPE_CHECKING:
    from jamline.evidence import Evidence
    from jamline.queues import Queues

Array = npt.NDArray[np.float64]

WIDTH = 1000.0
"""Width of the drawing in its own units; its height follows the road's shape."""

_MARGIN = 90.0
_FLATTEST, _TALLEST = 0.45, 1.25
"""Height over width that a drawing may have."""

_LABEL_WIDTH, _LABEL_HEIGHT = 24.0, 44.0
"""Room that a character takes, in units, where the map is a phone's 360 px wide."""

_BESIDE = 9.0
"""How far beside the road a side's queue is drawn."""

_MAX_PLACES = 8


@dataclass(frozen=True, slots=True)
class Label:
    """A name or a figure beside a point, both in percent of the drawing.

    Parameters
    ----------
    kind : str
        ``post``, ``place`` or ``end``.
    text : str
        What it says; empty where there is no room for it.
    x, y : float
        The point.
    anchor : str
        Which way from the point the text lies: ``left`` or ``right``.
    """

    kind: str
    text: str
    x: float
    y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A queue on the map: its SVG path, and its class."""

    path: str
    packing: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The map of one road, ``WIDTH`` wide and ``height`` high, y downwards."""

    height: float
    seen: str
    unseen: str
    queues: list[Stroke]
    labels: list[Label]
    bar_percent: float
    bar_text: str
    alt: str


def overview_of(queues: Queues, evidence: Evidence) -> Overview:
    """Draw the map of a road.

    Parameters
    ----------
    queues, evidence
        Of one road.

    Returns
    -------
    Overview

    Notes
    -----
    The projection is azimuthal equidistant about the middle of the road's extent: within 500 km of it no distance is
    out by more than one part in a thousand.
    """
    sheet = _Sheet.of(evidence)
    road = evidence.road
    whole = Span(0.0, road.length_m)
    seen = merge(evidence.seen_by_any(), gap_m=road.length_m / 500)
    strokes = [
        Stroke(sheet.path([Span(queue.start_m, queue.end_m)], beside=_beside(queue.side)), queue.packing)
        for queue in queues
    ]
    bar_m = round_m(sheet.metres * 0.3, least_m=10.0)
    seen_km = sum(span.length_m for span in evidence.seen_by_any()) / 1000
    told = [f"{queue.side} side {length(queue.length_km)}" for queue in queues[:5]]
    return Overview(
        height=sheet.height,
        seen=sheet.path(seen),
        unseen=sheet.path(subtract(whole, seen)),
        queues=strokes,
        labels=list(_placed(sheet, queues, evidence)),
        bar_percent=100 * bar_m / sheet.metres,
        bar_text=f"{bar_m / 1000:g} km" if bar_m >= 1000 else f"{bar_m:g} m",
        alt=f"Map of {road.name}, {road.length_m / 1000:.1f} km, {seen_km:.1f} km of it seen. "
        + (f"Queues: {'; '.join(told)}." if told else "No queue."),
    )


@dataclass(frozen=True)
class _Sheet:
    """The paper that a road is drawn on: from stations to units of the drawing."""

    station_m: Array
    xy: Array
    height: float
    metres: float

    @classmethod
    def of(cls, evidence: Evidence) -> _Sheet:
        """Lay out the paper around a road."""
        road = evidence.road
        every = max(1, len(road.lonlat) // 4000)
        chosen = np.unique(np.append(np.arange(0, len(road.lonlat), every), len(road.lonlat) - 1))
        lon, lat = road.lonlat[chosen].T
        middle = [(values.min() + values.max()) / 2 for values in (lon, lat)]
        plane = f"+proj=aeqd +lon_0={middle[0]} +lat_0={middle[1]} +ellps=WGS84"
        x, y = Transformer.from_crs("OGC:CRS84", plane, always_xy=True).transform(lon, lat)
        reach = np.array([np.ptp(x), np.ptp(y)])
        metres = float(max(reach[0], reach[1] / _TALLEST, 100.0)) * WIDTH / (WIDTH - 2 * _MARGIN)
        scale = WIDTH / metres
        height = min(max(reach[1] * scale + 2 * _MARGIN, _FLATTEST * WIDTH), _TALLEST * WIDTH)
        at = np.column_stack([
            WIDTH / 2 + (x - (x.min() + x.max()) / 2) * scale, height / 2 - (y - (y.min() + y.max()) / 2) * scale
        ])  # fmt: skip
        return cls(road.station_m[chosen], at, float(height), metres)

    def point(self, station_m: float) -> Array:
        """Return where a station lies, shape (2,)."""
        return np.array([np.interp(station_m, self.station_m, self.xy[:, k]) for k in (0, 1)])

    def path(self, spans: Iterable[Span], *, beside: float = 0.0) -> str:
        """Return stretches of the road as an SVG path, ``beside`` to the left of it."""
        parts = []
        for span in spans:
            within = (self.station_m > span.start_m) & (self.station_m < span.end_m)
            line = shapely.LineString(
                np.vstack([self.point(span.start_m), self.xy[within], self.point(span.end_m)])
            ).simplify(0.8)
            if beside and line.length:
                # The y axis points down, so what is left on paper is right on the ground.
                line = line.offset_curve(-beside, join_style="round")
            parts += [_move_and_line(shapely.get_coordinates(part)) for part in shapely.get_parts(line)]
        return "".join(parts)


def _move_and_line(points: Array) -> str:
    if not len(points):
        return ""
    first, *others = (f"{x:.1f} {y:.1f}" for x, y in points)
    return f"M{first}L{' '.join(others)}" if others else ""


def _beside(side: str) -> float:
    """Return how far to the left of the road a side's queue is drawn."""
    return {"left": _BESIDE, "right": -_BESIDE}.get(side, 0.0)


def _placed(sheet: _Sheet, queues: Queues, evidence: Evidence) -> Iterator[Label]:
    """Yield the labels, of which none lies over another; where there is no room only the point is left."""
    taken: list[tuple[float, float, float, float]] = []
    corner = (0.0, sheet.height - 110.0, WIDTH * 0.36, sheet.height)
    taken += [corner, (WIDTH - 90.0, 0.0, WIDTH, 130.0)]  # scale bar and north arrow
    for kind, text, station_m in _wanted(queues, evidence):
        x, y = (float(value) for value in sheet.point(station_m))
        width = _LABEL_WIDTH * (len(text) + 1)
        fits = ""
        # Names go where there is more paper; posts the other way, if they can.
        sides = ("left", "right") if (x > WIDTH / 2) != (kind == "post") else ("right", "left")
        for anchor in sides:
            left = x - width if anchor == "left" else x
            box = (left, y - _LABEL_HEIGHT / 2, left + width, y + _LABEL_HEIGHT / 2)
            inside = box[0] >= 0 and box[2] <= WIDTH
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                fits = anchor
                break
        yield Label(kind, text if fits else "", 100 * x / WIDTH, 100 * y / sheet.height, fits or "right")


def _wanted(queues: Queues, evidence: Evidence) -> Iterator[tuple[str, str, float]]:
    """Yield kind, text and station of what is to be labelled, what matters most first."""
    road = evidence.road
    origin_m = road.origin_station_m
    if 0 <= origin_m <= road.length_m:
        yield "place", road.origin, origin_m
    for queue in queues[:1]:
        for name, (_, station_m) in zip(("head", "tail"), queue.head_and_tail(origin_m), strict=True):
            yield "end", f"{name}, km {km(station_m, origin_m)}", station_m
    others = [name for name in road.places if name != road.origin][:_MAX_PLACES]
    if others:
        lon, lat = np.array([road.places[name] for name in others]).T
        for name, station_m in zip(others, road.to_road(lon, lat)[0], strict=True):
            if 0 <= station_m <= road.length_m:
                yield "place", name, float(station_m)
    step_m = round_m(road.length_m / 8, least_m=10.0)
    first = math.ceil(-origin_m / step_m)
    for k in range(first, math.floor((road.length_m - origin_m) / step_m) + 1):
        yield "post", km(origin_m + k * step_m, origin_m, digits=1 if step_m < 1000 else 0), origin_m + k * step_m


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
