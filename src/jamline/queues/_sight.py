"""How well each bin of one side was seen: metres seen, share found, false vehicles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.evidence import Evidence
from jamline.queues._chain import BIN_M

Array = npt.NDArray[np.float64]

_BLIND_M = 0.4 * BIN_M
"""A bin of which less was seen says nothing of where a queue ends."""


@dataclass(frozen=True, eq=False)
class Sight:
    """Sight of one side, in bins.

    Parameters
    ----------
    edge_m : array, shape (bins + 1,)
        Stations of the bins' edges.
    seen_m : array, shape (bins + 1,)
        Metres seen up to each edge.
    recall : array, shape (bins,)
        Share of the vehicles that is found.
    false_per_m : array, shape (bins,)
        False vehicles per metre seen.
    """

    edge_m: Array
    seen_m: Array
    recall: Array
    false_per_m: Array

    @classmethod
    def of_side(cls, evidence: Evidence, side: str) -> Sight:
        """Cut the table of sight into bins; where a bin straddles two rows, it gets the mean of them."""
        length_m = evidence.road.length_m
        edge_m = np.append(np.arange(0.0, max(length_m - 0.5 * BIN_M, 0.5 * BIN_M), BIN_M), length_m)
        rows = evidence.sight[evidence.sight["side"] == side].sort_values("start_m")
        stop_m = np.append(0.0, rows["end_m"].to_numpy(float))
        seen = rows["seen"].to_numpy(float) * np.diff(stop_m)

        def summed(share: Array) -> Array:
            at_edges: Array = np.interp(edge_m, stop_m, np.append(0.0, np.cumsum(seen * share)))
            return at_edges

        seen_m = summed(np.ones(len(rows)))
        width = np.maximum(np.diff(seen_m), 1e-9)
        recall = np.diff(summed(rows["recall"].to_numpy(float))) / width
        false = np.diff(summed(rows["false_per_km"].to_numpy(float))) / width
        return cls(edge_m, seen_m, recall, false / 1000.0)

    @property
    def blind(self) -> npt.NDArray[np.bool_]:
        """Bins that were not seen, shape (bins,)."""
        unseen: npt.NDArray[np.bool_] = np.diff(self.seen_m) < np.minimum(_BLIND_M, 0.5 * np.diff(self.edge_m))
        return unseen

    def bin_of(self, station_m: Array) -> npt.NDArray[np.int64]:
        """Return the bin in which each station lies, shape (n,)."""
        index = np.searchsorted(self.edge_m, station_m, side="right") - 1
        return np.clip(index, 0, len(self.recall) - 1).astype(np.int64)

    def seen_to_m(self, station_m: Array) -> Array:
        """Return the metres seen up to each station, shape (n,)."""
        seen_m: Array = np.interp(station_m, self.edge_m, self.seen_m)
        return seen_m
