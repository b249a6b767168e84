"""Where the paved lanes end to both sides of a road, cell by cell, as far as the picture tells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt

from jamline.corridor._centreline import CELLS_AT_ONCE, PLACES_M

Array = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float16]

OUT_M = np.arange(1.0, 20.01, 0.25)
"""Distances from the road's middle that are told apart."""

_STEP_M = PLACES_M[0] - PLACES_M[1]

_UNSEEN = 1e-4
"""Chance of an edge anywhere else than the network has seen one, per place: it may be wrong."""


@dataclass(frozen=True, eq=False)
class Edges:
    """Where the lanes end. It is worked out when asked for: of a long road, all of it takes more room than the answers.

    Parameters
    ----------
    station_m : array, shape (cells,)
        Middle of each cell, along the aligned road.
    middle_m : array, shape (cells,)
        Where the road lies, as an offset from the drawn line.
    seen : array, shape (cells,)
        Share of the road's surroundings that was seen, 0 to 1.
    answer : array, float16, shape (2, cells, window)
        What the network says of the left and the right edge at so many of its places, as logs.
    first : array of int, shape (2, cells)
        Number of the first of those places.
    """

    station_m: Array
    middle_m: Array
    seen: Array
    answer: Halves
    first: npt.NDArray[np.uint8]

    @property
    def log_chance(self) -> npt.NDArray[np.float32]:
        """Log probabilities over `OUT_M`, shape (2, cells, places); 0 everywhere where the road was not seen."""
        cells = len(self.seen)
        every = np.empty((2, cells, len(OUT_M)), np.float32)
        for start in range(0, cells, CELLS_AT_ONCE):
            for number in range(2):
                here = slice(start, start + CELLS_AT_ONCE)
                every[number, here] = self.told(number, here)
        return every

    def told(self, number: int, here: slice) -> npt.NDArray[np.float32]:
        """Return the log probabilities of one edge over `OUT_M` in some cells, shape (cells, places).

        Parameters
        ----------
        number : int
            0 for the left edge, 1 for the right.
        here : slice
            The cells.
        """
        low, share = _places(self.middle_m[here], number)
        answer = np.exp(self.answer[number, here].astype(np.float64))
        within = low - self.first[number, here, None]
        between = np.take_along_axis(answer, within, axis=1) * (1 - share)
        between += np.take_along_axis(answer, within + 1, axis=1) * share
        told: npt.NDArray[np.float32] = (np.log(between + _UNSEEN) * self.seen[here, None]).astype(np.float32)
        return told


@dataclass(frozen=True, eq=False)
class Sides:
    """What the network says of the edges of a whole road, put aside in pieces.

    Iterating yields some successive cells as a slice, and the answers there: float16, shape (2, places, cells).

    Parameters
    ----------
    looks : sequence of sequence of array
        The answers of each piece, of all looks at the road in their order.
    """

    looks: Sequence[Sequence[Halves]] = field(repr=False)

    def __iter__(self) -> Iterator[tuple[slice, Halves]]:
        parts: list[Halves] = []
        first = cells = 0
        for part in chain.from_iterable(self.looks):
            parts.append(part)
            cells += part.shape[2]
            if cells - first >= CELLS_AT_ONCE:
                yield slice(first, cells), np.concatenate(parts, axis=2)
                parts, first = [], cells
        if parts:
            yield slice(first, cells), np.concatenate(parts, axis=2)


def edges_of(sides: Sides, *, station_m: Array, middle_m: Array, seen: Array) -> Edges:
    """Return the edges beside the middle of an aligned road.

    Parameters
    ----------
    sides : Sides
    station_m, middle_m, seen : array, shape (cells,)
        As in `Edges`.
    """
    cells = len(seen)
    window = min(len(PLACES_M), 3 + math.ceil((OUT_M[-1] - OUT_M[0]) / _STEP_M))
    answer, first = np.empty((2, cells, window), np.float16), np.empty((2, cells), np.uint8)
    for here, answers in sides:
        for number in range(2):
            low, _ = _places(middle_m[here], number)
            first[number, here] = np.minimum(low.min(axis=1), len(PLACES_M) - window)
            place = first[number, here, None] + np.arange(window)
            answer[number, here] = np.take_along_axis(answers[number].T, place, axis=1)
    return Edges(station_m, middle_m, seen, answer, first)


def _places(middle_m: Array, number: int) -> tuple[npt.NDArray[np.intp], Array]:
    """Return which of the network's places lie before those of `OUT_M`, and how far, in steps, shape (cells, n)."""
    sign = (1, -1)[number]
    place = np.clip((PLACES_M[0] - (middle_m[:, None] + sign * OUT_M)) / _STEP_M, 0, len(PLACES_M) - 1.001)
    low = place.astype(int)
    return low, place - low
