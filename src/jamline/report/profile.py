"""How densely vehicles stand along a road, in bins of 100 m."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jamline.report.words import km
from jamline.spans import Span, merge

if TYPE_CHECKING:
    from jamline.evidence import Evidence
    from jamline.queues import Queues

Array = npt.NDArray[np.float64]

BIN_M = 100.0

_MIN_SEEN_M = 20.0
"""A bin seen for less than this says nothing: one vehicle there would make a density of 50."""


_ROW_GAP_M = 1.4
"""Half a narrow lane: vehicles further apart sideways than this stand in different rows."""

_ROW_SHARE = 0.25
"""A row with fewer vehicles than this share of the fullest is a vehicle out of line, not a lane."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The density profile of one side drawn ``length_m`` wide and ``top`` high, y downwards."""

    road: str
    side: str
    length_m: float
    top: float
    steps: str
    unseen: list[tuple[float, float]]
    ticks: list[tuple[float, str]]
    peak: str

    def level(self, density: float) -> float:
        """Return how far from the top a density lies, in percent."""
        return 100.0 * (1.0 - density / self.top)


def profiles(queues: Queues, evidence: Evidence) -> list[Profile]:
    """Return the profile of each side."""
    return [_profile(queues, evidence, side) for side in evidence.road.sides]


def densities(queues: Queues, evidence: Evidence, side: str) -> tuple[Array, Array]:
    """Count running vehicles of one side per km and lane.

    Parameters
    ----------
    queues, evidence
        Of one road.
    side : str
        Which side.

    Returns
    -------
    edges_m : array, shape (n + 1,)
        Stations of the bins' edges.
    density : array, shape (n,)
        Vehicles found per km seen and lane; NaN where too little was seen. Lanes are the rows of vehicles
        abreast in the bin, but no fewer than those tagged.
    """
    road = evidence.road
    edges = np.append(np.arange(0.0, road.length_m, BIN_M), road.length_m)
    rows = queues.vehicles
    running = rows[(rows["side"] == side) & (rows["state"] != "parked")]
    seen = evidence.seen(side)
    bounds = np.array([[span.start_m, span.end_m] for span in seen], dtype=float).reshape(-1, 2)
    # What was found where little was seen would be held against too little road.
    where = running["station_m"].to_numpy(float)
    nearest = np.searchsorted(bounds[:, 0], where, side="right") - 1
    inside = (nearest >= 0) & (where <= np.append(bounds[:, 1], -np.inf)[nearest])
    station_m, offset_m = where[inside], running["offset_m"].to_numpy(float)[inside]
    bin_of = np.clip(np.searchsorted(edges, station_m, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bin_of, minlength=len(edges) - 1)
    # Seen metres up to each edge: a long road has thousands of bins and of seen stretches.
    up_to = np.concatenate([[0.0], np.repeat(np.cumsum(bounds[:, 1] - bounds[:, 0]), 2)])[: bounds.size]
    seen_m_of = np.diff(np.interp(edges, bounds.ravel(), up_to)) if len(seen) else np.zeros(len(edges) - 1)
    tagged = max(1.0, (road.lanes or 1) / len(road.sides))
    density = np.full(len(counts), np.nan)
    for k, number in enumerate(counts):
        seen_m = float(seen_m_of[k])
        if seen_m + 1e-6 < min(_MIN_SEEN_M, edges[k + 1] - edges[k]):
            continue
        lanes = max(tagged, rows_abreast(offset_m[bin_of == k]))
        density[k] = number / (seen_m / 1000) / lanes
    return edges, density


def rows_abreast(offset_m: Array) -> int:
    """Count the rows that vehicles stand in, by their offsets.

    Parameters
    ----------
    offset_m : array, shape (n,)
        Of the vehicles in a stretch so short that rows run straight.

    Examples
    --------
    >>> rows_abreast(np.array([-1.8, -5.0, -2.0, -5.2, -1.9]))
    2
    """
    if not len(offset_m):
        return 1
    ordered = np.sort(offset_m)
    row = np.concatenate([[0], np.cumsum(np.diff(ordered) > _ROW_GAP_M)])
    sizes = np.bincount(row)
    return int(np.count_nonzero(sizes >= _ROW_SHARE * sizes.max()))


def _profile(queues: Queues, evidence: Evidence, side: str) -> Profile:
    road = evidence.road
    edges, density = densities(queues, evidence, side)
    hidden = [Span(a, b) for a, b, value in zip(edges, edges[1:], density, strict=False) if np.isnan(value)]
    finite = density[np.isfinite(density)]
    top = max(150.0, 1.08 * float(finite.max(initial=0.0)))
    return Profile(
        road=road.name,
        side=side,
        length_m=road.length_m,
        top=top,
        steps="".join(_steps(edges, density, top)),
        unseen=[(float(span.start_m), float(span.length_m)) for span in merge(hidden)],
        ticks=_ticks(road.length_m, road.origin_station_m),
        peak=f"{finite.max():.0f}" if len(finite) else "nothing",
    )


def _steps(edges: Array, density: Array, top: float) -> Iterable[str]:
    """Yield an SVG path of bars that stand on the ground line."""
    for a, b, value in zip(edges, edges[1:], density, strict=False):
        if value > 0:
            yield f"M{a:.0f} {top:.1f}V{top - value:.1f}H{b:.0f}V{top:.1f}z"


def _ticks(length_m: float, origin_m: float) -> list[tuple[float, str]]:
    """Return marks at whole km, at most ten or so, in percent of the width."""
    steps_m = (100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5)
    step_m = next((step for step in steps_m if length_m / step <= 10), 1e6)
    first = np.ceil(-origin_m / step_m) * step_m
    digits = 1 if step_m < 1000 else 0
    stations = np.arange(first, length_m - origin_m + 1e-6, step_m) + origin_m
    return [(float(s / length_m * 100), km(float(s), origin_m, digits=digits)) for s in stations]
