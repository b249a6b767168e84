"""Where each pixel of a strip lies: geometry without pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial

from jamline.road import Road, metres_per_degree

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_PARALLEL_COS = np.cos(np.radians(30.0))
"""A neighbour takes its pixels only where it runs alongside; a crossing road does not cut a queue in two."""

_SLACK_M = 0.7
"""Nearer than this makes no difference: the curve's points are 1 m apart."""


@dataclass(frozen=True, eq=False)
class RoadGrid:
    """A raster whose columns are stations and whose rows are offsets.

    Column ``j`` of a grid that starts at column ``first`` lies at station ``(first + j + 0.5) * pixel_m``,
    so the grids of two sections are cuts of the same raster. Row 0 is the left edge.

    Parameters
    ----------
    road : Road
        The road laid flat.
    first : int
        Number of the first column, counted from station 0.
    columns, rows : int
        Shape in pixels.
    pixel_m : float
        Size of a pixel along and across.
    """

    road: Road
    first: int
    columns: int
    rows: int
    pixel_m: float

    @classmethod
    def over(cls, road: Road, *, half_width_m: float, pixel_m: float) -> RoadGrid:
        """Make the grid of a whole road."""
        rows = 2 * max(1, round(half_width_m / pixel_m))
        return cls(road, 0, max(1, int(np.ceil(road.length_m / pixel_m))), rows, pixel_m)

    def cut(self, first: int, stop: int) -> RoadGrid:
        """Return columns ``first`` to ``stop``, counted from station 0, as far as this grid has them."""
        first = max(first, self.first)
        stop = min(stop, self.first + self.columns)
        return replace(self, first=first, columns=stop - first)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.rows, self.columns

    @property
    def half_width_m(self) -> float:
        """Reach to each side of the road."""
        return self.rows * self.pixel_m / 2

    @property
    def start_m(self) -> float:
        """Station of the left edge of the first column."""
        return self.first * self.pixel_m

    @property
    def end_m(self) -> float:
        """Station of the right edge of the last column."""
        return (self.first + self.columns) * self.pixel_m

    def station_m(self) -> Array:
        """Return the station of each column's centre, shape (columns,)."""
        station: Array = (self.first + np.arange(self.columns, dtype=np.float64) + 0.5) * self.pixel_m
        return station

    def offset_m(self) -> Array:
        """Return the offset of each row's centre, shape (rows,), left positive and first."""
        offset: Array = self.half_width_m - (np.arange(self.rows, dtype=np.float64) + 0.5) * self.pixel_m
        return offset

    def column_of(self, station_m: npt.ArrayLike) -> Array:
        """Return fractional columns of stations; 0.0 is the centre of the first column."""
        column: Array = np.asarray(station_m, dtype=np.float64) / self.pixel_m - self.first - 0.5
        return column

    def row_of(self, offset_m: npt.ArrayLike) -> Array:
        """Return fractional rows of offsets; 0.0 is the centre of the first row."""
        row: Array = (self.half_width_m - np.asarray(offset_m, dtype=np.float64)) / self.pixel_m - 0.5
        return row

    def edges(self) -> tuple[Array, Array]:
        """Return longitude and latitude of the first and the last row.

        Offsets are straight lines on the ground, so everything between follows linearly.

        Returns
        -------
        top, bottom : array, shape (columns, 2)
        """
        at, left = self.road.frame_at(self.station_m())
        offset = self.offset_m()
        return at + offset[0] * left, at + offset[-1] * left

    def own(self, neighbours: Sequence[Road] = ()) -> Bools:
        """Tell which pixels belong to their station and to no other.

        In a hairpin the strip folds over itself, and two carriageways side by side reach into each other. A
        pixel belongs to the nearest road, and on it to the nearest station.

        Parameters
        ----------
        neighbours : sequence of Road
            Other roads that are measured in the same run.

        Returns
        -------
        array of bool, shape (rows, columns)
        """
        step_m, across_m = 4.0, 1.0
        # At the same stations whatever the cut, as sections must equal the whole.
        station = np.arange(self.start_m // step_m * step_m, self.end_m + step_m, step_m)
        offset = np.arange(-self.half_width_m, self.half_width_m + across_m, across_m)
        at, left = self.road.frame_at(station)
        metric = metres_per_degree(at[:, 1]).mean(axis=0)
        zero = at[0]
        # Offsets are straight lines, so nothing reaches further than their ends do.
        outer = np.stack([at + offset[0] * left, at + offset[-1] * left], axis=1)
        reach = 3 * self.half_width_m
        low = outer.min(axis=(0, 1)) - reach / metric
        high = outer.max(axis=(0, 1)) + reach / metric
        points, roads, mine = [], [], []
        for road in (self.road, *neighbours):
            near = road.within(*low, *high)
            points.append((road.lonlat[near] - zero) * metric)
            roads.append((road, near))
            mine.append(np.full(len(near), road is self.road))
        # Asked once or twice: what makes it faster to ask takes longer than asking.
        tree = spatial.cKDTree(np.vstack(points), compact_nodes=False, balanced_tree=False)
        if all(map(np.all, mine)):
            # What is nearer to another stretch than to its own is so further out on the same side, too.
            distance, _ = tree.query((outer - zero) * metric, distance_upper_bound=float(np.abs(offset).max()))
            if (distance >= np.abs(offset[[0, -1]]) - _SLACK_M).all():
                return np.ones(self.shape, dtype=bool)
        lonlat = at[:, None, :] + offset[None, :, None] * left[:, None, :]
        distance, nearest = tree.query((lonlat - zero) * metric)
        ahead = np.stack([left[:, 1] * metric[1], -left[:, 0] * metric[0]], axis=1)
        tangent = np.vstack([road.tangent_of(near) for road, near in roads])
        along = np.abs(np.sum(tangent[nearest] * ahead[:, None, :], axis=2)) > _PARALLEL_COS
        elsewhere = (distance < np.abs(offset) - _SLACK_M) & (np.concatenate(mine)[nearest] | along)
        coarse = (~elsewhere).astype(np.float32).T  # rows by offset, right first
        rows = np.interp(self.offset_m(), offset, np.arange(len(offset)))
        columns = np.interp(self.station_m(), station, np.arange(len(station)))
        if coarse.all():
            return np.ones(self.shape, dtype=bool)
        grid = np.meshgrid(rows, columns, indexing="ij")
        own: Bools = ndimage.map_coordinates(coarse, grid, order=1, mode="nearest") > 0.5
        return own
