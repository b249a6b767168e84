"""Where gaps and recalls lie in the tables of the laws of gaps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

REACH_M = 100.0
"""How far behind a vehicle its row is remembered."""

STEP_M, _LEAST_RECALL, _RECALLS = 0.5, 0.05, 39
"""Steps in which hazards are tabled, and the recalls from 0.05 to 1 for which they are: the fewer are missed, the
closer, for there it counts whether one in fifty is or one in a hundred."""

GAP_M = np.arange(0.0, REACH_M + STEP_M, STEP_M)
RECALL = 1.0 - (1.0 - _LEAST_RECALL) * np.linspace(1.0, 0.0, _RECALLS) ** 2


@dataclass(frozen=True, eq=False)
class Place:
    """Where gaps and recalls lie in the tables of a law; they are alike, so that one look serves all of them.

    Parameters
    ----------
    level, step : array of int, shape (n,)
        Row, and the last column before the gap.
    share : array, shape (n,)
        By what share of a step it lies past that.
    beyond_m : array, shape (n,), or None
        How far past the table it lies, where that counts.
    """

    level: npt.NDArray[np.intp]
    step: npt.NDArray[np.intp]
    share: Array
    beyond_m: Array | None = None

    @classmethod
    def of(cls, gap_m: Array, recall: Array) -> Place:
        """Find gaps by the recall at each, in tables that are asked for no more than they hold."""
        x = np.clip(gap_m / STEP_M, 0.0, len(GAP_M) - 1.001)
        step = x.astype(np.intp)
        return cls(_level(recall), step, x - step)

    @classmethod
    def past(cls, gap_m: Array, recall: Array) -> Place:
        """Find gaps that may reach past the tables."""
        inside = cls.of(np.minimum(gap_m, REACH_M), recall)
        return replace(inside, beyond_m=np.maximum(gap_m - REACH_M, 0.0))

    def within(self) -> Place:
        """Return the places of the same gaps, cut at the tables' end."""
        return replace(self, beyond_m=None)

    def look(self, table: Array) -> Array:
        """Look up a table, shape (n,); past it a cumulative hazard goes on evenly."""
        columns = table.shape[1]
        at = self.level * columns + self.step
        flat = table.ravel()
        below, above = flat[at], flat[at + 1]
        value: Array = below + self.share * (above - below)
        if self.beyond_m is not None:
            slope = (table[:, -1] - table[:, -21]) / (20 * STEP_M)
            value += self.beyond_m * slope[self.level]
        return value


def _level(recall: Array) -> npt.NDArray[np.intp]:
    """Return the row of the tables for a recall."""
    missed = np.clip((1.0 - np.asarray(recall)) / (1.0 - _LEAST_RECALL), 0.0, 1.0)
    return np.rint((1.0 - np.sqrt(missed)) * (_RECALLS - 1)).astype(np.intp)
