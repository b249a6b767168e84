"""What the signs of a trained network are worth: how many vehicles of running lanes it finds, and how many it makes up.

Scenes are surveyed as a user would have it, for what counts as seen, and where the lanes end, is told by the survey.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import shapely

import jamline as jl
from jamline.corridor import Hidden
from jamline.detect._sight import Sight
from jamline.detect._signs import Insight, Signs
from jamline.detect.network import Network
from jamline.errors import JamlineError
from jamline.evaluate.matching import match_vehicles
from jamline.synth import simulate
from training.detector.samples import COARSEST_M, FINEST_M
from training.fits import counted, fitted
from training.scenes import scene_for

Array = npt.NDArray[np.float64]

_STREAM = 79
_LENGTH_KM = 1.0
_APART_M = 2.5


@dataclass(frozen=True, eq=False)
class Witness:
    """One scene's vehicles of running lanes, with the network's signs at each.

    Parameters
    ----------
    gsd_m : float
        Resolution of the imagery.
    doubt, named : array, shape (n,)
        `Signs` at each true vehicle.
    found : array of bool, shape (n,)
        Whether it was found.
    false : int
        Vehicles found in running lanes that are none.
    weak : float
        What the scores of weak boxes lacked of 1, by `Signs`.
    seen_km : float
        Road that was seen.
    """

    gsd_m: float
    doubt: Array
    named: Array
    found: npt.NDArray[np.bool_]
    false: int
    weak: float
    seen_km: float


def witnesses(network: Network, seeds: range, *, workers: int) -> list[Witness]:
    """Survey scenes that were not learned from; those that a survey refuses are left out."""
    with ProcessPoolExecutor(workers, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        every = list(pool.map(witness_of, repeat(network), seeds, chunksize=4))
    return [each for each in every if each is not None]


def witness_of(network: Network, seed: int) -> Witness | None:
    """Survey one scene."""
    spec, gsd_m = scene_for(seed, stream=_STREAM, finest_m=FINEST_M, coarsest_m=COARSEST_M, length_km=_LENGTH_KM)
    with tempfile.TemporaryDirectory() as folder:
        scene = simulate(spec, Path(folder) / "scene")
        features = json.loads((scene / "truth" / "vehicles.geojson").read_text())["features"]
        try:
            with jl.open_scene(scene) as images:
                return _witness(network, jl.lay_flat(images, jl.read_road(scene / "road.geojson")), features, gsd_m)
        except JamlineError:
            return None


def _witness(network: Network, corridor: jl.Corridor, features: Sequence[dict[str, object]], gsd_m: float) -> Witness:
    road, wide_m = corridor.road, corridor.carriageway_m
    middle = [shapely.geometry.shape(each["geometry"]).centroid for each in features]
    station, offset = road.to_road([at.x for at in middle], [at.y for at in middle])
    parked = np.array([each["properties"]["state"] == "parked" for each in features], bool)  # type: ignore[index]
    length_m = np.array([each["properties"]["length_m"] for each in features], float)  # type: ignore[index]
    signs_of: list[tuple[Array, Array, npt.NDArray[np.bool_]]] = []
    false, weak, seen_km = 0, 0.0, 0.0
    for section in corridor.sections():
        grid, core = section.grid, section.core
        told, signs = network.look(section, carriageway_m=wide_m)
        boxes, sight = told.boxes, Sight.of(section, told, road, wide_m)
        seen = sight.hidden == Hidden.SEEN

        def was_seen(station_m: Array, offset_m: Array) -> npt.NDArray[np.bool_]:
            bin_of = np.clip(np.searchsorted(sight.start_m, station_m, side="right") - 1, 0, seen.shape[1] - 1)  # noqa: B023
            side = road.side_of(offset_m)
            return np.asarray(seen[[road.sides.index(each) for each in side], bin_of])  # noqa: B023

        near = (station >= core.start_m - 20) & (station < core.end_m + 20)
        pairs = match_vehicles(
            np.column_stack([boxes.station_m, boxes.offset_m]),
            np.column_stack([station, offset])[near],
            np.maximum(_APART_M, length_m[near] / 2),
        )
        hit = np.zeros(len(station), bool)
        hit[np.flatnonzero(near)[pairs[:, 1]]] = True
        asked = (station >= core.start_m) & (station < core.end_m) & ~parked & (np.abs(offset) < wide_m / 2)
        asked[asked] = was_seen(station[asked], offset[asked])
        column = np.clip(((station[asked] - grid.start_m) / grid.pixel_m).astype(int), 0, grid.columns - 1)
        signs_of.append((signs.doubt[column], signs.named[column], hit[asked]))
        made_up = np.ones(len(boxes), bool)
        made_up[pairs[:, 0]] = False
        made_up &= (np.abs(boxes.offset_m) < wide_m / 2) & (boxes.parked < 0.5)
        made_up &= (boxes.station_m >= core.start_m) & (boxes.station_m < core.end_m)
        made_up[made_up] = was_seen(boxes.station_m[made_up], boxes.offset_m[made_up])
        false += int(made_up.sum())
        at = grid.station_m()
        shown = (at >= core.start_m) & (at < core.end_m)
        share = np.interp(at, sight.start_m, seen.mean(axis=0))
        weak += float((signs.weak_per_km * share)[shown].sum() * grid.pixel_m / 1000)
        seen_km += float(share[shown].sum() * grid.pixel_m / 1000)
    doubt, named, found = (np.concatenate(parts) for parts in zip(*signs_of, strict=True))
    return Witness(gsd_m, doubt, named, found, false, weak, seen_km)


def insight_of(seen: Sequence[Witness]) -> Insight:
    """Find what the signs are worth.

    Parameters
    ----------
    seen : sequence of Witness
        Of many scenes.
    """
    finer = np.log([each.gsd_m / 0.5 for each in seen])
    count = np.array([len(each.found) for each in seen])
    gsd = np.repeat(finer, count)
    doubt, named = (np.concatenate([getattr(each, name) for each in seen]) for name in ("doubt", "named"))
    found = np.concatenate([each.found for each in seen])
    # A full scene tells more than an empty one, but not by as much as it has vehicles: those of one scene are alike.
    weight = np.repeat(np.maximum(count, 1) ** -0.5, count)
    false, km = np.array([each.false for each in seen]), np.array([each.seen_km for each in seen])
    figures = (
        *fitted(found, doubt, named, gsd, weight=weight),
        false.sum() / sum(each.weak for each in seen),
        *fitted(found, gsd, weight=weight),
        *counted(false, km, finer),
    )
    return Insight(*(round(float(figure), 4) for figure in figures))


def told_by_share(insight: Insight, seen: Sequence[Witness]) -> list[str]:
    """Return lines that hold the share said to be found against the share that was, from the least said to the most."""
    said = np.concatenate([insight.recall(Signs(each.named, each.doubt, each.doubt), each.gsd_m) for each in seen])
    found = np.concatenate([each.found for each in seen])
    order = np.argsort(said)
    return [f"said {said[part].mean():.3f}, found {found[part].mean():.3f}" for part in np.array_split(order, 8)]
