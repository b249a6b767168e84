"""From raw numbers to brightness, and to which pixels were seen at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from jamline.imagery._bands import COLOUR
from jamline.imagery._source import Source
from jamline.imagery._tiles import NEAR_PX, TILE_PX, Level, Places, tiles_near
from jamline.imagery._veil import Veil

Pixels = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_LUMINANCE = {"red": 0.299, "green": 0.587, "blue": 0.114}
"""Weights of the colours in a grey picture, ITU-R BT.601."""

_FILL_M = 3.0
_FILL_PX = 8
"""Side of the smallest square of zeros that is taken for fill where a file declares no nodata. No vehicle is
wider than 2.6 m, so that black paint cannot be mistaken for it."""


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """How the numbers in one file are to be read.

    Parameters
    ----------
    bands : mapping
        1-based band by role.
    nodata : mapping
        Nodata value by band, of the bands that have one.
    masked : bool
        True if the file has a mask band, inside or as ``.msk``.
    fill_px : int
        Side in pixels, odd, of the smallest square of zeros taken for fill; 0 where the file says itself
        what was not seen.
    linear : mapping
        Scale and offset by band, where they change anything.
    palette : array, shape (256 or 65536, 4), or None
        Red, green, blue, alpha by number.
    veil : Veil or None
        Masks in files of their own; what they hide was not seen.
    """

    bands: Mapping[str, int]
    nodata: Mapping[int, float] = field(default_factory=dict)
    masked: bool = False
    fill_px: int = 0
    linear: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    palette: Pixels | None = field(default=None, repr=False)
    veil: Veil | None = field(default=None, repr=False)

    def read(
        self,
        source: Source,
        roles: tuple[str, ...],
        col: int,
        row: int,
        width: int,
        height: int,
        *,
        factor: int = 1,
        near: Places | None = None,
    ) -> tuple[Pixels, Mask]:
        """Read a window, which may stick out of the image.

        Parameters
        ----------
        source : Source
            Where the file's blocks come from.
        roles : tuple of str
            Wanted layers.
        col, row, width, height : int
            Window on the grid of the overview.
        factor : int
            Which overview: each of its pixels stands for ``factor`` by ``factor``.
        near : tuple of array, optional
            Columns and rows, on the grid of the overview, outside whose neighbourhood nothing need be read.

        Returns
        -------
        pixels : float32 array, shape (roles, height, width)
            0 where nothing was seen.
        valid : bool array, shape (height, width)
            True where a pixel was seen, or was not to be read.
        """
        pixels = np.zeros((len(roles), height, width), np.float32)
        valid = np.zeros((height, width), np.bool_)
        fill_px = max(3, math.ceil(self.fill_px / factor)) | 1 if self.fill_px else 0
        # Whether a pixel is fill depends on its neighbours: look beyond the window, so that it does not
        # depend on where windows are cut.
        reach = max(0, fill_px - 1)
        wanted, level = self._wanted(source, roles, factor)
        across = _Cut.of(col, width, level.shape[1], reach)
        down = _Cut.of(row, height, level.shape[0], reach)
        if across.size <= 0 or down.size <= 0:
            return pixels, valid
        rows, cols = (down.start, down.stop), (across.start, across.stop)
        tiles = None
        if near is not None and NEAR_PX + reach <= TILE_PX // 2:
            tiles = tiles_near(*near, margin_px=NEAR_PX + reach, rows=rows, cols=cols)
        raw, mask, known = source.blocks.window(level, source.lend, rows, cols, tiles)
        by_band = dict(zip(level.bands, raw, strict=True))
        layers, seen = self._decoded(by_band, wanted, roles, mask, known, fill_px, (down.beyond, across.beyond))
        if self.veil is not None:
            clear = self.veil.codes(rows, cols, factor) == 0
            seen &= clear if known is None else clear | ~known
        inner, outer = (down.inner, across.inner), (down.outer, across.outer)
        valid[outer] = seen[inner]
        for values, layer in zip(pixels, layers, strict=True):
            values[outer] = layer[inner]
        if not seen.all():
            pixels[:, *outer][:, ~seen[inner]] = 0.0
        return pixels, valid

    def fetch(self, source: Source, roles: tuple[str, ...], near: Places, *, factor: int = 1) -> None:
        """Decode what lies near some places, for windows that are read later; parameters as in `read`."""
        _, level = self._wanted(source, roles, factor)
        margin_px = min(NEAR_PX + self.fill_px, TILE_PX / 2)
        rows, cols = (
            (max(0, math.floor(at.min() - margin_px)), min(size, math.ceil(at.max() + margin_px) + 1))
            for at, size in zip((near[1], near[0]), level.shape, strict=True)
        )
        if rows[0] < rows[1] and cols[0] < cols[1]:
            tiles = tiles_near(*near, margin_px=margin_px, rows=rows, cols=cols)
            source.blocks.fetch(level, source.lend, rows, cols, tiles)
            if self.veil is not None:
                self.veil.fetch(near, factor)

    def _wanted(self, source: Source, roles: tuple[str, ...], factor: int) -> tuple[tuple[int, ...], Level]:
        """Return the bands that make up layers, and what must be read for them."""
        wanted = tuple(dict.fromkeys(band for role in roles for band in self._bands_for(role)))
        alpha = self.bands.get("alpha")
        bands = (*wanted, alpha) if alpha and alpha not in wanted else wanted
        return wanted, source.level(bands, self.masked, factor)

    def _decoded(
        self,
        by_band: Mapping[int, npt.NDArray[Any]],
        wanted: tuple[int, ...],
        roles: tuple[str, ...],
        mask: Mask | None,
        known: Mask | None,
        fill_px: int,
        beyond: tuple[tuple[int, int], tuple[int, int]],
    ) -> tuple[list[npt.NDArray[Any]], Mask]:
        """Turn a file's numbers into layers; where nothing is known of a pixel, it counts as seen."""
        raw = by_band[wanted[0]]
        seen = np.ones(raw.shape, np.bool_) if mask is None else mask
        alpha = self.bands.get("alpha")
        if alpha:
            seen &= by_band[alpha] > 0
        if any(band in self.nodata for band in wanted):
            # Dark pixels may well be 0 in one band: all bands must agree that there is nothing.
            seen &= ~np.logical_and.reduce([self._is_nodata(band, by_band[band]) for band in wanted])
        if self.palette is not None:
            colours = self.palette[np.clip(raw, 0, len(self.palette) - 1)]
            seen &= colours[..., 3] > 0
            layer = {role: colours[..., k] for k, role in enumerate(COLOUR)}
            dark = [layer[role] for role in COLOUR]
        else:
            values = {band: self._scaled(band, by_band[band]) for band in wanted}
            for value in values.values():
                if value.dtype.kind not in "iu":
                    seen &= np.isfinite(value)
            layer = {role: values[band] for role, band in self.bands.items() if band in values}
            dark = [by_band[band] for band in wanted]
        if fill_px:
            seen &= ~_fill(_nothing(dark, known), fill_px, beyond)
        if known is not None:
            seen |= ~known
        if "pan" in roles and "pan" not in self.bands:
            layer["pan"] = sum(
                weight * layer[colour].astype(np.float32, copy=False) for colour, weight in _LUMINANCE.items()
            )
        return [layer[role] for role in roles], seen

    def _bands_for(self, role: str) -> list[int]:
        if role == "pan" and "pan" not in self.bands:
            return [self.bands[colour] for colour in COLOUR]
        return [self.bands[role]]

    def _is_nodata(self, band: int, raw: npt.NDArray[Any]) -> Mask:
        if band not in self.nodata:
            return np.zeros(raw.shape, np.bool_)
        with np.errstate(over="ignore"):
            value = np.asarray(self.nodata[band]).astype(raw.dtype)
        nothing: Mask = np.isnan(raw) if np.isnan(value) else raw == value
        return nothing

    def _scaled(self, band: int, raw: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if band not in self.linear and raw.dtype.kind in "iu":
            return raw
        with np.errstate(over="ignore", invalid="ignore"):
            value = raw.astype(np.float32)
            if band in self.linear:
                scale, offset = self.linear[band]
                value = value * np.float32(scale) + np.float32(offset)
        return value


def fill_side_px(pixel_m: float) -> int:
    """Return the side in pixels, odd, of the smallest square of zeros that is taken for fill."""
    return max(_FILL_PX, math.ceil(_FILL_M / pixel_m)) | 1


def area_mean(
    pixels: Pixels, valid: Mask, row_edges: npt.NDArray[np.float64], col_edges: npt.NDArray[np.float64]
) -> tuple[Pixels, Mask]:
    """Average pixels over larger ones, each weighted with the area by which it is inside.

    Parameters
    ----------
    pixels : float32 array, shape (layers, h, w)
        Where not valid, 0.
    valid : bool array, shape (h, w)
        Pixels that count.
    row_edges, col_edges : array, shape (m + 1,) and (n + 1,)
        Edges of the larger pixels, in pixels from the edge of the first; increasing, from 0 to h or w.

    Returns
    -------
    pixels : float32 array, shape (layers, m, n)
    valid : bool array, shape (m, n)
        True where any part was seen.
    """
    steps = [_step(edges, size) for edges, size in zip((row_edges, col_edges), valid.shape, strict=True)]
    if all(steps) and valid.all():
        return _block_mean(pixels, *steps), np.ones((len(row_edges) - 1, len(col_edges) - 1), bool)
    down, across = _Shares.of(row_edges, pixels.shape[1]), _Shares.of(col_edges, pixels.shape[2])
    total = _summed(down, across, pixels)
    if valid.all():
        return total / np.outer(down.whole(), across.whole()), np.ones(total.shape[1:], bool)
    weight = _summed(down, across, valid[None].astype(np.float32))[0]
    # Sums of ones are exact but for the fractions at the edges.
    seen = weight > 1e-6
    return np.where(seen, total / np.where(seen, weight, np.float32(1.0)), np.float32(0.0)), seen


def _step(edges: npt.NDArray[np.float64], size: int) -> int:
    """Return how many whole pixels lie between each two edges, 0 where they are not as many everywhere."""
    between = size // (len(edges) - 1)
    return between if np.array_equal(edges, between * np.arange(len(edges))) and edges[-1] == size else 0


def _block_mean(pixels: Pixels, high: int, wide: int) -> Pixels:
    """Average blocks of so many rows and columns."""
    rows = sum((pixels[:, k::high] for k in range(1, high)), pixels[:, ::high])
    mean: Pixels = sum((rows[:, :, k::wide] for k in range(1, wide)), rows[:, :, ::wide]) / np.float32(high * wide)
    return mean


@dataclass(frozen=True, eq=False)
class _Shares:
    """How much of each pixel lies between each two edges.

    Parameters
    ----------
    matrix : sparse array, float32, shape (edges - 1, size)
        So much of each pixel lies there; two or three of a row are not 0.
    """

    matrix: sparse.csr_array

    @classmethod
    def of(cls, edges: npt.NDArray[np.float64], size: int) -> _Shares:
        """Tell it of so many pixels."""
        first = np.clip(np.floor(edges[:-1]).astype(np.int32), 0, size - 1)
        reach = math.ceil(float(np.diff(edges).max())) + 1
        pixel = first[:, None] + np.arange(reach, dtype=np.int32)
        share = np.minimum(pixel + 1, edges[1:, None]) - np.maximum(pixel, edges[:-1, None])
        share = np.where(pixel < size, np.maximum(share, 0.0), 0.0).astype(np.float32)
        ends = np.arange(0, pixel.size + 1, reach, dtype=np.int32)
        return cls(
            sparse.csr_array((share.ravel(), np.minimum(pixel, size - 1).ravel(), ends), shape=(len(first), size))
        )

    def whole(self) -> Pixels:
        """Return how many pixels lie between each two edges."""
        counted: Pixels = self.matrix.sum(axis=1)
        return counted

    def times(self, values: Pixels) -> Pixels:
        """Add up what lies between each two edges, values of shape (size, n)."""
        summed: Pixels = self.matrix @ values
        return summed


def _summed(down: _Shares, across: _Shares, values: Pixels) -> Pixels:
    """Add up what lies between edges, values of shape (layers, h, w) being constant over their pixels."""
    rows = np.concatenate([down.times(layer) for layer in values])
    turned = across.times(np.ascontiguousarray(rows.T))
    return np.ascontiguousarray(turned.T).reshape(len(values), -1, len(turned))


def _nothing(layers: list[npt.NDArray[Any]], known: Mask | None) -> Mask:
    """Tell where all layers are 0, of what is known."""
    zero: Mask = layers[0] == 0
    if known is not None:
        zero &= known
    for layer in layers[1:]:
        # Of most pictures one layer tells that there is no such place.
        if not zero.any():
            break
        zero &= layer == 0
    return zero


def _fill(zero: Mask, side_px: int, beyond: tuple[tuple[int, int], tuple[int, int]]) -> Mask:
    """Find the zeros that belong to a square of zeros; what is beyond the image counts as zero."""
    if not zero.any():
        return zero
    padded = np.pad(zero, beyond, constant_values=True).view(np.uint8)
    opened = ndimage.maximum_filter(ndimage.minimum_filter(padded, side_px), side_px)
    rows, cols = (slice(before, before + size) for (before, _), size in zip(beyond, zero.shape, strict=True))
    fill: Mask = opened[rows, cols].view(np.bool_)
    return fill


@dataclass(frozen=True)
class _Cut:
    """One axis of a window, cut to the image."""

    start: int
    stop: int
    inner: slice
    outer: slice
    beyond: tuple[int, int]

    @property
    def size(self) -> int:
        return self.stop - self.start

    @classmethod
    def of(cls, offset: int, length: int, limit: int, reach: int) -> _Cut:
        first, last = max(0, offset), min(limit, offset + length)
        if first >= last:
            return cls(0, 0, slice(0), slice(0), (0, 0))
        start, stop = max(0, first - reach), min(limit, last + reach)
        beyond = (reach - (first - start), reach - (stop - last))
        return cls(start, stop, slice(first - start, last - start), slice(first - offset, last - offset), beyond)
