"""How vehicles stand out from the road beside them: dark, bright, or hardly at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from jamline.corridor import Hidden, Section, lay_flat
from jamline.errors import NothingToMeasureError
from jamline.evaluate.footprints import Footprints, Texts
from jamline.imagery import Scene
from jamline.road import Road

Array = npt.NDArray[np.float64]

BRIGHTNESSES = ("dark", "like road", "bright")

LIKE_ROAD = 0.10
"""A vehicle differs from its road by more than this share of the corridor's range of brightness, or is like it.

Bare road scatters by half of that: 1.48 times the median deviation is 0.02 to 0.11 in ten real and simulated scenes."""

_BESIDE_M = 3.0
"""Road to both sides of a vehicle's middle that it is held against: its lane and the edges of the next."""

_ALONG_M = 35.0
"""Road ahead and behind; sections overlap by little more."""

_FRINGE_M = 0.7
"""Around a vehicle its blur and its shadow are not road."""

_INNER = np.stack(np.meshgrid(np.linspace(0.2, 0.8, 9), np.linspace(0.25, 0.75, 4)), axis=-1).reshape(-1, 2)
"""Places in a footprint, as shares of its length and width, clear of its blurred edge."""

_LEAST_PIXELS = 20
"""Fewer pixels of bare road tell nothing of it."""


def brightness_class(contrast: npt.ArrayLike) -> Texts:
    """Return the class of each contrast, empty for NaN.

    Examples
    --------
    >>> brightness_class([-0.3, 0.02, 0.2]).tolist()
    ['dark', 'like road', 'bright']
    """
    value = np.atleast_1d(np.asarray(contrast, dtype=float))
    index = (value >= -LIKE_ROAD).astype(int) + (value > LIKE_ROAD)
    return np.where(np.isnan(value), "", np.array(BRIGHTNESSES, dtype=object)[index])


def contrasts(
    vehicles: Sequence[Footprints], scene: Scene, roads: Sequence[Road], *, half_width_m: float
) -> list[Array]:
    """Measure how much brighter vehicles are than the bare road around them.

    Parameters
    ----------
    vehicles : sequence of Footprints
        Of any of them, no pixel is taken for road.
    scene : Scene
        The imagery.
    roads : sequence of Road
        Aligned to the imagery.
    half_width_m : float
        Reach to each side.

    Returns
    -------
    list of array, one for each of ``vehicles``, shape (n,)
        Mean brightness of the vehicle less the median of the road, as shares of the range that the corridor
        shows; NaN for vehicles outside the corridor, or with no bare road in sight.
    """
    boxes = np.concatenate([each.boxes for each in vehicles])
    contrast = np.full(len(boxes), np.nan)
    nearest = np.full(len(boxes), np.inf)
    for road in roads if len(boxes) else ():
        station, offset = (m.reshape(-1, 4) for m in road.to_road(*boxes.reshape(-1, 2).T))
        try:
            corridor = lay_flat(scene, road, half_width_m=half_width_m, align_road=False)
        except NothingToMeasureError:
            continue
        middle, aside = station.mean(axis=1), np.abs(offset.mean(axis=1))
        for section in corridor.sections():
            own = (middle >= section.core.start_m) & (middle < section.core.end_m) & (aside < nearest)
            here = np.flatnonzero(own & (aside <= half_width_m))
            if len(here):
                contrast[here] = _contrasts(section, station, offset, here)
                nearest[here] = aside[here]
    return np.split(contrast, np.cumsum([len(each) for each in vehicles])[:-1])


def _contrasts(section: Section, station: Array, offset: Array, here: npt.NDArray[np.intp]) -> Array:
    """Measure some of the vehicles, whose corners have the shape (n, 4)."""
    grid, light = section.grid, section.brightness()
    bare = section.hidden == Hidden.SEEN
    fringe = _FRINGE_M / grid.pixel_m
    column, row = grid.column_of(station), grid.row_of(offset)
    for x, y in zip(column, row, strict=True):
        top, left = max(0, round(y.min() - fringe)), max(0, round(x.min() - fringe))
        bare[top : max(0, round(y.max() + fringe) + 1), left : max(0, round(x.max() + fringe) + 1)] = False
    measured = np.full(len(here), np.nan)
    for k, i in enumerate(here):
        place = [
            corner[0] + _INNER[:, 0] * (corner[1] - corner[0]) + _INNER[:, 1] * (corner[3] - corner[0])
            for corner in (row[i], column[i])
        ]
        own = ndimage.map_coordinates(light, place, order=1, mode="nearest").mean()
        reach = np.array([_BESIDE_M, _ALONG_M]) / grid.pixel_m
        (top, left), (bottom, right) = (
            np.clip([row[i].mean() + way * reach[0], column[i].mean() + way * reach[1]], 0, None).astype(int)
            for way in (-1, 1)
        )
        road = light[top : bottom + 1, left : right + 1][bare[top : bottom + 1, left : right + 1]]
        if len(road) >= _LEAST_PIXELS:
            measured[k] = own - np.median(road)
    return measured
