"""The best set of boxes: exact along each line of the strip, greedy between lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]
Picked = tuple[Array, Array, npt.NDArray[np.int64], Array]


_SHARED = 0.25
"""Share of the shorter vehicle's length over which two lie side by side."""

_ABREAST_M = 0.4
"""What two vehicles abreast leave between their sides at least; a vehicle and its shadow leave nothing."""


def pack_lines(gains: Pixels, lengths_px: Sequence[int]) -> Picked:
    """Choose, along every row, the boxes without overlap that gain the most together.

    Weighted interval scheduling by dynamic programming, all rows at once.

    Parameters
    ----------
    gains : array, shape (sizes, rows, columns)
        Gain of a box of each size centred at each pixel.
    lengths_px : sequence of int
        Length of each size.

    Returns
    -------
    row, column : array, shape (n,)
        Centres; columns may be halves.
    kind : array of int, shape (n,)
        Number of the size.
    gain : array, shape (n,)
    """
    sizes, rows, columns = gains.shape
    by_column = np.ascontiguousarray(gains.transpose(2, 0, 1))
    best = np.zeros((columns + 1, rows), np.float32)
    choice = np.full((columns + 1, rows), -1, np.int8)
    for end in range(1, columns + 1):
        top = best[end - 1].copy()
        pick = choice[end]
        for k in range(sizes):
            start = end - lengths_px[k]
            if start < 0:
                continue
            # cv2.blur puts the anchor of an even box right of its middle.
            value = best[start] + by_column[start + lengths_px[k] // 2, k]
            better = value > top
            top[better] = value[better]
            pick[better] = k
        best[end] = top
    row_list, column_list, kind_list, gain_list = [], [], [], []
    for row in np.flatnonzero((choice >= 0).any(axis=0)):
        end = columns
        while end > 0:
            k = int(choice[end, row])
            if k < 0:
                end -= 1
                continue
            start = end - lengths_px[k]
            row_list.append(float(row))
            column_list.append((start + end) / 2 - 0.5)
            kind_list.append(k)
            gain_list.append(float(by_column[start + lengths_px[k] // 2, k, row]))
            end = start
    return np.array(row_list), np.array(column_list), np.array(kind_list, np.int64), np.array(gain_list)


def suppress(picked: Picked, sizes_m: Sequence[tuple[float, float]], *, pixel_m: float) -> Picked:
    """Keep, where boxes of different rows leave no room between them, the one that gains more.

    Parameters
    ----------
    picked : tuple
        As `pack_lines` returns.
    sizes_m : sequence of (length, width)
        Of each size.
    pixel_m : float
        Size of a pixel.
    """
    row, column, kind, gain = picked
    if not len(row):
        return picked
    size = np.array(sizes_m) / pixel_m
    half_length, half_width = size[kind, 0] / 2, size[kind, 1] / 2
    order = np.argsort(-gain, kind="stable")
    alive = np.ones(len(row), bool)
    by_column = np.argsort(column, kind="stable")
    sorted_column = column[by_column]
    longest = half_length.max()
    keep = []
    for i in order:
        if not alive[i]:
            continue
        keep.append(i)
        low = np.searchsorted(sorted_column, column[i] - half_length[i] - longest)
        high = np.searchsorted(sorted_column, column[i] + half_length[i] + longest)
        near = by_column[low:high]
        along = np.minimum(column[i] + half_length[i], column[near] + half_length[near]) - np.maximum(
            column[i] - half_length[i], column[near] - half_length[near]
        )
        apart = np.abs(row[near] - row[i]) - half_width[i] - half_width[near]
        shared = along / (2 * np.minimum(half_length[i], half_length[near]))
        alive[near[(shared > _SHARED) & (apart < _ABREAST_M / pixel_m)]] = False
    index = np.array(keep)
    return row[index], column[index], kind[index], gain[index]
