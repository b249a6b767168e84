"""What a person changed in `jam.gpkg`, found by holding it against what the detector had left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import shapely

from jamline import tables
from jamline.errors import ReviewError
from jamline.outputs import Kept, Told
from jamline.review._placing import placed

Bools = npt.NDArray[np.bool_]

LAYERS = ("queues", "vehicles", "coverage", "road")

_SAME_DEG = 1e-8
"""Vertices this near, a millimetre, were not moved: some programs round what they save."""


@dataclass(frozen=True, eq=False)
class Edits:
    """The vehicles after a review.

    Parameters
    ----------
    vehicles : GeoDataFrame
        Those that are there, schema `tables.VEHICLES` with ``fid``, ``review`` told in full, and ``person``: the state
        that a person gave it, else empty. In order of station on each road.
    found : GeoDataFrame
        Those that the detector found, with ``right``, False where a person rejected or deleted it, and ``marked``,
        True where a person said or changed anything.
    written : DataFrame
        By ``fid``, the rows of `jam.gpkg` that are rewritten: rejected, placed and told ones.
    """

    vehicles: Any = field(repr=False)
    found: Any = field(repr=False)
    written: pd.DataFrame = field(repr=False)

    @property
    def added(self) -> Any:
        """Vehicles that the detector had missed."""
        return self.vehicles[~self.vehicles["fid"].isin(self.found["fid"])]


def read_layer(path: Path, layer: str) -> Any:
    """Read an edited layer in WGS 84, by ``fid``, or say what is wrong with it.

    Raises
    ------
    ReviewError
        If the file or the layer is gone, a column is missing, or the geometry is of another type.
    """
    if not path.is_file():
        raise ReviewError(f"Invalid result '{path}'. Must be a GeoPackage that exists.")
    schema = tables.SCHEMAS[layer]
    try:
        there = {str(name) for name in pyogrio.list_layers(path)[:, 0]}
        if layer not in there:
            raise ReviewError(f"Invalid result '{path}'. Must hold the layer '{layer}'.")
        frame = pyogrio.read_dataframe(path, layer=layer, fid_as_index=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise ReviewError(f"Invalid result '{path}'. Must be a GeoPackage that can be read.") from error
    where = f"in layer '{layer}' of '{path}'"
    missing = [name for name in schema.names if name not in frame.columns]
    if missing:
        raise ReviewError(f"Invalid columns {where}. Must still have {', '.join(missing)}.")
    kind = pyogrio.read_info(path, layer=layer)["geometry_type"]
    kinds = set(frame.geometry.geom_type.dropna()) if "geometry" in frame else {str(kind)}
    wrong = kinds - {schema.geometry, f"Multi{schema.geometry}"}
    if wrong or "geometry" not in frame:
        raise ReviewError(f"Invalid geometry '{', '.join(sorted(wrong))}' {where}. Must be {schema.geometry}.")
    if frame.crs is None:
        raise ReviewError(f"Invalid geometry without a CRS {where}. Must have one.")
    return frame.to_crs(tables.WGS84)


def read_edits(path: Path, kept: Kept) -> Edits:
    """Read what a person made of the vehicles.

    Parameters
    ----------
    path : Path
        The edited `jam.gpkg`.
    kept : Kept
        What the detector had left, and the states written last.

    Raises
    ------
    ReviewError
        If the file is no longer a result, or a vehicle no vehicle.
    """
    frames = {layer: read_layer(path, layer) for layer in LAYERS}
    edited = frames["vehicles"]
    review = _words(edited, "review", tables.REVIEWS, path)
    state = _words(edited, "state", tables.STATES, path)
    base = pd.concat([each.vehicles for each in kept.evidence], ignore_index=True).set_index("fid")
    known = edited.index.isin(base.index)
    there = (review != "rejected").to_numpy()
    person = _by_person(state, base, kept.told)
    shapes = np.array([_single(shape) for shape in edited.geometry], dtype=object)
    moved = np.zeros(len(edited), dtype=bool)
    both = np.flatnonzero(known & there)
    moved[both] = ~shapely.equals_exact(shapes[both], base.geometry.loc[edited.index[both]].to_numpy(), _SAME_DEG)
    fresh = there & (moved | ~known)
    drawn = placed(shapes[fresh], edited.index[fresh].tolist(), kept.evidence, source=str(path))
    drawn["fid"] = edited.index[fresh].to_numpy()
    same = base.loc[edited.index[there & known & ~moved]].reset_index()
    vehicles = pd.concat([frame for frame in (same, drawn) if len(frame)] or [same], ignore_index=True)
    by_fid = pd.Index(vehicles["fid"])
    vehicles["person"] = person.reindex(by_fid).to_numpy()
    said = review.where((review != "") | ~_touched(edited.index, known, moved, person), "accepted")
    said[there & ~known] = "added"
    vehicles["review"] = said.reindex(by_fid).to_numpy()
    # What a person has looked at is a vehicle for sure.
    vehicles.loc[vehicles["review"] != "", "score"] = 1.0
    was = base["state"].reindex(by_fid).fillna("flowing").to_numpy()
    vehicles["state"] = np.where(vehicles["person"] != "", vehicles["person"], was)
    found = base.reset_index()
    found["right"] = found["fid"].isin(edited.index[there])
    found["marked"] = ~found["fid"].isin(said.index[said == ""])
    order = np.lexsort((vehicles["fid"], vehicles["station_m"], vehicles["road"]))
    written = drawn.drop(columns=["geometry", "score", "state", "review", "motion"]).set_index("fid")
    return Edits(vehicles.iloc[order].reset_index(drop=True), found, written.join(said.rename("review"), how="outer"))


def _words(frame: Any, column: str, allowed: tuple[str, ...], path: Path) -> pd.Series:
    """Return a column of words, empty where there is none."""
    words = frame[column].fillna("").astype(str).str.strip().str.lower()
    for fid, word in words[~words.isin(("", *allowed))].items():
        raise ReviewError(
            f"Invalid {column} '{word}' of vehicle '{fid}' in '{path}'. Must be {', '.join(allowed)}, or nothing."
        )
    return words


def _by_person(state: pd.Series, base: Any, told: Mapping[int, Told]) -> pd.Series:
    """Return the states that persons gave, now or before an earlier measuring; empty elsewhere."""
    last = base["state"].reindex(state.index).fillna("")
    before = pd.Series({fid: each.state for fid, each in told.items()}, dtype=object).reindex(state.index)
    last = before.where(before.notna(), last)
    earlier = state.index.isin([fid for fid, each in told.items() if each.by_person])
    return state.where((state != last) | earlier, "")


def _touched(fids: pd.Index, known: Bools, moved: Bools, person: pd.Series) -> Bools:
    """Tell which vehicles a person vouched for without a word: moved them, or gave them a state."""
    vouched: Bools = np.asarray(known & (moved | (person.reindex(fids) != "").to_numpy()))
    return vouched


def _single(shape: Any) -> Any:
    """Return the one part of a shape of several types that has one."""
    parts = [] if shape is None else shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else shape
