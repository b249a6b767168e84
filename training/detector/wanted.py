"""What the network should say of a crop: heat, vehicles per cell, places and sizes."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from jamline.detect._cells import CELL, PIXEL_M

Array = npt.NDArray[np.float32]

SHOWS = 0.05
"""What a vehicle must change of the picture before anyone is asked to find it. Below it, eyes that know where to look
see nothing, under crowns, cloud or a bridge, or dark on dark."""


def wanted(boxes: Array, seen: npt.NDArray[np.bool_]) -> tuple[Array, Array, Array, Array]:
    """Return what the network should say of a crop.

    Parameters
    ----------
    boxes : array, shape (n, 6)
        Column and row of the middle in pixels, length and width in metres, what it shows, whether it is parked.
    seen : array of bool, shape (rows, columns)

    Returns
    -------
    heat, targets, weight, seen : arrays as in `net.loss_of`, without the batch
    """
    rows, columns = seen.shape[0] // CELL[0], seen.shape[1] // CELL[1]
    heat = np.zeros((2, rows, columns), np.float32)
    targets = np.zeros((5, rows, columns), np.float32)
    weight = np.zeros((rows, columns), np.float32)
    y, x = np.arange(rows, dtype=np.float32), np.arange(columns, dtype=np.float32)
    inside = (boxes[:, 0] > -1) & (boxes[:, 0] < seen.shape[1]) & (boxes[:, 1] > -1) & (boxes[:, 1] < seen.shape[0])
    for column, row, length_m, width_m, shows, parked in boxes[inside].tolist():
        log_length, log_width = math.log(length_m), math.log(width_m)
        at_x, at_y = (column + 0.5) / CELL[1] - 0.5, (row + 0.5) / CELL[0] - 0.5
        cx, cy = round(at_x), round(at_y)
        if not (0 <= cx < columns and 0 <= cy < rows):
            continue
        spread_x = min(max(0.13 * length_m / (CELL[1] * PIXEL_M), 0.45), 1.6)
        spread_y = min(max(0.17 * width_m / (CELL[0] * PIXEL_M), 0.4), 1.6)
        near = (slice(max(cy - 6, 0), cy + 7), slice(max(cx - 6, 0), cx + 7))
        off_x, off_y = at_x - x[near[1]], at_y - y[near[0]]
        hump = np.exp(-0.5 * (off_y / spread_y) ** 2)[:, None] * np.exp(-0.5 * (off_x / spread_x) ** 2)[None, :]
        if shows < SHOWS:
            # Neither a vehicle nor none: the heat near 1 is punished in neither way. It counts as one all the same.
            heat[0][near] = np.maximum(heat[0][near], np.minimum(1.6 * hump, 0.998))
            heat[1][near] += hump / hump.sum()
            continue
        lead = hump > np.maximum(heat[0][near], 0.3)
        heat[0][near] = np.maximum(heat[0][near], hump)
        heat[1][near] += hump / hump.sum()
        for k, value in enumerate((off_x[None, :], off_y[:, None], log_length, log_width, parked)):
            np.copyto(targets[k][near], value, where=lead)
        np.copyto(weight[near], hump, where=lead)
        heat[0, cy, cx] = 1.0
    shown = cv2.resize(seen.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA) > 0.5
    weight[~shown] = 0.0
    return heat, targets, weight, shown.astype(np.float32)
