"""Stretches drawn at random for a person to look at, more likely where more is expected to be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio

from jamline import tables
from jamline.errors import NothingToMeasureError, OutputError, ReviewError, UsageError
from jamline.evidence import Evidence
from jamline.outputs import GEOPACKAGE, KEPT, check_outdir, read_kept, read_run, result_folder
from jamline.outputs.geojson import write_geojson
from jamline.outputs.geopackage import add_layer
from jamline.review._edits import read_layer
from jamline.review._estimate import Count, chances, difference_estimate, draw, floored
from jamline.review._files import copied
from jamline.review._looked import STRETCH_M, Places, within
from jamline.spans import Span, intersect, total_m

Array = npt.NDArray[np.float64]

LAYER = "spotcheck"

_LONE_PER_M = 4.0 / 1000.0
"""Vehicles on a clear road, as the queue model takes it: where none was found, one may have been missed."""

_RECALL = (0.05, 0.995)
"""Least and most recall that is believed of a detector."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A spot check as it lies in the edited file.

    Parameters
    ----------
    table : GeoDataFrame
        Schema `tables.SPOTCHECK`.
    """

    table: Any = field(repr=False)

    def reviewed(self) -> Places:
        """Return the stretches that somebody has looked at."""
        places: dict[tuple[str, str], list[Span]] = {}
        for row in self._looked_at().itertuples():
            places.setdefault((row.road, row.side), []).append(Span(row.start_m, row.end_m))
        return places

    def count(self, vehicles: Any) -> Count | None:
        """Return what the stretches looked at say of all; ``None`` where none was looked at.

        Parameters
        ----------
        vehicles : GeoDataFrame
            Those that a person left or added there, with their states.
        """
        looked = self._looked_at()
        if looked.empty:
            return None
        on_road = vehicles[vehicles["state"] != "parked"]
        there = np.array(
            [
                within(on_road, {(row.road, row.side): [Span(row.start_m, row.end_m)]}).sum()
                for row in looked.itertuples()
            ],
            dtype=float,
        )
        # Those left for later are as good as left by chance: they are numbered in an order of chance.
        chance = looked["probability"].to_numpy(float) * len(looked) / len(self.table)
        estimate = difference_estimate(
            float(looked["of_expected"].iloc[0]),
            there - looked["expected"].to_numpy(float),
            looked["doubt"].to_numpy(float),
            chance,
            least=float(there.sum()),
        )
        return Count(
            vehicles=estimate,
            reviewed=len(looked),
            drawn=len(self.table),
            stretches=int(looked["of_stretches"].iloc[0]),
            found=int(looked["found"].sum()),
            there=int(there.sum()),
        )

    def _looked_at(self) -> Any:
        return self.table[self.table["reviewed"] == "yes"]


def spotcheck(
    outdir: str | Path, *, size: int = 20, seed: int = 0, side: str | None = None, overwrite: bool = False
) -> Drawn:
    """Draw stretches of a result for a person to look at, and add them to it.

    Parameters
    ----------
    outdir : str or Path
        A result folder. `jam.gpkg` gets a layer ``spotcheck``, beside it comes the same as GeoJSON.
    size : int
        How many stretches of 50 m.
    seed : int
        Seed of the draw.
    side : str, optional
        Draw from this side only, and count it alone.
    overwrite : bool
        Replace an earlier spot check, with what was marked on it.

    Returns
    -------
    Drawn

    Raises
    ------
    UsageError
        If there is a spot check already, or fewer than one stretch is asked for.
    NothingToMeasureError
        If nothing was seen on that side.
    OutputError
        If the folder is no result, or cannot be written.
    """
    if size < 1:
        raise UsageError(f"Invalid number of stretches '{size}'. Must be at least 1.")
    folder = Path(outdir)
    read_run(folder)
    kept = read_kept(folder / KEPT)
    path = folder / GEOPACKAGE
    read_layer(path, "vehicles")
    if drawn_stretches(path) and not overwrite:
        raise UsageError(f"Invalid spot check in '{path}'. Must not be there yet; draw anew with --overwrite.")
    drawn = draw_stretches(kept.evidence, size=size, seed=seed, side=side)
    check_outdir(outdir, overwrite=True)
    with result_folder(outdir, overwrite=True) as draft:
        copied(draft, folder)
        add_layer(draft / GEOPACKAGE, LAYER, drawn.table)
        (draft / f"{LAYER}.geojson").unlink(missing_ok=True)
        write_geojson(draft, {LAYER: drawn.table})
    return drawn


def draw_stretches(evidence: Sequence[Evidence], *, size: int, seed: int, side: str | None = None) -> Drawn:
    """Draw stretches from what was seen of some roads.

    Parameters
    ----------
    evidence : sequence of Evidence
        As the detector left it, one for each road.
    size, seed, side
        As in `spotcheck`.
    """
    sides = {each for road in evidence for each in road.road.sides}
    if side is not None and side not in sides:
        raise UsageError(f"Invalid side '{side}'. Must be {', '.join(sorted(sides))}.")
    frame = pd.concat([_frame(each, name) for each in evidence for name in each.road.sides if side in (None, name)])
    if frame.empty:
        raise NothingToMeasureError("Invalid spot check. Must have a stretch that was seen; there is none.")
    frame = frame.reset_index(drop=True).assign(doubt=floored(frame["doubt"].to_numpy(float)))
    size = min(size, len(frame))
    chance = chances(frame["doubt"].to_numpy(float), size)
    chosen = draw(chance, np.random.default_rng(seed))
    rows = frame.iloc[chosen]
    columns = {name: rows[name].to_numpy() for name in frame.columns} | {
        "number": np.arange(1, len(rows) + 1),
        "reviewed": "",
        "probability": chance[chosen],
        "of_stretches": len(frame),
        "of_expected": float(frame["expected"].sum()),
        "seed": seed,
    }
    of_road = {each.road.name: each for each in evidence}
    shapes = [_outline(of_road[row.road], row) for row in rows.itertuples()]
    return Drawn(tables.table(tables.SPOTCHECK, columns, geometry=shapes))


def drawn_stretches(path: Path) -> Drawn | None:
    """Read the spot check of an edited `jam.gpkg`; ``None`` where it has none.

    Raises
    ------
    ReviewError
        If its layer is no longer one.
    """
    try:
        there = {str(name) for name in pyogrio.list_layers(path)[:, 0]}
    except pyogrio.errors.DataSourceError as error:
        raise ReviewError(f"Invalid result '{path}'. Must be a GeoPackage that can be read.") from error
    if LAYER not in there:
        return None
    frame = read_layer(path, LAYER).fillna({"reviewed": ""})
    frame["reviewed"] = frame["reviewed"].astype(str).str.strip().str.lower()
    for word in set(frame["reviewed"]) - {"yes", ""}:
        raise ReviewError(f"Invalid reviewed '{word}' in layer '{LAYER}' of '{path}'. Must be yes or nothing.")
    try:
        table = tables.check(frame, tables.SPOTCHECK, source=str(path))
    except OutputError as error:
        raise ReviewError(str(error)) from error
    chance = table["probability"]
    if not chance.between(0.0, 1.0, inclusive="right").all():
        raise ReviewError(f"Invalid probability in layer '{LAYER}' of '{path}'. Must be between 0 and 1, as drawn.")
    return Drawn(table)


def _frame(evidence: Evidence, side: str) -> pd.DataFrame:
    """Return the stretches of one side of which anything was seen, with what is expected on them."""
    length_m = evidence.road.length_m
    edge = np.append(np.arange(0.0, max(length_m - 0.5 * STRETCH_M, 1.0), STRETCH_M), length_m)
    sight = evidence.sight[(evidence.sight["side"] == side) & evidence.sight["seen"]].sort_values("start_m")
    seen = [Span(row.start_m, row.end_m) for row in sight.itertuples()]
    seen_m = np.array([total_m(intersect(seen, Span(a, b))) for a, b in pairwise(edge)])
    recall = np.clip(_mean_recall(sight, edge), *_RECALL)
    vehicles = evidence.vehicles
    on_road = vehicles[(vehicles["side"] == side) & (vehicles["state"] != "parked")]
    place = np.clip(np.searchsorted(edge, on_road["station_m"].to_numpy(float), side="right") - 1, 0, len(seen_m) - 1)
    score = np.clip(on_road["score"].to_numpy(float), 0.01, 0.99)

    def summed(values: Array) -> Array:
        total: Array = np.bincount(place, values, minlength=len(seen_m)).astype(float)
        return total

    true = summed(score)
    missed = np.maximum(true / recall, _LONE_PER_M * seen_m) * (1.0 - recall)
    frame = pd.DataFrame(
        {
            "road": evidence.road.name,
            "side": side,
            "start_m": edge[:-1],
            "end_m": edge[1:],
            "found": summed(np.ones(len(score))).astype(np.int64),
            "expected": true + missed,
            "doubt": summed(1.0 - score) + missed,
        }
    )
    return frame[seen_m > 0]


def _mean_recall(sight: pd.DataFrame, edge: Array) -> Array:
    """Return the mean recall of each stretch where it was seen, shape (stretches,)."""
    total, weight = np.zeros(len(edge) - 1), np.zeros(len(edge) - 1)
    for row in sight.itertuples():
        shared = np.minimum(edge[1:], row.end_m) - np.maximum(edge[:-1], row.start_m)
        total += np.maximum(shared, 0.0) * row.recall
        weight += np.maximum(shared, 0.0)
    return total / np.maximum(weight, 1e-9)


def _outline(evidence: Evidence, row: Any) -> Any:
    """Return a stretch of one side as a polygon as wide as what was looked at."""
    half_m = evidence.half_width_m
    right_m, left_m = {"left": (0.0, half_m), "right": (-half_m, 0.0), "all": (-half_m, half_m)}[row.side]
    return evidence.road.box(row.start_m, row.end_m, right_m, left_m)
