"""Where the paved lanes end to both sides of a road, cell by cell, as far as the picture tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.corridor._centreline import CELLS_AT_ONCE, PLACES_M

Array = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float16]

OUT_M = np.arange(1.0, 20.01, 0.25)
"""Distances from the road's middle that are told apart."""

_UNSEEN = 1e-4
"""Chance of an edge anywhere else than the network has seen one, per place: it may be wrong."""


@dataclass(frozen=True, eq=False)
class Edges:
    """Where the lanes end.

    Parameters
    ----------
    station_m : array, shape (cells,)
        Middle of each cell, along the aligned road.
    log_chance : array, float32, shape (2, cells, places)
        Of the left and the right edge, over `OUT_M`; 0 everywhere where the road was not seen.
    """

    station_m: Array
    log_chance: npt.NDArray[np.float32]


def edges_of(log_chance: Halves, *, station_m: Array, middle_m: Array, seen: Array) -> Edges:
    """Return the edges beside the middle of an aligned road.

    Parameters
    ----------
    log_chance : array, float16, shape (3, places, cells)
        As `Centreline.answer` gives it.
    station_m : array, shape (cells,)
        Of the cells, along the aligned road.
    middle_m : array, shape (cells,)
        Where the road lies, as an offset from the drawn line.
    seen : array, shape (cells,)
        Share of the road's surroundings that was seen, 0 to 1.
    """
    chance = np.empty((2, len(seen), len(OUT_M)), np.float32)
    step_m = PLACES_M[0] - PLACES_M[1]
    for start in range(0, len(seen), CELLS_AT_ONCE):
        here = slice(start, start + CELLS_AT_ONCE)
        for number, sign in enumerate((1, -1)):
            place = np.clip((PLACES_M[0] - (middle_m[here, None] + sign * OUT_M)) / step_m, 0, len(PLACES_M) - 1.001)
            low = place.astype(int)
            share = place - low
            answer = np.exp(log_chance[1 + number, :, here].T.astype(np.float64))
            between = np.take_along_axis(answer, low, axis=1) * (1 - share)
            between += np.take_along_axis(answer, low + 1, axis=1) * share
            chance[number, here] = np.log(between + _UNSEEN) * seen[here, None]
    return Edges(station_m, chance)
