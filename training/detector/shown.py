"""How much each vehicle of a scene changes its picture: what of it anyone could see.

The truth knows of vehicles under cloud, crowns and bridges, and of black ones in black shade. A network that is told
to name them learns to make cars up wherever a tree stands in a row of cars. So each scene is imaged twice, with its
vehicles and with an empty road, by the same camera in the same light, and the two are held against each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def shown(full: Array, empty: Array, boxes: Array, pixel_m: float) -> Array:
    """Return how much each vehicle changes the picture within its outline, shape (n,).

    Parameters
    ----------
    full, empty : array, shape (3, rows, columns)
        The same strip with and without vehicles, stretched alike.
    boxes : array, shape (n, 4)
        Column and row of the middle in pixels, extent along and across the road in metres.
    pixel_m : float
        Size of the pixels.

    Returns
    -------
    array, shape (n,)
        Root of the mean square, of the band that changes most; 0 beyond the strip.
    """
    change = (full - empty) ** 2
    low = np.floor(boxes[:, :2] - boxes[:, 2:4] / pixel_m / 2).astype(int)
    high = np.ceil(boxes[:, :2] + boxes[:, 2:4] / pixel_m / 2).astype(int) + 1
    size = np.array(change.shape[:0:-1])
    low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    shows = np.zeros(len(boxes), np.float32)
    for k, ((left, top), (right, bottom)) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        if right > left and bottom > top:
            shows[k] = np.sqrt(change[:, top:bottom, left:right].mean(axis=(1, 2)).max())
    return shows
