"""How well each few metres of a side were seen, told from what a detector says of each column of a section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from jamline import tables
from jamline.corridor import Hidden, Section
from jamline.detect._protocol import Found
from jamline.road import Road

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]

_BIN_M = 10.0
"""Stretches in which sight is told."""

_SEEN_SHARE = 0.6
"""Share of a side's running lanes that must be seen for the stretch to count as seen."""

_REASONS = np.array([code.reason for code in Hidden], dtype=object)


@dataclass(frozen=True, eq=False)
class Sight:
    """Sight of one section, in bins.

    Parameters
    ----------
    start_m, end_m : array, shape (bins,)
        Stations.
    hidden : array of uint8, shape (sides, bins)
        `Hidden` codes: what hides most of a side's lanes, or that enough of them was seen.
    recall, false_per_km : array, shape (bins,)
        Means of what the detector says, false vehicles over the whole carriageway.
    """

    start_m: Array
    end_m: Array
    hidden: Codes
    recall: Array
    false_per_km: Array

    @classmethod
    def of(cls, section: Section, found: Found, road: Road, carriageway_m: float) -> Sight:
        """Tell for each side of the road, in bins, what share was seen and how well."""
        grid = section.grid
        offset = grid.offset_m()
        first = round(section.core.start_m / _BIN_M)
        # What is left of the road after the last bin, if it is no pixel long, belongs to that bin.
        stop_m = min(section.core.end_m, road.length_m)
        last = max(first + 1, int(np.ceil((stop_m - grid.pixel_m) / _BIN_M - 1e-9)))
        station = grid.station_m()
        start_m = np.arange(first, last, dtype=np.float64) * _BIN_M
        end_m = np.arange(first + 1, last + 1, dtype=np.float64) * _BIN_M
        if stop_m >= road.length_m:
            end_m[-1] = road.length_m
        low, high = np.searchsorted(station, start_m), np.searchsorted(station, end_m)
        lanes = np.abs(offset) < max(carriageway_m / 2, 1.0)
        of_rows = road.side_of(offset)
        hidden = [_hidden(found.hidden[lanes & (of_rows == side)], low, high) for side in road.sides]
        return cls(
            start_m, end_m, np.array(hidden), _means(found.recall, low, high), _means(found.false_per_km, low, high)
        )


def sight_table(parts: Sequence[Sight], sides: Sequence[str]) -> pd.DataFrame:
    """Put the sight of successive sections together: schema `tables.SIGHT`, in each section side by side."""
    hidden = np.concatenate([part.hidden.ravel() for part in parts])

    def twice(name: str) -> Array:
        return np.concatenate([np.tile(getattr(part, name), len(sides)) for part in parts])

    columns = {
        "side": np.concatenate([np.repeat(np.array(sides, object), part.hidden.shape[1]) for part in parts]),
        "start_m": twice("start_m"),
        "end_m": twice("end_m"),
        "seen": hidden == Hidden.SEEN,
        "reason": _REASONS[hidden],
        "recall": twice("recall"),
        # False ones are told over the carriageway; each side has its share.
        "false_per_km": twice("false_per_km") / len(sides),
    }
    frame: pd.DataFrame = tables.table(tables.SIGHT, columns)
    return frame


def _hidden(codes: Codes, low: npt.NDArray[np.intp], high: npt.NDArray[np.intp]) -> Codes:
    """Return what hides most of each bin of a side, shape (bins,); codes of shape (rows, columns)."""
    rows, columns = codes.shape
    # Pixels of each code up to each column; those nearer to another stretch tell nothing of this one.
    count = np.zeros((len(Hidden) - 1, len(low)), np.int64)
    present = np.flatnonzero(np.bincount(codes.ravel(), minlength=len(count))[: len(count)])
    for code in present:
        if len(present) == 1 and code == codes.flat[0] and (codes == code).all():
            count[code] = rows * (high - low)
        else:
            upto = np.zeros(columns + 1, np.int64)
            np.cumsum(np.count_nonzero(codes == code, axis=0), out=upto[1:])
            count[code] = upto[high] - upto[low]
    total = count.sum(axis=0)
    seen = (total > 0) & (count[Hidden.SEEN] >= _SEEN_SHARE * total)
    most = np.where(total > 0, count[1:].argmax(axis=0) + 1, Hidden.OUTSIDE)
    return np.where(seen, Hidden.SEEN, most).astype(np.uint8)


def _means(values: Array, low: npt.NDArray[np.intp], high: npt.NDArray[np.intp]) -> Array:
    """Return the mean of each bin's columns, 0 where it has none, shape (bins,)."""
    means = np.zeros(len(low))
    count = high - low
    for size in np.unique(count[count > 0]):
        # Bins of as many columns together, or a long road spends much of its time here.
        alike = np.flatnonzero(count == size)
        means[alike] = values[low[alike, None] + np.arange(size)].mean(axis=1)
    return means
