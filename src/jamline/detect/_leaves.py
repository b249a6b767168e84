"""Where leaves hide the road."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor import Section, quantile

_GREEN = 0.06
"""Excess green, share of brightness, by which a leaf is greener than the road. Green cars are few."""

_BARE = 0.25
"""Quantile of the carriageway's own excess green that stands for bare road: leaves cover most of few roads, and a
camera with a cast makes asphalt green."""

_CROWN_M = 1.5
_SHARE = 0.6


def leaves(section: Section, *, carriageway_m: float) -> npt.NDArray[np.bool_]:
    """Tell where leaves are, shape (rows, columns); nowhere in an image without colours.

    Parameters
    ----------
    section : Section
        Flat road.
    carriageway_m : float
        Width of the running lanes.
    """
    if len(section.pixels) < 3:
        return np.zeros_like(section.seen)
    red, green, blue = section.pixels[:3]
    excess = (2 * green - red - blue) / np.maximum(red + green + blue, 0.15)
    road = excess[(np.abs(section.grid.offset_m()) < carriageway_m / 2)[:, None] & section.seen]
    if road.size:
        excess = excess - max(float(quantile(road, _BARE)), 0.0)
    size = max(1, round(_CROWN_M / section.grid.pixel_m))
    leaf: npt.NDArray[np.bool_] = cv2.blur((excess > _GREEN).astype(np.float32), (size, size)) > _SHARE
    return leaf
