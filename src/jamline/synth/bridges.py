"""Roads that cross overhead, hide what is under them and shade what is beside."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.canvas import Canvas, Field, Stage, mix

Array = npt.NDArray[np.float64]

_HALF_M = 70.0
"""Half the length of a bridge with its ramps."""

_HEIGHT_M = 6.5


@dataclass(frozen=True, eq=False)
class Bridge:
    """A deck: its middle on the local map, the unit vector along it, its width in metres."""

    middle: Array
    along: Array
    width_m: float

    def outline(self, *, inset_m: float = 0.0, shift: tuple[float, float] = (0.0, 0.0)) -> Array:
        """Return the deck's corners, shape (4, 2)."""
        across = np.array([-self.along[1], self.along[0]]) * (self.width_m / 2 - inset_m)
        ends = self.middle + np.outer([-1.0, 1.0], self.along) * _HALF_M + np.array(shift)
        return np.array([ends[0] - across, ends[1] - across, ends[1] + across, ends[0] + across])


def plan_bridges(stage: Stage) -> tuple[Bridge, ...]:
    """Set the bridges of a scene, each more or less square to the road."""
    rng = np.random.default_rng([stage.spec.seed, 13])
    made = []
    for station in stage.spec.road.bridges_m:
        middle, beside = stage.world.place([station, station], [0.0, 1.0])
        left = (beside - middle) / np.linalg.norm(beside - middle)
        turn = float(rng.normal(0.0, 0.25))
        along = np.array(
            [
                left[0] * np.cos(turn) - left[1] * np.sin(turn),
                left[0] * np.sin(turn) + left[1] * np.cos(turn),
            ]
        )
        made.append(Bridge(middle, along, float(rng.uniform(7.0, 13.0))))
    return tuple(made)


def shade_bridges(stage: Stage, canvas: Canvas, bridges: tuple[Bridge, ...]) -> None:
    """Lay the decks' shadows on the ground."""
    east, north = stage.shadow_m
    for bridge in bridges:
        points = np.vstack([bridge.outline(), bridge.outline(shift=(east * _HEIGHT_M, north * _HEIGHT_M))])
        shadow = _filled(canvas, points)
        if shadow is not None:
            canvas.sun[...] *= 1.0 - shadow


def lay_bridges(stage: Stage, canvas: Canvas, bridges: tuple[Bridge, ...]) -> None:
    """Lay the decks over road and vehicles."""
    grain = None
    for bridge in bridges:
        deck = _filled(canvas, bridge.outline())
        inner = _filled(canvas, bridge.outline(inset_m=0.6))
        if deck is None or inner is None:
            continue
        if grain is None:
            grain = 1.0 + 0.05 * stage.noise.field(canvas.window, 0.5, 70)
        mix(canvas.colour, (0.34, 0.33, 0.31), deck)
        mix(canvas.colour, (0.11 * grain)[..., None] * np.ones(3, dtype=np.float32), inner)
        canvas.sun[...] += (1.0 - canvas.sun) * deck


def _filled(canvas: Canvas, points: Array) -> Field | None:
    """Return how much of each cell the hull of some points covers, or ``None`` where it is elsewhere."""
    px = canvas.window.to_px(points[:, 0], points[:, 1])
    size = np.array([canvas.window.width, canvas.window.height])
    if np.any(px.max(axis=0) < -2) or np.any(px.min(axis=0) > size + 2):
        return None
    hull = cv2.convexHull(px.astype(np.float32))[:, 0]
    mask = np.zeros(canvas.sun.shape, dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return np.asarray(mask.astype(np.float32) / 255.0, dtype=np.float32)
