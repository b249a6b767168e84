"""Which way the left of a curve lies, worked out where it is asked for: kept for all of a long road it fills memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from jamline.road import _points
from jamline.road._ellipsoid import metres_per_degree

Array = npt.NDArray[np.float64]

_KEPT = 4
"""Blocks of a curve that are kept: a section is looked at while the next one is read."""


class Normals:
    """The directions to the left of a curve, metres east and north, unit length.

    Parameters
    ----------
    lonlat : array, shape (n, 2)
        The curve's points, degrees.
    station_m : array, shape (n,)
        Their stations.
    """

    def __init__(self, lonlat: Array, station_m: Array) -> None:
        self._lonlat, self._station_m = lonlat, station_m
        self._blocks: dict[int, Array] = {}
        self._most: float = _KEPT

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep all that is asked for, as long as the same places are asked for again and again."""
        self._most = math.inf
        try:
            yield
        finally:
            self._most = _KEPT
            if len(self._blocks) > _KEPT:
                self._blocks = {}

    def of(self, points: slice) -> Array:
        """Return the directions at successive points, of which there is at least one, shape (n, 2)."""
        size = _points.BLOCK
        first, last = points.start // size, (points.stop - 1) // size
        parts = [
            self._block(number)[max(0, points.start - number * size) : points.stop - number * size]
            for number in range(first, last + 1)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, number: int) -> Array:
        normal = self._blocks.get(number)
        if normal is None:
            if len(self._blocks) >= self._most:
                self._blocks = {}
            normal = self._blocks[number] = self._made(number * _points.BLOCK, (number + 1) * _points.BLOCK)
        return normal

    def _made(self, first: int, stop: int) -> Array:
        # A point's direction is told by the one before it and the one after it.
        before = max(0, first - 1)
        lonlat, station_m = self._lonlat[before : stop + 1], self._station_m[before : stop + 1]
        own = slice(first - before, stop - before)
        tangent = np.gradient(lonlat, station_m, axis=0)[own] * metres_per_degree(lonlat[own, 1])
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        return np.column_stack([-tangent[:, 1], tangent[:, 0]])
