"""Pixels near some places as a file stores them, for copying: nothing scaled, what was not seen kept apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS
from rasterio.errors import RasterioError

from jamline.imagery._image import Image
from jamline.imagery._pixels import Decoder, Mask
from jamline.imagery._remote import blamed, why
from jamline.imagery._source import Source
from jamline.imagery._sources import unreadable
from jamline.imagery._tiles import NEAR_PX, TILE_PX, Level, Place, Places, runs_of, tiles_near

_SQUARE_PX = 1024
"""Side of the squares that places are sorted into."""


@dataclass(frozen=True)
class Block:
    """Part of a raster.

    Parameters
    ----------
    row, col : int
        Its first pixel in the raster.
    values : array, shape (bands, rows, columns)
        As they are stored.
    valid : array of bool, shape (rows, columns), or None
        What was seen, where the numbers themselves do not tell.
    """

    row: int
    col: int
    values: npt.NDArray[Any]
    valid: Mask | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Stored:
    """A raster as it is stored.

    Parameters
    ----------
    labels : tuple of str
        What each band shows, in their order.
    bands : tuple of int
        1-based bands.
    dtype : str
        Of all of them.
    nodata : float or None
        One value for all bands; ``None`` where there is none, or a mask must tell.
    linear : tuple of tuple of float
        Scale and offset of each band.
    palette : mapping or None
        Red, green, blue, alpha by number.
    crs, transform
        Where it lies.
    files : tuple of str
        The files that hold it.
    """

    labels: tuple[str, ...]
    bands: tuple[int, ...]
    dtype: str
    nodata: float | None
    linear: tuple[tuple[float, float], ...]
    palette: Mapping[int, tuple[int, ...]] | None = field(default=None, repr=False)
    crs: CRS = field(repr=False)
    transform: Affine = field(repr=False)
    files: tuple[str, ...]
    _source: Source = field(repr=False)
    _decoder: Decoder | None = field(default=None, repr=False)

    @property
    def masked(self) -> bool:
        """True if a mask must be copied too."""
        return self._decoder is not None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole raster."""
        return self._source.full_px

    @property
    def block_px(self) -> tuple[int, int]:
        """Rows and columns of a block."""
        return self._level.unit_px

    @property
    def _level(self) -> Level:
        # With its mask, where that is read to tell what was seen: blocks are decoded once.
        return self._source.level(self.bands, self._decoder is not None and self._decoder.masked, 1)

    def blocks(self, near: Places) -> Iterator[Block]:
        """Read the blocks that lie near some places, those side by side together.

        Parameters
        ----------
        near : tuple of array
            Columns and rows of places at most 16 pixels apart.

        Yields
        ------
        Block
            In the order of the file.

        Raises
        ------
        ImageryError
            If they cannot be read.
        """
        level, binned = self._level, _Binned.of(near)
        high, wide = level.unit_px
        windows = []
        for run in runs_of([(place, []) for place in _blocks_near(level, near)]):
            (down, left), (_, right) = run[0][0], run[-1][0]
            across = left * wide, min((right + 1) * wide, level.shape[1])
            windows.append(((down * high, min((down + 1) * high, level.shape[0])), across))
        read, lend, asked = self._source.blocks.window, self._source.lend, 0
        try:
            for window in windows:
                # What was seen depends on the row below: asked for first, it comes in whole runs.
                while asked < len(windows) and windows[asked][0][0] <= window[0][0] + high:
                    read(level, lend, *windows[asked])
                    asked += 1
                values, mask, _ = read(level, lend, *window)
                valid = self._valid((values != 0).any(axis=0) if mask is None else mask, window, binned)
                for at in range(*window[1], wide):
                    part = slice(at - window[1][0], at - window[1][0] + wide)
                    yield Block(window[0][0], at, values[:, :, part], None if valid is None else valid[:, part])
        except (RasterioError, OSError) as error:
            raise unreadable(blamed(self.files, error), why(error)) from error

    def _valid(self, told: Mask, window: tuple[tuple[int, int], tuple[int, int]], binned: _Binned) -> Mask | None:
        """Return what was seen. Far from the places, where fill is not looked for, what the file tells must do."""
        if self._decoder is None:
            return None
        rows, cols = window
        near = binned.around(rows, cols)
        roles = tuple(role for role in self._decoder.bands if role != "alpha")
        size = cols[1] - cols[0], rows[1] - rows[0]
        _, valid = self._decoder.read(self._source, roles, cols[0], rows[0], *size, near=near)
        tiles = tiles_near(*near, margin_px=NEAR_PX, rows=rows, cols=cols)
        looked = tiles.repeat(TILE_PX, axis=0).repeat(TILE_PX, axis=1)
        looked = looked[rows[0] % TILE_PX :, cols[0] % TILE_PX :][: size[1], : size[0]]
        seen: Mask = valid & (looked | told)
        return seen


@dataclass(frozen=True, eq=False)
class _Binned:
    """Places, by the square that they lie in: of a long road only a few lie near a window."""

    near: Places
    squares: Mapping[Place, npt.NDArray[np.intp]]

    @classmethod
    def of(cls, near: Places) -> _Binned:
        square = np.column_stack([near[1] // _SQUARE_PX, near[0] // _SQUARE_PX]).astype(np.int64)
        found, number = np.unique(square, axis=0, return_inverse=True)
        order = np.argsort(number.ravel(), kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(number.ravel()))[:-1])
        return cls(near, {(int(row), int(col)): part for (row, col), part in zip(found, parts, strict=True)})

    def around(self, rows: tuple[int, int], cols: tuple[int, int]) -> Places:
        """Return the places in a window and in the squares around it."""
        (top, bottom), (left, right) = (
            (first // _SQUARE_PX - 1, (stop - 1) // _SQUARE_PX + 1) for first, stop in (rows, cols)
        )
        places = ((row, col) for row in range(top, bottom + 1) for col in range(left, right + 1))
        parts = [self.squares[place] for place in places if place in self.squares]
        here = np.concatenate(parts) if parts else np.zeros(0, np.intp)
        return self.near[0][here], self.near[1][here]


def _blocks_near(level: Level, near: Places) -> list[Place]:
    """Return the blocks within half a tile of some places, in the file's order."""
    high, wide = level.unit_px
    found = []
    for down in (-TILE_PX / 2, TILE_PX / 2):
        for across in (-TILE_PX / 2, TILE_PX / 2):
            row, col = near[1] + down, near[0] + across
            inside = (row >= 0) & (row < level.shape[0]) & (col >= 0) & (col < level.shape[1])
            found.append(np.column_stack([row[inside] // high, col[inside] // wide]))
    return [(int(row), int(col)) for row, col in np.unique(np.concatenate(found), axis=0)]


def stored_form(image: Image) -> Stored:
    """Return an image as it is stored; masks in files of their own are left alone.

    Raises
    ------
    ImageryError
        If it cannot be read.
    """
    decoder, source = image._decoder, image._source
    bands = tuple(dict.fromkeys(image.bands.values()))
    colours = {index for role, index in image.bands.items() if role != "alpha"}
    values = set(decoder.nodata.values())
    nodata = values.pop() if set(decoder.nodata) == colours and len(values) == 1 else None
    tells_itself = not decoder.masked and (nodata is not None or "alpha" in image.bands)
    return Stored(
        labels=("palette",) if decoder.palette is not None else tuple(image.bands),
        bands=bands,
        dtype=source.level(bands, False, 1).dtype,
        nodata=nodata,
        linear=tuple(decoder.linear.get(index, (1.0, 0.0)) for index in bands),
        palette=_palette(image) if decoder.palette is not None else None,
        crs=image.crs,
        transform=image.transform,
        files=image.files,
        _source=source,
        _decoder=None if tells_itself else replace(decoder, veil=None),
    )


def mask_forms(image: Image) -> list[tuple[str, Stored]]:
    """Return the rasters that mask an image, by their keys among its item's assets, as they are stored."""
    veil = image._decoder.veil
    return [
        (
            mask.file.key,
            Stored(
                labels=(),
                bands=tuple(range(1, len(mask.source.dtypes) + 1)),
                dtype=mask.source.dtypes[0],
                nodata=None,
                linear=(),
                crs=image.crs,
                transform=mask.transform,
                files=(mask.file.path,),
                _source=mask.source,
            ),
        )
        for mask in (veil.rasters if veil else ())
    ]


def _palette(image: Image) -> dict[int, tuple[int, ...]]:
    try:
        with image._source.lend() as dataset:
            table: dict[int, tuple[int, ...]] = dataset.colormap(1)
            return table
    except (RasterioError, OSError) as error:
        raise unreadable(blamed(image.files, error), why(error)) from error
