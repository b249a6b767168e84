"""Lorries that are none: asphalt of another tone and long shadows are alike all along, lorries are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jamline.detect._features import SIZES_M, Maps
from jamline.detect._packing import Picked

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

_LORRY_M = 9.0
"""From this length on a vehicle shows its parts: a cab of 2 to 2.5 m, a gap, a load. A dark car need not, and with its
shadow before or behind it is up to 8 m long."""

_DARK = 0.35
"""Salience that is dark less what is bright: from here up a box is dark all over, as a patch is."""

_SLICE_M = 1.0
_INSET_M = (1.0, 0.4)
"""Along and across: as far as a box may be off what it was laid on."""

_ALIKE = 1 / 3
"""Of the difference to the road: what differs by less is one surface. In simulated scenes patches and shadows mostly
keep to a quarter, dark lorries exceed a half."""

_JOINED_M = 0.6
"""No two vehicles stand closer one behind the other: what adjoins a patch in its own tone is the patch."""


def without_flat(picked: Picked, maps: Maps) -> Picked:
    """Drop dark boxes of a lorry's size that are of one tone from end to end, and what goes on from them.

    A patch, a stain or a shadow darkens what lies below evenly, and a lane mark seen through it is too narrow to
    matter; a lorry is a cab, a gap and a load, however dark.
    """
    row, column, kind, _ = picked
    if not len(row):
        return picked
    length_m, width_m = np.array(SIZES_M)[kind].T
    slices = [_slices(maps, *box) for box in zip(row, column, length_m, width_m, strict=True)]
    tone, spread = np.array([(np.median(each), np.ptp(each)) for each in slices]).T
    flat = (length_m >= _LORRY_M) & (spread < -_ALIKE * tone)
    for i in np.flatnonzero(flat):
        raw, dark = (
            _part(each, row[i], column[i], length_m[i], width_m[i], maps.pixel_m) for each in (maps.raw, maps.dark)
        )
        flat[i] = np.mean(dark) - np.mean(np.maximum(raw - dark, 0)) > _DARK
    drop = flat.copy()
    for i in np.flatnonzero(flat):
        apart_m = np.abs(column - column[i]) * maps.pixel_m - (length_m + length_m[i]) / 2
        abreast = np.abs(row - row[i]) * maps.pixel_m > width_m[i] / 2
        drop |= (apart_m < _JOINED_M) & ~abreast & (np.abs(tone - tone[i]) < -_ALIKE * tone[i])
    return row[~drop], column[~drop], kind[~drop], picked[3][~drop]


def _slices(maps: Maps, row: float, column: float, length_m: float, width_m: float) -> Array:
    """Return the tone of each slice across a box, shape (slices,)."""
    part = _part(maps.tone, row, column, length_m - 2 * _INSET_M[0], width_m - 2 * _INSET_M[1], maps.pixel_m)
    slices = np.array_split(part, max(1, round(part.shape[1] * maps.pixel_m / _SLICE_M)), axis=1)
    return np.array([np.median(each) for each in slices])


def _part(values: Pixels, row: float, column: float, length_m: float, width_m: float, pixel_m: float) -> Pixels:
    """Return the pixels of a box, never none."""
    half = length_m / 2 / pixel_m, width_m / 2 / pixel_m
    top, left = max(0, round(row - half[1])), max(0, round(column - half[0]))
    return values[top : max(top + 1, round(row + half[1]) + 1), left : max(left + 1, round(column + half[0]) + 1)]
