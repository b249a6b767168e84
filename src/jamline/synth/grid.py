"""The pixel grid of a scene's files, in any coordinates that a file may have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from jamline.errors import JobError
from jamline.synth.noise import Window
from jamline.synth.world import World

Array = npt.NDArray[np.float64]

_NODES = 17
"""Places along a side of a window at which the projection is worked out; between them it is linear."""


@dataclass(frozen=True, eq=False)
class PixelGrid:
    """One endless grid of pixels; the tiles are cut from it.

    Parameters
    ----------
    crs : CRS
        Of the files.
    affine : Affine
        From column and row to its coordinates.
    pixel_m : float
        Side of a pixel on the ground.
    world : World
        Whose local map the scene is painted on.
    """

    crs: CRS
    affine: Affine
    pixel_m: float
    world: World
    _to_local: Any

    def to_local(self, col: int, row: int, width: int, height: int) -> Array:
        """Return the local map's east and north of the centres of some pixels, shape (2, height, width)."""
        if self.crs == self.world.crs:
            m, cols, rows = self.affine, np.arange(width) + (col + 0.5), np.arange(height) + (row + 0.5)
            east = (m.a * cols)[None, :] + (m.b * rows + m.c)[:, None]
            return np.stack([east, (m.d * cols)[None, :] + (m.e * rows + m.f)[:, None]])
        c, r = np.linspace(0, width - 1, _NODES), np.linspace(0, height - 1, _NODES)
        gc, gr = np.meshgrid(col + c + 0.5, row + r + 0.5)
        nodes = np.stack(self._project(gc.ravel(), gr.ravel())).reshape(2, _NODES, _NODES)
        return np.asarray(_linear(height) @ nodes @ _linear(width).T)

    def corner(self, col: int, row: int) -> Affine:
        """Return the transform of a tile that starts at a column and row."""
        m = self.affine
        return Affine(m.a, m.b, m.a * col + m.b * row + m.c, m.d, m.e, m.d * col + m.e * row + m.f)

    def to_pixels(self, xy: Array) -> Array:
        """Return column and row of points of the local map, pixel edges whole, shape (n, 2)."""
        x, y = self._to_local.transform(xy[:, 0], xy[:, 1], direction="INVERSE")
        m = ~self.affine
        return np.column_stack([m.a * x + m.b * y + m.c, m.d * x + m.e * y + m.f])

    def _project(self, col: Array, row: Array) -> tuple[Array, Array]:
        m = self.affine
        x, y = m.a * col + m.b * row + m.c, m.d * col + m.e * row + m.f
        east, north = self._to_local.transform(x, y)
        return np.asarray(east), np.asarray(north)


def grid_of(world: World) -> PixelGrid:
    """Choose the grid that the scene asks for.

    Raises
    ------
    JobError
        If the CRS is unknown.
    """
    plan, sensor = world.spec.imagery, world.spec.sensor
    pixel_m = sensor.pixel_m or sensor.gsd_m
    try:
        crs = world.crs if plan.crs == "utm" else CRS.from_user_input(plan.crs)
    except CRSError as error:
        raise JobError(f"Invalid imagery.crs '{plan.crs}'. Must be 'utm' or a known CRS.") from error
    to_local = Transformer.from_crs(crs, world.crs, always_xy=True)
    _, xy = world.curve
    east, north = xy.mean(axis=0)
    x, y = to_local.transform([east, east + 100.0, east], [north, north, north + 100.0], direction="INVERSE")
    # Units of the file's coordinates to a metre on the ground, east and north.
    unit_x = float(np.hypot(x[1] - x[0], y[1] - y[0])) / 100.0
    unit_y = float(np.hypot(x[2] - x[0], y[2] - y[0])) / 100.0
    step_x, step_y = (pixel_m, pixel_m) if crs == world.crs else (pixel_m * unit_x, pixel_m * unit_y)
    corner_x, corner_y = np.floor(x[0] / step_x) * step_x, np.floor(y[0] / step_y) * step_y
    turn, down = np.radians(plan.rotation_deg), step_y if plan.south_up else -step_y
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    # Written out: the operator that multiplies transforms differs between versions of the library.
    affine = Affine(step_x * cos, -down * sin, float(corner_x), step_x * sin, down * cos, float(corner_y))
    return PixelGrid(crs, affine, pixel_m, world, to_local)


def tiles_of(grid: PixelGrid) -> Iterator[tuple[int, int, int, int]]:
    """Yield column, row, width and height of the tiles that show some of the road's neighbourhood."""
    world = grid.world
    plan = world.spec.imagery
    station, xy = world.curve
    low, high = limits_m(world)
    inside = (station >= low) & (station <= high)
    left = np.gradient(xy, axis=0)[:, ::-1] * np.array([-1.0, 1.0])
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    across = np.linspace(-plan.half_width_m, plan.half_width_m, 2 * int(np.ceil(plan.half_width_m / 30.0)) + 1)
    points = np.vstack([xy[inside] + o * left[inside] for o in across])
    px = grid.to_pixels(points)
    first = np.floor(px.min(axis=0)).astype(int)
    last = np.ceil(px.max(axis=0)).astype(int)
    step = plan.tile_px - plan.overlap_px
    for row in range(first[1], max(first[1] + 1, last[1] - plan.overlap_px), step):
        for col in range(first[0], max(first[0] + 1, last[0] - plan.overlap_px), step):
            width, height = min(plan.tile_px, last[0] - col), min(plan.tile_px, last[1] - row)
            hit = (px[:, 0] > col) & (px[:, 0] < col + width) & (px[:, 1] > row) & (px[:, 1] < row + height)
            if np.any(hit):
                yield int(col), int(row), int(width), int(height)


def limits_m(world: World) -> tuple[float, float]:
    """Return the stations between which the imagery reaches; a little beyond the road where it is not cut."""
    plan, length = world.spec.imagery, world.road.length_m
    low = plan.start_m if plan.start_m > 0 else -40.0
    return low, plan.end_m if plan.end_m < length else length + 40.0


def canvas_window(local: Array, px_m: float, margin_m: float) -> Window:
    """Return the canvas window around some places, on the lattice that all windows share."""
    block = 8
    west, east = float(local[0].min()) - margin_m, float(local[0].max()) + margin_m
    south, north = float(local[1].min()) - margin_m, float(local[1].max()) + margin_m
    col = int(np.floor(west / px_m / block)) * block
    row = int(np.floor(-north / px_m / block)) * block
    width, height = int(np.ceil(east / px_m)) - col + 1, int(np.ceil(-south / px_m)) - row + 1
    return Window(col, row, width, height, px_m)


def _linear(count: int) -> Array:
    """Return the weights of the nodes for each of so many evenly spread places, shape (count, nodes)."""
    at = np.linspace(0.0, _NODES - 1.0, count)
    return np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(_NODES)[None, :]))
