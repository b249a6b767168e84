"""One cut of the strip: pixels, and why some of them were not seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from jamline.corridor._grid import RoadGrid
from jamline.spans import Span

Pixels = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


class Hidden(IntEnum):
    """Why a pixel was not seen; 0 where it was."""

    SEEN = 0
    OUTSIDE = 1
    NODATA = 2
    CLOUD = 3
    SHADOW = 4
    TREES = 5
    ELSEWHERE = 6

    @property
    def reason(self) -> str:
        """The word that `run.json` and the coverage layer use."""
        return _REASONS[self]


_REASONS = {
    Hidden.SEEN: "",
    Hidden.OUTSIDE: "outside imagery",
    Hidden.NODATA: "nodata",
    Hidden.CLOUD: "cloud",
    Hidden.SHADOW: "deep shadow",
    Hidden.TREES: "tree cover",
    Hidden.ELSEWHERE: "nearer to another stretch",
}


@dataclass(frozen=True, eq=False)
class Section:
    """A stretch of road, flat.

    Parameters
    ----------
    grid : RoadGrid
        Where its pixels lie.
    core : Span
        The stations that are this section's own; what lies beyond is there so that no seam cuts anything.
    pixels : array, shape (bands, rows, columns)
        Brightness, stretched so that what the corridor shows lies between 0 and 1. Row 0 is the left edge.
    hidden : array of uint8, shape (rows, columns)
        `Hidden` codes.
    roles : tuple of str
        What each band shows: ``("red", "green", "blue")``, with ``"nir"``, or ``("pan",)``.
    gsd_m : float
        Resolution of the imagery, which may be coarser than the pixels.
    """

    grid: RoadGrid
    core: Span
    pixels: Pixels = field(repr=False)
    hidden: npt.NDArray[np.uint8] = field(repr=False)
    roles: tuple[str, ...]
    gsd_m: float

    @property
    def seen(self) -> Bools:
        """True where a vehicle would have been seen, shape (rows, columns)."""
        seen: Bools = self.hidden == Hidden.SEEN
        return seen

    @property
    def shown(self) -> Bools:
        """True where an image shows anything, be it cloud, shape (rows, columns)."""
        shown: Bools = (self.hidden != Hidden.OUTSIDE) & (self.hidden != Hidden.NODATA)
        return shown

    def brightness(self) -> Pixels:
        """Return what a panchromatic sensor would have seen, shape (rows, columns)."""
        mean: Pixels = self.pixels[: min(3, len(self.pixels))].mean(axis=0)
        return mean
