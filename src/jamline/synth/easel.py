"""A little canvas for one vehicle, painted from the ground up so that an oblique view shows its flanks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Plane = npt.NDArray[np.floating[Any]]

CELL_M = 0.1
"""Cell of the little pictures that vehicles are painted as before they are set into the scene."""


@dataclass(frozen=True, eq=False)
class Easel:
    """Premultiplied colour and cover of a vehicle while it is painted; its parts write into them.

    Parameters
    ----------
    u, w : array, float32, shape (1, n) and (m, 1)
        Metres ahead and to the left of the part that is painted.
    colour, cover : array, float32, shape (m, n, 3) and (m, n)
        Painted so far.
    lean : tuple of float
        Metres ahead and to the left by which the top of something 1 m high is seen.
    sun : tuple of float
        Towards the sun: components ahead and to the left.
    cot : float
        Of the sun's elevation.
    """

    u: Plane
    w: Plane
    colour: Plane
    cover: Plane
    lean: tuple[float, float]
    sun: tuple[float, float]
    cot: float

    @classmethod
    def sized(
        cls,
        length_m: float,
        width_m: float,
        *,
        height_m: float,
        lean: tuple[float, float],
        sun: tuple[float, float],
        cot: float,
    ) -> Easel:
        """Return an empty one with room for a vehicle and for how far its top leans."""
        pad = 6 + int(np.ceil(height_m * max(abs(lean[0]), abs(lean[1])) / CELL_M))
        wide, high = int(np.ceil(length_m / CELL_M)) + 2 * pad, int(np.ceil(width_m / CELL_M)) + 2 * pad
        u = (np.float32(CELL_M) * (np.arange(wide, dtype=np.float32) - np.float32((wide - 1) / 2)))[None, :]
        w = (np.float32(CELL_M) * (np.float32((high - 1) / 2) - np.arange(high, dtype=np.float32)))[:, None]
        blank = np.zeros((high, wide), dtype=np.float32)
        return cls(u, w, np.zeros((high, wide, 3), dtype=np.float32), blank, lean, sun, cot)

    def moved(self, ahead_m: float) -> Easel:
        """Return the same easel with its origin moved ahead."""
        return replace(self, u=self.u - np.float32(ahead_m))

    def at(self, height_m: float) -> tuple[Plane, Plane]:
        """Return ``u`` and ``w`` of what lies at a height."""
        return self.u - np.float32(self.lean[0] * height_m), self.w - np.float32(self.lean[1] * height_m)

    def steps(self, low_m: float, high_m: float) -> Array:
        """Return heights between two so close that a flank painted at each of them has no gaps."""
        way = (high_m - low_m) * float(np.hypot(*self.lean))
        return np.linspace(low_m, high_m, max(1, int(np.ceil(way / CELL_M))), endpoint=False)

    def put(self, cover: Plane, tint: npt.ArrayLike) -> None:
        """Paint over what is there; ``tint`` has shape (3,) or (m, n, 3)."""
        rest = 1.0 - cover
        self.colour[...] = self.colour * rest[..., None] + np.asarray(tint, dtype=np.float32) * cover[..., None]
        self.cover[...] = self.cover * rest + cover

    def wall(self) -> float:
        """Return the light on the flank that the view shows, as a share of that on level ground."""
        way = float(np.hypot(*self.lean))
        if way < 1e-6:
            return 0.6
        facing = -(self.lean[0] * self.sun[0] + self.lean[1] * self.sun[1]) / way
        return 0.38 + 0.8 * max(0.0, facing) * min(1.2, self.cot)

    def box(
        self,
        span: tuple[float, float],
        width_m: float,
        heights: tuple[float, float],
        tint: npt.ArrayLike,
        *,
        radius_m: float = 0.06,
    ) -> Plane:
        """Paint a box with upright walls from ``span[0]`` to ``span[1]`` metres ahead; return its top's cover."""
        flank = np.asarray(tint, dtype=np.float32) * np.float32(self.wall())
        for height in self.steps(*heights):
            self.put(self.top(span, width_m, float(height), radius_m)[0], flank)
        cover, depth = self.top(span, width_m, heights[1], radius_m)
        # The rim of a roof is rounded: darker all round.
        tone = 1.0 - 0.22 * np.clip((0.18 - depth) / 0.18, 0.0, 1.0)
        self.put(cover, np.asarray(tint, dtype=np.float32) * tone[..., None])
        return cover

    def top(self, span: tuple[float, float], width_m: float, height_m: float, radius_m: float) -> tuple[Plane, Plane]:
        """Return the cover of a rounded rectangle at a height, and how far inside its rim each cell lies."""
        u, w = self.at(height_m)
        return rounded(u - np.float32((span[0] + span[1]) / 2), w, (span[1] - span[0], width_m), radius_m)


def rounded(u: Plane, w: Plane, size: tuple[float, float], radius: float) -> tuple[Plane, Plane]:
    """Return cover of a rounded rectangle, and how far inside its rim each cell lies."""
    dx, dy = np.abs(u) - np.float32(size[0] / 2 - radius), np.abs(w) - np.float32(size[1] / 2 - radius)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - np.float32(radius)
    return np.asarray(np.clip(0.5 - outside / np.float32(CELL_M), 0, 1), dtype=np.float32), np.asarray(
        -outside, dtype=np.float32
    )
