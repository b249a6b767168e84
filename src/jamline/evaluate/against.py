"""Vehicles of a result held against the true ones, and the whole evaluation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from jamline.errors import InputError
from jamline.evaluate.files import features, read_json
from jamline.evaluate.matching import Array, Pairs, match_vehicles
from jamline.evaluate.queues import match_queues
from jamline.evaluate.scores import Evaluation, Score
from jamline.road import metres_per_degree
from jamline.tables import TRUCK_M

_CUT_SHARE = 0.01
"""Share of a footprint that may lie where nothing was seen, before the vehicle counts as cut."""

_GEOD = Geod(ellps="WGS84")


def evaluate(outdir: str | Path, truth_dir: str | Path, *, match_m: float = 2.5) -> Evaluation:
    """Hold a result against the truth.

    Parameters
    ----------
    outdir : str or Path
        A result folder: `vehicles.geojson`, `coverage.geojson`, `run.json`, and `road.geojson` if there.
    truth_dir : str or Path
        At least `vehicles.geojson`, footprints in WGS 84. With `queues.json`, queues with stations on the
        road of `road.geojson`, queues are compared as well. A simulated scene's folder holds it as `truth`.
    match_m : float
        Centres of partners lie at most this far apart, for long vehicles half the true vehicle's length.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If a file is missing or cannot be read.
    """
    out, truth = Path(outdir), Path(truth_dir)
    if not (truth / "vehicles.geojson").exists() and (truth / "truth" / "vehicles.geojson").exists():
        truth = truth / "truth"
    run = read_json(out / "run.json")
    if not isinstance(run, dict) or not isinstance(run.get("roads"), list):
        raise InputError(f"Invalid file '{out / 'run.json'}'. Must be a run record with its roads.")
    found_vehicles = _vehicles(out / "vehicles.geojson")
    true_vehicles = _vehicles(truth / "vehicles.geojson")
    seen = _seen(out)
    counts_found = seen.shows(found_vehicles)
    counts_true = seen.shows(true_vehicles)
    radius = np.maximum(match_m, true_vehicles.length_m / 2)

    pairs, distance = _matched(found_vehicles, true_vehicles, counts_found, counts_true, radius)
    spare = counts_found.copy()
    spare[pairs[:, 0]] = False
    # What was found on a vehicle that does not count is no false alarm either.
    lost, _ = _matched(found_vehicles, true_vehicles, spare, ~counts_true, radius)
    counts_found[lost[:, 0]] = False

    hit_found, hit_true = np.zeros(len(counts_found), bool), np.zeros(len(counts_true), bool)
    hit_found[pairs[:, 0]] = True
    hit_true[pairs[:, 1]] = True
    scores = []
    for kind in ("all", "car", "truck"):
        of_found = counts_found & found_vehicles.is_kind(kind)
        of_true = counts_true & true_vehicles.is_kind(kind)
        scores.append(
            Score(
                kind,
                int(of_true.sum()),
                int(of_found.sum()),
                int(hit_true[of_true].sum()),
                int(hit_found[of_found].sum()),
            )
        )
    queues, missed, false = match_queues(out, truth, run, seen.seen)
    return Evaluation(
        vehicles=tuple(scores),
        ignored_truth=int((~counts_true).sum()),
        ignored_found=int((~counts_found).sum()),
        distance_m=float(np.median(distance)) if len(distance) else math.nan,
        queues=queues,
        missed_queues=missed,
        false_queues=false,
    )


@dataclass(frozen=True, eq=False)
class _Vehicles:
    """Footprints with what is needed of them."""

    shapes: npt.NDArray[np.object_]
    length_m: Array
    truck: npt.NDArray[np.bool_]

    @property
    def xyz_m(self) -> Array:
        """Centres as geocentric coordinates, shape (n, 3): metres are metres wherever on the globe."""
        centre = shapely.centroid(self.shapes)
        lon, lat = np.radians(shapely.get_x(centre)), np.radians(shapely.get_y(centre))
        n = _GEOD.a / np.sqrt(1.0 - _GEOD.es * np.sin(lat) ** 2)
        return np.column_stack(
            [n * np.cos(lat) * np.cos(lon), n * np.cos(lat) * np.sin(lon), n * (1.0 - _GEOD.es) * np.sin(lat)]
        )

    def is_kind(self, kind: str) -> npt.NDArray[np.bool_]:
        if kind == "all":
            return np.ones(len(self.truck), dtype=bool)
        return self.truck if kind == "truck" else ~self.truck


@dataclass(frozen=True, eq=False)
class _Seen:
    """Where vehicles count."""

    seen: Any
    unseen: Any

    def shows(self, vehicles: _Vehicles) -> npt.NDArray[np.bool_]:
        """Tell which vehicles were in sight, whole."""
        if not len(vehicles.shapes):
            return np.zeros(0, dtype=bool)
        inside = shapely.covers(self.seen, shapely.centroid(vehicles.shapes))
        cut = shapely.area(shapely.intersection(vehicles.shapes, self.unseen))
        shows: npt.NDArray[np.bool_] = inside & (cut <= _CUT_SHARE * shapely.area(vehicles.shapes))
        return shows


def _matched(
    found: _Vehicles,
    truth: _Vehicles,
    of_found: npt.NDArray[np.bool_],
    of_truth: npt.NDArray[np.bool_],
    radius_m: Array,
) -> tuple[Pairs, Array]:
    """Match some of the vehicles; return pairs of indices into all of them, and distances."""
    a, b = np.flatnonzero(of_found), np.flatnonzero(of_truth)
    one, other = found.xyz_m[a], truth.xyz_m[b]
    pairs = match_vehicles(one, other, radius_m[b])
    distance = np.linalg.norm(one[pairs[:, 0]] - other[pairs[:, 1]], axis=1)
    return np.column_stack([a[pairs[:, 0]], b[pairs[:, 1]]]), distance


def _seen(out: Path) -> _Seen:
    """Read where the result saw the road."""
    shapes, properties = features(out / "coverage.geojson")
    shown = np.array([bool(p.get("seen")) for p in properties], dtype=bool)
    area = [shapely.union_all(shapes[shown]), shapely.union_all(shapes[~shown])]
    shapely.prepare(area)
    return _Seen(*area)


def _vehicles(path: Path) -> _Vehicles:
    """Read footprints; length and kind come from the shape where the file does not tell."""
    shapes, properties = features(path)
    measured = [_long_side_m(shape) for shape in shapes]
    length = np.array([float(p.get("length_m") or m) for p, m in zip(properties, measured, strict=True)], dtype=float)
    truck = np.array(
        [p["kind"] == "truck" if p.get("kind") else n > TRUCK_M for p, n in zip(properties, length, strict=True)],
        dtype=bool,
    )
    return _Vehicles(shapes, length, truck)


def _long_side_m(shape: Any) -> float:
    """Return the longer side of the narrowest box around a footprint, in metres."""
    corners = shapely.get_coordinates(shape)
    metric = metres_per_degree(corners[:1, 1])[0]
    local = shapely.Polygon((corners - corners[0]) * metric)
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(local))
    return float(np.linalg.norm(np.diff(box, axis=0), axis=1).max())
