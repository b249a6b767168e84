"""Planted strips along the road: grass, shrubs, hedges, young trees whose crowns let most of the light through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.synth.beside import built_over, in_crossing
from jamline.synth.canvas import Canvas, Stage, mix, part_of, stripe
from jamline.synth.clutter import OVERHEAD_M, RIM, Clutter, Shape, gathered
from jamline.synth.lanes import edge_m
from jamline.synth.options import StripSpec

_TINTS = {"grass": (0.060, 0.088, 0.034), "bark": (0.085, 0.062, 0.045), "gravel": (0.25, 0.23, 0.20)}
_DRY = (0.20, 0.175, 0.105)
_LEAF = np.array([0.045, 0.066, 0.028])
_KERB = (0.36, 0.35, 0.33)
_PATH = (0.25, 0.245, 0.235)
_EARTH = (0.16, 0.115, 0.075)
_BARK = np.array([0.10, 0.085, 0.07])


def plan_strips(stage: Stage) -> Clutter:
    """Plant the strips of a whole road; crowns of young trees hang over the traffic, shrubs stand on the ground."""
    made: list[Shape] = []
    for index, strip in enumerate(stage.spec.strips):
        rng = np.random.default_rng([stage.spec.seed, 35, index])
        start, end = max(0.0, strip.start_m), min(stage.world.road.length_m, strip.end_m)
        if end - start < 2.0:
            continue
        sign = 1.0 if strip.side == "left" else -1.0
        middle = edge_m(stage.spec.road, strip.side) + stage.spec.road.shoulder_m + strip.near_m + strip.wide_m / 2
        leaf = _LEAF * float(np.exp(rng.normal(0.15, 0.40))) * (1.0 + rng.normal(0.0, 0.08, 3))
        plants = _shrubs(strip, (start, end), leaf, rng) + _hedge(strip, (start, end), leaf, rng)
        plants += _young(strip, (start, end), leaf, rng)
        plants += _bedded(strip, leaf, np.random.default_rng([stage.spec.seed, 38, index]))
        for outline, foot, top, tint in plants:
            s, across = outline.mean(axis=0)
            if not built_over(stage.spec, float(s), sign * (middle + float(across)), 1.5):
                made.append((outline * np.array([1.0, sign]) + np.array([0.0, sign * middle]), foot, top, tint))
    return gathered(stage, made)


def lay_strips(stage: Stage, canvas: Canvas) -> None:
    """Paint the ground of the strips, their kerbs, and the footpaths behind them."""
    road = stage.spec.road
    for index, strip in enumerate(stage.spec.strips):
        sign = np.float32(1.0 if strip.side == "left" else -1.0)
        out = canvas.offset_m * sign - np.float32(edge_m(road, strip.side) + road.shoulder_m + strip.near_m)
        s, far = canvas.station_m, strip.wide_m + strip.path_m
        near: npt.NDArray[np.bool_] = (s > strip.start_m - 1) & (s < strip.end_m + 1) & (out > -1) & (out < far + 1)
        if near.any():
            _lay_strip(stage, part_of(canvas, near), strip, index)


def _lay_strip(stage: Stage, canvas: Canvas, strip: StripSpec, index: int) -> None:
    rng = np.random.default_rng([stage.spec.seed, 37, index])
    road, noise, px = stage.spec.road, stage.noise, canvas.window.px_m
    sign = np.float32(1.0 if strip.side == "left" else -1.0)
    s, soft = canvas.station_m, np.float32(max(px, 0.15))
    out = canvas.offset_m * sign - np.float32(edge_m(road, strip.side) + road.shoulder_m + strip.near_m)
    ends = np.minimum(s - np.float32(strip.start_m), np.float32(strip.end_m) - s)
    free = ~in_crossing(stage.spec, s, canvas.offset_m, 2.5)
    wide = np.float32(strip.wide_m)
    if strip.path_m > 0:
        across = np.minimum(out - wide, wide + np.float32(strip.path_m) - out)
        slab = 1.0 - 0.07 * stripe(np.abs(np.mod(s, np.float32(1.2)) - 0.6), 0.06, px)
        tone = float(np.exp(rng.normal(0.0, 0.2))) * slab * (1.0 + 0.05 * noise.field(canvas.window, 0.7, 130))
        path = np.clip(0.5 + np.minimum(across, ends) / soft, 0.0, 1.0) * free
        mix(canvas.colour, np.array(_PATH) * tone[..., None], np.asarray(path, np.float32))
    inside = np.asarray(
        np.clip(0.5 + np.minimum(np.minimum(out, wide - out), ends) / soft, 0.0, 1.0) * free, np.float32
    )
    dry = 1.0 - stage.spec.terrain.season if strip.cover == "grass" else 0.0
    base = np.array(_TINTS[strip.cover]) * (1.0 - 0.7 * dry) + np.array(_DRY) * 0.7 * dry
    tone = 1.0 + 0.12 * noise.field(canvas.window, 0.3, 131, rough=True) + 0.14 * noise.field(canvas.window, 1.1, 132)
    ground = base * (float(np.exp(rng.normal(0.0, 0.2))) * np.clip(tone, 0.3, 2.0))[..., None]
    mix(canvas.colour, ground, inside)
    if strip.beds_m > 0:
        bed = _Bed.drawn(np.random.default_rng([stage.spec.seed, 38, index]))
        along = np.mod(s - np.float32(strip.start_m), np.float32(strip.beds_m)) - np.float32(strip.beds_m / 2)
        far = np.hypot(along, out - wide / 2) + np.float32(0.15) * noise.field(canvas.window, 0.6, 133)
        earth = np.array(bed.tint) * np.clip(tone, 0.3, 2.0)[..., None]
        mix(canvas.colour, earth, np.asarray(np.clip(0.5 + (bed.radius_m - far) / soft, 0, 1) * inside, np.float32))
    if rng.random() < 0.7:
        rim = np.asarray(np.minimum(np.minimum(np.abs(out), np.abs(wide - out)), np.abs(ends)), np.float32)
        mix(canvas.colour, _KERB, np.asarray(stripe(rim, 0.18, px) * np.minimum(1.0, 2.0 * inside) * 0.9, np.float32))


def _shrubs(
    strip: StripSpec, ends: tuple[float, float], leaf: npt.NDArray[np.float64], rng: np.random.Generator
) -> list[Shape]:
    """Return groups of shrubs: clumps that touch, bare ground between the groups."""
    made: list[Shape] = []
    at = ends[0] + float(rng.uniform(0.0, 3.0))
    dense = max(strip.shrubs, 0.02)
    while strip.shrubs > 0 and at < ends[1]:
        group = float(rng.lognormal(1.3, 0.8))
        stop = min(ends[1], at + group)
        size, step = float(rng.uniform(0.3, 0.8)), float(rng.uniform(0.5, 1.3))
        high, hue = float(rng.uniform(0.4, 1.7)), leaf * float(np.exp(rng.normal(0.0, 0.3)))
        while at < stop:
            r = size * float(np.exp(rng.normal(0.0, 0.25)))
            room = max(0.05, strip.wide_m / 2 - 0.6 * r)
            made.append(_clump((at, float(rng.uniform(-room, room))), r, (0.0, high), hue, rng))
            at += step * r * 1.6
        at += group * (1.0 - dense) / dense + 0.3
    return made


def _hedge(
    strip: StripSpec, ends: tuple[float, float], leaf: npt.NDArray[np.float64], rng: np.random.Generator
) -> list[Shape]:
    """Return a clipped hedge, in pieces with gaps where people pass."""
    made: list[Shape] = []
    at, wide = ends[0], min(strip.wide_m, float(rng.uniform(0.6, 1.6)))
    while strip.hedge_m > 0 and at < ends[1]:
        stop = min(ends[1], at + float(rng.uniform(4.0, 40.0)))
        for s in np.arange(at, stop, 0.9):
            half = np.array([0.52, wide / 2 * float(np.exp(rng.normal(0.0, 0.08)))])
            box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + np.array([float(s), rng.normal(0.0, 0.05)])
            tint = leaf * 0.9 * float(np.exp(rng.normal(0.0, 0.15)))
            made.append((box, 0.0, strip.hedge_m * float(np.exp(rng.normal(0.0, 0.06))), tint))
        at = stop + float(rng.uniform(0.5, 6.0))
    return made


def _young(
    strip: StripSpec, ends: tuple[float, float], leaf: npt.NDArray[np.float64], rng: np.random.Generator
) -> list[Shape]:
    """Return young trees: a trunk, and leaves in clumps with the ground to be seen between them."""
    made: list[Shape] = []
    if strip.young_m <= 0:
        return made
    reach, thick = float(rng.uniform(0.8, 2.3)), float(rng.uniform(6.0, 22.0))
    for s in np.arange(ends[0] + float(rng.uniform(0.0, strip.young_m)), ends[1], strip.young_m):
        if rng.random() < 0.12:
            continue
        place = np.array([float(s) + float(rng.normal(0.0, 0.4)), float(rng.normal(0.0, 0.2))])
        made.append((np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.09 + place, 0.0, 4.0, _BARK))
        size = reach * float(np.exp(rng.normal(0.0, 0.2)))
        thin = _Crown(size, round(thick * size), high_m=1.8, deep_m=0.5, clump_m=(0.15, 0.5))
        made += thin.clumps(place, leaf * 1.25, rng)
    return made


@dataclass(frozen=True)
class _Bed:
    """The beds of one strip's trees, and how far off their crowns are seen; equal generators draw equal ones."""

    radius_m: float
    tint: tuple[float, float, float]
    lean_m: tuple[float, float]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> _Bed:
        earth = np.array(_EARTH) * float(np.exp(rng.normal(0.0, 0.45)))
        red, green, blue = earth.tolist()
        lean = rng.uniform(-1.6, 1.6, 2)
        return cls(float(rng.uniform(0.5, 1.4)), (red, green, blue), (float(lean[0]), float(lean[1])))


def _bedded(strip: StripSpec, leaf: npt.NDArray[np.float64], rng: np.random.Generator) -> list[Shape]:
    """Return trees in beds, in full leaf: crowns of many clumps, that lean away from the camera."""
    made: list[Shape] = []
    if strip.beds_m <= 0:
        return made
    bed = _Bed.drawn(rng)
    reach = float(rng.uniform(0.7, 2.2))
    for s in np.arange(strip.start_m + strip.beds_m / 2, strip.end_m - 1.0, strip.beds_m):
        if rng.random() < 0.1:
            continue
        size = reach * float(np.exp(rng.normal(0.0, 0.15)))
        middle = np.array([float(s), 0.0]) + np.array(bed.lean_m) + rng.normal(0.0, 0.15, 2)
        full = _Crown(size, round(14 * size**2) + 6, high_m=1.5, deep_m=0.6, clump_m=(0.3, 0.7))
        made += full.clumps(middle, leaf * 1.1, rng)
    return made


@dataclass(frozen=True)
class _Crown:
    """Clumps of leaves spread over a disc: few and small ones let the ground show."""

    radius_m: float
    count: int
    high_m: float
    deep_m: float
    clump_m: tuple[float, float]

    def clumps(
        self, middle: npt.NDArray[np.float64], leaf: npt.NDArray[np.float64], rng: np.random.Generator
    ) -> list[Shape]:
        made: list[Shape] = []
        for _ in range(self.count):
            angle, far = float(rng.uniform(0, 2 * np.pi)), self.radius_m * float(np.sqrt(rng.random()))
            spot = middle + far * np.array([np.cos(angle), np.sin(angle)])
            foot = OVERHEAD_M + 0.05 + float(rng.uniform(0.0, self.high_m))
            r = float(rng.uniform(*self.clump_m))
            made.append(_clump((float(spot[0]), float(spot[1])), r, (foot, foot + self.deep_m), leaf, rng))
        return made


def _clump(
    place: tuple[float, float],
    radius_m: float,
    heights: tuple[float, float],
    leaf: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> Shape:
    outline = RIM[::2] * radius_m * rng.uniform(0.75, 1.2, (5, 1)) + np.array(place)
    return (
        outline,
        heights[0],
        heights[1] * (1.0 if heights[0] else float(rng.uniform(0.6, 1.1))),
        leaf * float(np.exp(rng.normal(0.0, 0.3))),
    )
