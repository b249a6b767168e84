"""Evidence of a made-up queue, as images of some resolution, coverage and number would give it; no pixel is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy import special

from jamline import tables
from jamline.detect import Usual
from jamline.evidence import Evidence
from jamline.road import Road, road_through
from jamline.spans import Estimate, Span, intersect, merge, subtract
from jamline.synth import SceneSpec
from jamline.synth.lanes import Vehicle
from jamline.synth.traffic import drive

Array = npt.NDArray[np.float64]

HEAD_M = 200.0
"""Where the queue begins: the road is seen from before it."""

_CLEAR_M = 1000.0
"""Road that goes on behind the queue or the images; what lies further says nothing new."""

_GAP_M = 20.0, 60.0
"""Gaps within a queue, one a km: crossings left free, drivers who were slow to follow. Of gaps near the 100 m that
break a queue no image tells whether they do, as no image decides a claim that is nearly right."""

_RECALL_SPREAD = 0.3
"""How far recall goes from scene to scene, as standard deviation of its log odds."""

_ERROR_M, _ERROR_PX = 0.1, 0.4
"""How well a vehicle is placed: so many metres and pixels of the resolution."""

_CLOUD_M = (200.0, 1500.0)
"""Least and most length of a stretch under one cloud: fair-weather cumulus."""

_DEG_M = 111_050.0
"""Metres in a degree of latitude, near enough for a road that is straight."""


@dataclass(frozen=True)
class Traffic:
    """What stands on the road.

    Parameters
    ----------
    rows : int
        Rows abreast.
    trucks : float
        Share of vehicles over 7 m, 0 to 1.
    """

    rows: int = 1
    trucks: float = 0.1

    @property
    def per_km(self) -> float:
        """Vehicles in a km of queue: a car takes 7.5 m, a lorry of 14.5 m with its gap 20 m."""
        return 1000 * self.rows / ((1 - self.trucks) * 7.5 + self.trucks * 20.0)

    def queue(self, length_m: float, *, seed: int) -> list[Vehicle]:
        """Return the vehicles of a queue, and those that flow behind it, in order of station."""
        queue = {
            "side": "all",
            "start_m": HEAD_M,
            "end_m": HEAD_M + length_m,
            "rows": self.rows,
            "truck_share": self.trucks,
            "gaps_per_km": 1.0,
            "gap_from_m": _GAP_M[0],
            "gap_to_m": _GAP_M[1],
        }
        road_m = HEAD_M + length_m + _CLEAR_M
        spec = SceneSpec.model_validate(
            {
                "seed": seed,
                "road": {"length_m": road_m, "oneway": True, "lanes_right": self.rows},
                "queues": [queue],
                "flows": [{"side": "all"}],
            }
        )
        return sorted(drive(spec, road_m), key=lambda vehicle: vehicle.station_m)


def extent(vehicles: Sequence[Vehicle]) -> tuple[Span, int]:
    """Return from where to where the queued vehicles stand, and how many there are."""
    queued = [vehicle for vehicle in vehicles if vehicle.state == "queued"]
    near = min(vehicle.station_m - vehicle.length_m / 2 for vehicle in queued)
    far = max(vehicle.station_m + vehicle.length_m / 2 for vehicle in queued)
    return Span(near, far), len(queued)


def sighted(
    vehicles: Sequence[Vehicle],
    usual: Usual,
    *,
    gsd_m: float,
    covered_m: float,
    looks: int,
    clouds: float,
    rng: np.random.Generator,
) -> Evidence:
    """Return the evidence that images of a road give.

    Parameters
    ----------
    vehicles : sequence of Vehicle
        On the road.
    usual : Usual
        What the detector finds at that resolution.
    gsd_m : float
        Resolution, which sets how well vehicles are placed.
    covered_m : float
        Images show the road up to this station.
    looks : int
        Images of each place, of one day; where one shows a cloud, another may not.
    clouds : float
        Share of the road that clouds hide in each image.
    rng : numpy.random.Generator
        Source of chance.
    """
    queue, _ = extent(vehicles)
    length_m = min(covered_m, queue.end_m) + _CLEAR_M
    road = road_through([[44.6, 42.8], [44.6, 42.8 + length_m / _DEG_M]], name="road", oneway=True)
    shown = Span(0.0, min(covered_m, road.length_m))
    clear = [span for _ in range(looks) for span in subtract(shown, _clouds(shown, clouds, rng))]
    seen = merge(clear)
    odds = special.logit(np.clip(usual.recall, 0.01, 0.99))
    recall = float(special.expit(odds + rng.normal(0.0, _RECALL_SPREAD)))
    found = np.vstack(
        [_found(vehicles, recall, _ERROR_M + _ERROR_PX * gsd_m, rng), _false(shown, usual.false_per_km, rng)]
    )
    inside = [any(span.start_m <= s <= span.end_m for span in seen) for s in found[:, 0]]
    frame = _table(road, found[np.array(inside, dtype=bool)])
    sight = _sight(road, seen, shown, usual)
    return Evidence(road, frame, sight, Estimate(0.0, -0.5, 0.5, unit="m"), 15.0, gsd_m, "planned")


def _clouds(shown: Span, share: float, rng: np.random.Generator) -> list[Span]:
    """Return stretches under clouds that make up about a share of what is shown."""
    over: list[Span] = []
    count = rng.poisson(-math.log1p(-share) * shown.length_m / np.mean(_CLOUD_M)) if share > 0 else 0
    for middle, half in zip(rng.uniform(0, shown.end_m, count), rng.uniform(*_CLOUD_M, count) / 2, strict=True):
        over += intersect([Span(float(middle - half), float(middle + half))], shown)
    return over


def _found(vehicles: Sequence[Vehicle], recall: float, error_m: float, rng: np.random.Generator) -> Array:
    """Return what is found of the vehicles: station, offset, length, score."""
    true = np.array([[v.station_m, v.offset_m, v.length_m] for v in vehicles])
    true = true[rng.random(len(true)) < recall]
    station, length = true[:, 0] + rng.normal(0, error_m, len(true)), true[:, 2] + rng.normal(0, error_m, len(true))
    offset = true[:, 1] + rng.normal(0, 0.3, len(true))
    return np.column_stack([station, offset, np.maximum(length, 2.5), np.full(len(true), 0.95)])


def _false(shown: Span, per_km: float, rng: np.random.Generator) -> Array:
    """Return vehicles that are none: station, offset, length, score."""
    count = rng.poisson(per_km * shown.length_m / 1000)
    ranges = ((shown.start_m, shown.end_m), (-3.0, 3.0), (3.0, 6.0), (0.2, 0.7))
    return np.column_stack([rng.uniform(low, high, count) for low, high in ranges])


def _table(road: Road, rows: Array) -> Any:
    """Return the vehicles as a table; footprints are not looked at."""
    rows = rows[(rows[:, 0] > 0) & (rows[:, 0] < road.length_m)]
    station, offset, length, score = rows[np.argsort(rows[:, 0], kind="stable")].T
    columns: dict[str, Any] = {
        "road": road.name,
        "side": "all",
        "station_m": station,
        "offset_m": offset,
        "length_m": length,
        "width_m": 1.9,
        "heading_deg": 0.0,
        "kind": np.where(length > tables.TRUCK_M, "truck", "car").astype(object),
        "state": "flowing",
        "score": score,
    }
    return tables.table(tables.VEHICLES, columns, geometry=[shapely.box(0.0, 0.0, 1e-5, 1e-5)] * len(station))


def _sight(road: Road, seen: Sequence[Span], shown: Span, usual: Usual) -> Any:
    """Return how well each stretch was seen, as the detector would say."""
    whole = Span(0.0, road.length_m)
    unseen = [(span, "cloud") for span in subtract(shown, seen)]
    unseen += [(span, "outside imagery") for span in subtract(whole, [shown])]
    rows = sorted([(span, "") for span in seen] + unseen)
    columns: dict[str, Any] = {
        "side": "all",
        "start_m": [span.start_m for span, _ in rows],
        "end_m": [span.end_m for span, _ in rows],
        "seen": [not reason for _, reason in rows],
        "reason": [reason for _, reason in rows],
        "recall": [0.0 if reason else usual.recall for _, reason in rows],
        "false_per_km": [0.0 if reason else usual.false_per_km for _, reason in rows],
    }
    return tables.table(tables.SIGHT, columns)
