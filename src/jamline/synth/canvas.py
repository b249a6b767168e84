"""What the layers of a scene paint on: a window's reflectance and how much sun falls on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.synth.config import SceneSpec
from jamline.synth.noise import Noise, Window
from jamline.synth.world import World

Field = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Stage:
    """What all windows of a scene share.

    Parameters
    ----------
    spec : SceneSpec
        The plan.
    world : World
        Its geometry.
    noise : Noise
        Its random tables.
    """

    spec: SceneSpec
    world: World
    noise: Noise

    @property
    def shadow_m(self) -> tuple[float, float]:
        """Metres east and north by which the top of something 1 m high casts its shadow."""
        light = self.spec.light
        reach = 1.0 / np.tan(np.radians(light.sun_elevation_deg))
        azimuth = np.radians(light.sun_azimuth_deg)
        return -float(np.sin(azimuth) * reach), -float(np.cos(azimuth) * reach)

    @property
    def sunward(self) -> tuple[float, float]:
        """Unit vector east and north towards the sun, as seen on the map."""
        azimuth = np.radians(self.spec.light.sun_azimuth_deg)
        return float(np.sin(azimuth)), float(np.cos(azimuth))


@dataclass(frozen=True, eq=False)
class Canvas:
    """One window while it is painted; the layers write into its arrays.

    Parameters
    ----------
    window : Window
        Where.
    station_m, offset_m : array, float32, shape (h, w)
        The road space of every cell.
    colour : array, float32, shape (h, w, 3)
        Reflectance in red, green and blue.
    sun : array, float32, shape (h, w)
        Share of the sun's light that arrives; over 1 where a surface leans towards it.
    """

    window: Window
    station_m: Field
    offset_m: Field
    colour: Field
    sun: Field


def mix(colour: Field, other: npt.ArrayLike, weight: Field) -> None:
    """Blend another colour into an image in place: ``weight`` 1 replaces it, shape (h, w)."""
    tint = np.asarray(other, dtype=np.float32)
    for band in range(3):
        plane = colour[..., band]
        plane += (tint[..., band] - plane) * weight


def ramp(values: Field, low: float, high: float) -> Field:
    """Return 0 below ``low``, 1 above ``high`` and a straight ramp between."""
    return np.asarray(np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0), dtype=np.float32)


def stripe(distance: Field, width_m: float, px_m: float) -> Field:
    """Return how much of each cell a line covers whose middle is ``distance`` away."""
    cover = np.clip((np.float32((width_m + px_m) / 2) - distance) / np.float32(px_m), 0.0, min(1.0, width_m / px_m))
    return np.asarray(cover, dtype=np.float32)


def part_of(canvas: Canvas, near: npt.NDArray[np.bool_]) -> Canvas:
    """Return the part of a canvas around some cells: the same arrays, less of them to paint."""
    block = 8
    rows, cols = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    r0, c0 = int(rows[0]) // block * block, int(cols[0]) // block * block
    r1, c1 = int(rows[-1]) + 1, int(cols[-1]) + 1
    w, cut = canvas.window, (slice(r0, r1), slice(c0, c1))
    window = Window(w.col + c0, w.row + r0, c1 - c0, r1 - r0, w.px_m)
    return Canvas(window, canvas.station_m[cut], canvas.offset_m[cut], canvas.colour[cut], canvas.sun[cut])
