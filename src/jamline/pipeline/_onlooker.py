"""A detector that looks over another's shoulder, and keeps a picture of each section for the report."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jamline.corridor import Corridor, Section
from jamline.detect import Detector, Found
from jamline.report import StripImage, Strips

Progress = Callable[[float, float], None]
"""Called with the metres of road that are done, and the metres that there are."""

_STRIP_PIXEL_M = 0.5
"""Single cars can still be told apart."""

_STRIP_BYTES = 48_000_000
"""Pictures kept until the report is written; on very long roads they are coarser instead."""

_UNSEEN_GREY = 128


@dataclass(frozen=True, eq=False)
class Onlooker:
    """A detector that looks over another's shoulder, and keeps a picture of each section for the report.

    That way pixels are read once, however the detector goes about its work.
    """

    detector: Detector
    pixel_m: float
    length_m: float
    progress: Progress | None
    strips: Strips
    road: str = ""

    @classmethod
    def of(cls, detector: Detector, corridors: Sequence[Corridor], progress: Progress | None) -> Onlooker:
        """Make one for all roads of a run."""
        length_m = sum(corridor.road.length_m for corridor in corridors)
        area_m2 = sum(2 * each.half_width_m * each.road.length_m for each in corridors)
        pixel_m = max(_STRIP_PIXEL_M, math.sqrt(3 * area_m2 / _STRIP_BYTES))
        return cls(detector, pixel_m, length_m, progress, Strips())

    def of_road(self, name: str) -> Onlooker:
        """Return the one for a road, which adds to the same strips."""
        return replace(self, road=name)

    @property
    def name(self) -> str:
        """Name of the detector itself."""
        return self.detector.name

    @property
    def sha256(self) -> str | None:
        """Hash of the detector's weights."""
        return self.detector.sha256

    def find(self, section: Section, *, carriageway_m: float) -> Found:
        """Let the detector find the vehicles of a section, and keep a picture of it."""
        found = self.detector.find(section, carriageway_m=carriageway_m)
        self.strips.append(_picture(section, self.road, self.pixel_m))
        if self.progress is not None:
            self.progress(section.core.length_m, self.length_m)
        return found


def _picture(section: Section, road: str, pixel_m: float) -> StripImage:
    """Return a section's own stretch as a picture with pixels of about the size asked for."""
    grid = section.grid
    factor = max(1, round(pixel_m / grid.pixel_m))
    first = max(0, round(section.core.start_m / grid.pixel_m) - grid.first)
    stop = round(section.core.end_m / grid.pixel_m) - grid.first
    # Up to a whole number of blocks: the next section's picture goes over what is too much.
    stop = min(grid.columns, first + math.ceil((stop - first) / factor) * factor)
    colours = section.pixels[: 3 if len(section.pixels) >= 3 else 1, :, first:stop]
    light = np.clip(colours, 0.0, 1.0)
    light *= 255.0
    shown = section.shown[:, first:stop]
    if not shown.all():
        light[:, ~shown] = _UNSEEN_GREY
    image = np.moveaxis(np.rint(_block_mean(light, factor)).astype(np.uint8), 0, -1)
    start_m = (grid.first + first) * grid.pixel_m
    size_m = factor * grid.pixel_m
    return StripImage(
        road=road,
        start_m=start_m,
        end_m=start_m + image.shape[1] * size_m,
        pixel_m=size_m,
        top_offset_m=grid.half_width_m,
        image=image if image.shape[2] == 3 else image[:, :, 0],
    )


def _block_mean(pixels: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Average blocks of pixels, shape (bands, rows, columns); the last block may be smaller."""
    if factor == 1:
        return pixels
    rows, columns = (math.ceil(size / factor) * factor for size in pixels.shape[1:])
    padding = ((0, 0), (0, rows - pixels.shape[1]), (0, columns - pixels.shape[2]))
    whole = np.pad(pixels, padding, mode="edge")
    blocks = whole.reshape(len(whole), rows // factor, factor, columns // factor, factor)
    mean: npt.NDArray[Any] = blocks.mean(axis=(2, 4))
    return mean
