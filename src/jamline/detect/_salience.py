"""Vehicle from road, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor import Section
from jamline.detect._background import relit, road_background
from jamline.detect._features import Maps
from jamline.detect._leaves import leaves

Pixels = npt.NDArray[np.float32]

WORK_M = 0.3
"""Pixel of the search, so that a box of 1.75 m is the same box at every resolution."""

_BAY_M = 3.0
"""Beyond the running lanes vehicles are looked for as far as a kerbside bay reaches; further out the ground is not
road, and what stands out from it need not be a vehicle."""

_SOFT_NOISES = 3.0
_SOFT_SHARE = 0.12
_SOFT_FLOOR = 0.02
"""Difference from the road at which a pixel is half salient: three times the road's noise, but no less than an
eighth of its brightness: in shade contrasts shrink with the light, the noise does not."""

_PEAK_M = 1.0
_OF_PEAK = 0.5
_MARK = 0.22
"""Fresh paint is no brighter than about twice this above the road once optics have spread it."""

_STRIPE_M = 0.5
_STRIPES, _PITCH_M = 5, (0.6, 1.6)
_CROSSING_M, _ALIKE = 2.0, 1.5
"""A zebra crossing: stripes of 0.4 to 0.6 m with as much between them, at least five over two lanes; pixels larger
than a stripe do not show them."""

_SHADE_M = 5.0


def section_maps(
    section: Section, *, carriageway_m: float
) -> tuple[Maps, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Tell vehicle from road, pixel by pixel.

    Returns
    -------
    maps : Maps
        On the working grid.
    leaf : array of bool, shape (rows, columns)
        Where leaves are, on the section's grid.
    shade : array of bool, shape (rows, columns)
        Where a shadow lies that is larger than a vehicle and its own.
    """
    seen, pixel_m = section.seen, section.grid.pixel_m
    on_road = np.abs(section.grid.offset_m()) < carriageway_m / 2
    bright = relit(section.brightness(), on_road, pixel_m=pixel_m)
    lit = dark = np.full(bright.shape, np.inf, np.float32)
    ground = road_background(bright, seen, on_road, pixel_m=pixel_m, leash=0.15)
    soft = _visible(*ground)
    # Optics spread what is bright: a mark is as wide as it is at a good part of its peak.
    reach = 2 * max(1, round(_PEAK_M / pixel_m)) + 1
    glare = np.minimum(_OF_PEAK * cv2.dilate(bright - ground[0], np.ones((reach, reach), np.uint8)), _MARK)
    # A bay full of vehicles shows no ground of its own: what counts is what differs from both.
    for level, noise in (ground, _continued(ground, on_road)):
        half = _visible(level, noise)
        lit = np.minimum(lit, _half_at(bright - level, np.maximum(half, glare)))
        dark = np.minimum(dark, _half_at(level - bright, half))
    raw = np.maximum(lit, dark)
    # Wider than a lorry in both directions: the shadow of a tree, a building or a slope. What stands in it cannot
    # be told from it by contrast with the sunlit road.
    shade = _opened(dark > 0.5, round(_SHADE_M / pixel_m))
    leaf = leaves(section, carriageway_m=carriageway_m)
    if len(section.pixels) >= 3:
        red, green, blue = section.pixels[:3]
        total = np.maximum(red + green + blue, 0.15)
        for chroma in ((red - green) / total, (blue - green) / total):
            usual, scatter = road_background(chroma.astype(np.float32), seen, on_road, pixel_m=pixel_m, leash=0.06)
            raw = np.maximum(raw, _half_at(np.abs(chroma - usual), np.maximum(4 * scatter, 0.07)))
    zone = (np.abs(section.grid.offset_m()) < carriageway_m / 2 + _BAY_M)[:, None] & seen & ~leaf & ~shade
    zoom = pixel_m / WORK_M

    def worked(values: Pixels) -> Pixels:
        return np.asarray(
            cv2.resize(values.astype(np.float32), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), np.float32
        )

    zone &= ~_crossing((bright - ground[0]) / soft, on_road, pixel_m=pixel_m)[None, :]
    raw, dark = (np.clip(worked(np.where(zone, values, 0.0)), 0, 1) for values in (raw, dark))
    visible = worked((bright - ground[0]) / soft)
    return Maps.of(raw, dark, visible, pixel_m=WORK_M), leaf & seen, shade & seen


def _crossing(visible: Pixels, on_road: npt.NDArray[np.bool_], *, pixel_m: float) -> npt.NDArray[np.bool_]:
    """Tell which columns show bright stripes side by side over the road: a zebra crossing, and no vehicles abreast."""
    if pixel_m > _STRIPE_M:
        return np.zeros(visible.shape[1], bool)
    along, pitch = max(1, round(_CROSSING_M / pixel_m)), max(3, round(_PITCH_M[1] / pixel_m))
    smooth = cv2.blur(visible, (along, 1), borderType=cv2.BORDER_REPLICATE)
    stripes = smooth - cv2.blur(smooth, (1, pitch), borderType=cv2.BORDER_REPLICATE)
    around = cv2.dilate(stripes, np.ones((2 * max(1, round(_PITCH_M[0] / 2 / pixel_m)) + 1, 1), np.uint8))
    peak = (stripes >= around) & (stripes > 0.5) & on_road[:, None]
    crossed = np.zeros(visible.shape[1], bool)
    for column in np.flatnonzero(peak.sum(axis=0) >= _STRIPES):
        at = np.flatnonzero(peak[:, column])
        apart, height = np.diff(at) * pixel_m, smooth[at, column]
        # All painted alike, with bare road between them; what lies between vehicles is shadow.
        alike = np.maximum(height[1:], height[:-1]) < _ALIKE * np.minimum(height[1:], height[:-1])
        bare = np.minimum.reduceat(smooth[:, column], at)[:-1] > -0.5
        even = (apart > _PITCH_M[0]) & (apart < _PITCH_M[1]) & alike & bare
        # So many stripes, each as far from the next as the last.
        runs = np.split(even, np.flatnonzero(~even))
        crossed[column] = max(int(run.sum()) for run in runs) >= _STRIPES - 1
    long = cv2.morphologyEx(crossed[None].astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, along), np.uint8))
    found: npt.NDArray[np.bool_] = cv2.dilate(long, np.ones((1, 2 * along + 1), np.uint8))[0] > 0
    return found


def _visible(level: Pixels, noise: Pixels) -> Pixels:
    """Return the difference from the road at which a pixel is half salient."""
    share = np.clip(_SOFT_SHARE * level, _SOFT_FLOOR, 0.06)
    visible: Pixels = np.maximum(_SOFT_NOISES * noise, share)
    return visible


def _opened(mask: npt.NDArray[np.bool_], size_px: int) -> npt.NDArray[np.bool_]:
    """Keep what a disc of this diameter fits into."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(1, size_px),) * 2)
    opened: npt.NDArray[np.bool_] = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    return opened


def _continued(ground: tuple[Pixels, Pixels], on_road: npt.NDArray[np.bool_]) -> tuple[Pixels, Pixels]:
    """Continue the carriageway's outermost background sideways."""
    first, last = np.flatnonzero(on_road)[[0, -1]]
    rows = np.clip(np.arange(len(on_road)), first, last)
    return ground[0][rows], ground[1][rows]


def _half_at(difference: Pixels, soft: Pixels) -> Pixels:
    """Return 0 at no difference, half at `soft`, 1 far beyond."""
    ratio = np.maximum(difference, 0) / soft
    cubed = np.minimum(ratio, 20) ** 3
    out: Pixels = (cubed / (1 + cubed)).astype(np.float32)
    return out
