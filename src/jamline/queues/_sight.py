"""How well each bin of one side was seen: metres seen, share found, false vehicles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from jamline.evidence import Evidence
from jamline.queues._chain import BIN_M

Array = npt.NDArray[np.float64]

_LEAST_FALSE_PER_M = 0.1 / 1000.0
"""No detector invents fewer."""

_LIMITS = 0.02, 0.995
"""Recalls are taken to be off within these."""

Places = slice | npt.NDArray[np.int64]
_ALL = slice(None)

_BLIND_M = 0.4 * BIN_M
"""A bin of which less was seen says nothing of where a queue ends."""


@dataclass(frozen=True, eq=False)
class Sight:
    """Sight of one side, in bins, as the detector tells it or by a reading that takes it to be a little off.

    On a long road the readings of it would fill memory; they are worked out where they are asked for.

    Parameters
    ----------
    edge_m : array, shape (bins + 1,)
        Stations of the bins' edges.
    seen_m : array, shape (bins + 1,)
        Metres seen up to each edge.
    told_recall : array, shape (bins,)
        Share of the vehicles that is found, as the detector tells it.
    told_false_per_m : array, shape (bins,)
        False vehicles per metre seen, as the detector tells it.
    off : tuple of float, optional
        By how much log odds of recall and logarithm of false vehicles are taken to be off.
    """

    edge_m: Array
    seen_m: Array
    told_recall: Array
    told_false_per_m: Array
    off: tuple[float, float] | None = None

    @property
    def bins(self) -> int:
        """How many there are."""
        return len(self.edge_m) - 1

    def recall(self, bins: Places = _ALL) -> Array:
        """Return the share of the vehicles that is found, shape (bins,); by default in all bins."""
        told = self.told_recall[bins]
        if self.off is None:
            return told
        recall: Array = special.expit(special.logit(np.clip(told, *_LIMITS)) + self.off[0])
        return recall

    def false_per_m(self, bins: Places = _ALL) -> Array:
        """Return the false vehicles per metre seen, shape (bins,); by default in all bins."""
        told = self.told_false_per_m[bins]
        if self.off is None:
            return told
        false: Array = np.maximum(told, _LEAST_FALSE_PER_M) * np.exp(self.off[1])
        return false

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
        return np.clip(index, 0, self.bins - 1).astype(np.int64)

    def seen_to_m(self, station_m: Array) -> Array:
        """Return the metres seen up to each station, shape (n,)."""
        seen_m: Array = np.interp(station_m, self.edge_m, self.seen_m)
        return seen_m
