"""Where leaves hide the road."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor import Section

_GREEN = 0.06
"""Excess green, share of brightness, from which a pixel is leaf and not paint. Green cars are few."""

_CROWN_M = 1.5
_SHARE = 0.6


def leaves(section: Section) -> npt.NDArray[np.bool_]:
    """Tell where leaves are, shape (rows, columns); nowhere in an image without colours.

    Parameters
    ----------
    section : Section
        Flat road.
    """
    if len(section.pixels) < 3:
        return np.zeros_like(section.seen)
    red, green, blue = section.pixels[:3]
    excess = (2 * green - red - blue) / np.maximum(red + green + blue, 0.15)
    size = max(1, round(_CROWN_M / section.grid.pixel_m))
    leaf: npt.NDArray[np.bool_] = cv2.blur((excess > _GREEN).astype(np.float32), (size, size)) > _SHARE
    return leaf
