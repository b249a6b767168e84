"""How a file is parted: blocks that are read at once, and tiles that are wanted of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Place = tuple[int, int]
"""Row and column of a block or tile."""

Places = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Columns and rows of places in pixels, centre of the first (0, 0)."""

TILE_PX = 64
"""Side of a tile: at 0.5 m as wide as the corridor, which keeps a third of the blocks that a slanting road runs
through. Blocks whose sides are no multiple of it are not read one by one."""

NEAR_PX = 18.0
"""How far from the places that are asked for pixels are read: places 16 pixels apart, and what interpolation needs."""

_BLOCK_PX = 1024
"""Larger blocks, and rows as wide as the file, are left to GDAL's own cache."""
_WITHOUT_BLOCKS_PX = 256

_RUN = 8
"""Most blocks side by side that one request asks for."""


@dataclass(frozen=True)
class Level:
    """One file at one of its resolutions.

    Parameters
    ----------
    path : str
        File or address.
    bands : tuple of int
        1-based bands that are read.
    masked : bool
        Whether the file's mask is read too.
    factor : int
        1, or that of an overview.
    full_px : tuple of int
        Rows and columns of the file.
    block_px : tuple of int
        Rows and columns of a block, as the file has them.
    dtype : str
        What the bands are read as.
    """

    path: str
    bands: tuple[int, ...]
    masked: bool
    factor: int
    full_px: tuple[int, int]
    block_px: tuple[int, int]
    dtype: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns at this resolution."""
        return -(-self.full_px[0] // self.factor), -(-self.full_px[1] // self.factor)

    @property
    def unit_px(self) -> tuple[int, int]:
        """Rows and columns of what is read at once."""
        if all(size % TILE_PX == 0 and size <= _BLOCK_PX for size in self.block_px):
            return self.block_px
        return _WITHOUT_BLOCKS_PX, _WITHOUT_BLOCKS_PX


def tiles_near(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    *,
    margin_px: float,
    rows: tuple[int, int],
    cols: tuple[int, int],
) -> Bools:
    """Tell which tiles of a window lie near some places.

    Parameters
    ----------
    x, y : array, shape (n,)
        Columns and rows of the places, centre of the first pixel (0, 0).
    margin_px : float
        How near; at most half a tile.
    rows, cols : tuple of int
        The window: first, and the one after the last.

    Returns
    -------
    array of bool, shape (tile rows, tile columns)
        Of the tiles that the window touches.
    """
    top, left = rows[0] // TILE_PX, cols[0] // TILE_PX
    shape = -(-rows[1] // TILE_PX) - top, -(-cols[1] // TILE_PX) - left
    # What lies outside goes to a rim, which is cut off.
    near = np.zeros((shape[0] + 2, shape[1] + 2), np.bool_)
    down, across = (
        [np.clip((at + way) // TILE_PX - (first - 1), 0, most + 1).astype(np.intp) for way in (-margin_px, margin_px)]
        for at, first, most in ((y, top, shape[0]), (x, left, shape[1]))
    )
    for row in down:
        for col in across:
            near[row, col] = True
    return near[1:-1, 1:-1]


def by_block(
    level: Level, rows: tuple[int, int], cols: tuple[int, int], wanted: Bools | None
) -> dict[Place, list[Place]]:
    """Return the tiles that a window wants, by the block that they lie in, blocks in the file's order."""
    top, left = rows[0] // TILE_PX, cols[0] // TILE_PX
    if wanted is None:
        wanted = np.ones((-(-rows[1] // TILE_PX) - top, -(-cols[1] // TILE_PX) - left), np.bool_)
    per = level.unit_px[0] // TILE_PX, level.unit_px[1] // TILE_PX
    found: dict[Place, list[Place]] = {}
    for row, col in np.argwhere(wanted).tolist():
        tile = top + row, left + col
        found.setdefault((tile[0] // per[0], tile[1] // per[1]), []).append(tile)
    return dict(sorted(found.items()))


def runs_of(missing: list[tuple[Place, list[Place]]]) -> Iterator[list[tuple[Place, list[Place]]]]:
    """Part blocks into runs side by side, which lie side by side in the file too and take one request."""
    first = 0
    for at, (one, other) in enumerate(pairwise([place for place, _ in missing]), start=1):
        if other != (one[0], one[1] + 1) or at - first == _RUN:
            yield missing[first:at]
            first = at
    if missing:
        yield missing[first:]
