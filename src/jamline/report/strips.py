"""Pictures of the road laid flat, cut into the frames that the page shows and packed for it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import numpy as np
import numpy.typing as npt

from jamline.imagery import packed_picture
from jamline.memory import Shelf

Bytes = npt.NDArray[np.uint8]

ROW_M = 1000.0
"""Length of a row."""

_MAX_ROW_PX = 2000
"""Widest picture of a row: 0.5 m a pixel shows single cars, and 17 rows stay under 1.5 MB."""

_UNSEEN_GREY = 128
_JPEG_QUALITY = 70
_NOTHING: Bytes = np.zeros(0, np.uint8)


@dataclass(frozen=True, eq=False)
class StripImage:
    """A piece of the road laid flat, as a picture.

    Parameters
    ----------
    road : str
        Name of the road.
    start_m, end_m : float
        Stations of the left and right edge.
    pixel_m : float
        Metres a pixel, along and across.
    top_offset_m : float
        Offset of the top edge, left of the line positive.
    image : array of uint8, shape (h, w) or (h, w, 3)
        Row 0 is the road's left edge.
    """

    road: str
    start_m: float
    end_m: float
    pixel_m: float
    top_offset_m: float
    image: Bytes = field(repr=False)

    @property
    def bottom_offset_m(self) -> float:
        """Offset of the bottom edge."""
        return self.top_offset_m - float(self.image.shape[0]) * self.pixel_m


class Strips(Sequence[StripImage]):
    """Pieces of roads laid flat, their pictures put aside until the report is written."""

    def __init__(self) -> None:
        self._strips: list[StripImage] = []
        self._images: Shelf[np.uint8] = Shelf()

    def append(self, strip: StripImage) -> None:
        """Put one at the end."""
        self._images.append(strip.image)
        self._strips.append(replace(strip, image=_NOTHING))

    def extend(self, strips: Iterable[StripImage]) -> None:
        """Put some at the end."""
        for strip in strips:
            self.append(strip)

    def __len__(self) -> int:
        return len(self._strips)

    @overload
    def __getitem__(self, index: int) -> StripImage: ...
    @overload
    def __getitem__(self, index: slice) -> list[StripImage]: ...
    def __getitem__(self, index: int | slice) -> StripImage | list[StripImage]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return replace(self._strips[index], image=self._images[index])


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of the road that the page shows: by default a kilometre, as wide as what was looked at."""

    road: str
    start_m: float
    top_offset_m: float
    bottom_offset_m: float
    length_m: float = ROW_M

    @property
    def end_m(self) -> float:
        """Station of its right edge."""
        return self.start_m + self.length_m

    @property
    def height_m(self) -> float:
        """Width of the strip across the road, which is the height of the frame."""
        return self.top_offset_m - self.bottom_offset_m


def pictures_of(strips: Iterable[StripImage], frames: Iterable[Frame]) -> Mapping[Frame, str]:
    """Cut strips into frames.

    Parameters
    ----------
    strips : iterable of StripImage
        In any order; used once, so it may be a generator.
    frames : iterable of Frame
        What to picture; frames may overlap.

    Returns
    -------
    mapping of Frame to str
        Data URI of a JPEG for each frame that any strip shows.
    """
    by_road: dict[str, list[Frame]] = {}
    for frame in frames:
        by_road.setdefault(frame.road, []).append(frame)
    canvases: dict[Frame, Bytes] = {}
    pixel_m: dict[str, float] = {}
    for strip in strips:
        small = _reduced(strip)
        scale = pixel_m.setdefault(strip.road, small.pixel_m)
        for frame in by_road.get(strip.road, []):
            if small.start_m < frame.end_m and small.end_m > frame.start_m:
                if frame not in canvases:
                    canvases[frame] = _canvas(frame, scale)
                _paste(canvases[frame], frame, small)
    return {frame: _data_uri(canvas) for frame, canvas in canvases.items()}


def _reduced(strip: StripImage) -> StripImage:
    """Return a strip no finer than the page can use, by averaging whole blocks of pixels."""
    factor = max(1, int(ROW_M / strip.pixel_m / _MAX_ROW_PX))
    pixels = strip.image if strip.image.ndim == 3 else np.repeat(strip.image[:, :, None], 3, axis=2)
    rows, columns = (size // factor * factor for size in pixels.shape[:2])
    if factor > 1 and rows and columns:
        blocks = pixels[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor, 3)
        pixels = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    return StripImage(
        road=strip.road,
        start_m=strip.start_m,
        end_m=strip.end_m,
        pixel_m=strip.pixel_m * factor,
        top_offset_m=strip.top_offset_m,
        image=pixels,
    )


def _canvas(frame: Frame, pixel_m: float) -> Bytes:
    """Return a grey picture of a frame."""
    shape = (max(1, round(frame.height_m / pixel_m)), max(1, round(frame.length_m / pixel_m)), 3)
    return np.full(shape, _UNSEEN_GREY, dtype=np.uint8)


def _paste(canvas: Bytes, frame: Frame, strip: StripImage) -> None:
    """Put what a strip shows of a frame on its canvas, each pixel from the strip's pixel at its centre."""
    rows, columns = canvas.shape[:2]
    station = frame.start_m + (np.arange(columns) + 0.5) * frame.length_m / columns
    offset = frame.top_offset_m - (np.arange(rows) + 0.5) * frame.height_m / rows
    x = np.floor((station - strip.start_m) / strip.pixel_m).astype(int)
    y = np.floor((strip.top_offset_m - offset) / strip.pixel_m).astype(int)
    to_x = np.flatnonzero((x >= 0) & (x < strip.image.shape[1]) & (station < strip.end_m))
    to_y = np.flatnonzero((y >= 0) & (y < strip.image.shape[0]))
    canvas[np.ix_(to_y, to_x)] = strip.image[np.ix_(y[to_y], x[to_x])]


def _data_uri(picture: Bytes) -> str:
    """Pack a picture, shape (h, w, 3), as a JPEG that stands in the page itself."""
    packed = packed_picture(picture, "JPEG", QUALITY=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(packed).decode("ascii")
