"""Road paint besides the lines: arrows, stop lines, zebra crossings, hatching, words, bays."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.canvas import Canvas, Stage, mix, ramp
from jamline.synth.lanes import edge_m, row_offsets

Array = npt.NDArray[np.float64]

_TINTS = ((0.68, 0.68, 0.65), (0.52, 0.38, 0.06), (0.30, 0.09, 0.07))
"""White, yellow and red paint."""

# Pointing ahead, metres ahead and to the left.
_SHAFT = np.array([[-2.5, -0.08], [1.2, -0.08], [1.2, 0.08], [-2.5, 0.08]])
_HEAD = np.array([[0.7, -0.38], [2.5, 0.0], [0.7, 0.38]])
_HOOK = np.array([[0.2, 0.0], [0.5, 0.0], [0.9, 0.55], [0.65, 0.6]])
_BARB = np.array([[1.25, 0.40], [0.75, 1.15], [0.25, 0.55]])


@dataclass(frozen=True, eq=False)
class Marks:
    """All of a scene's marks: polygons on the local map, their tints, and where each lies."""

    polygons: tuple[Array, ...]
    tints: npt.NDArray[np.int64]
    low: Array
    high: Array


def plan_marks(stage: Stage) -> Marks:
    """Draw the marks of a whole road."""
    spec, length = stage.spec, stage.world.road.length_m
    paint, road = spec.paint, spec.road
    rng = np.random.default_rng([spec.seed, 32])
    shapes: list[tuple[Array, int]] = []
    main = 1 if rng.random() < 0.12 else 0

    def spots(per_km: float) -> Array:
        return np.asarray(rng.uniform(0.0, length, rng.poisson(per_km * length / 1000.0)))

    lanes = [(o, 1.0) for o in row_offsets(road, "right", road.lanes_right)]
    if not road.oneway and road.lanes_left:
        lanes += [(o, -1.0) for o in row_offsets(road, "left", road.lanes_left)]
    half = road.lane_width_m / 2
    for s in spots(paint.arrows_per_km):
        offset, way = lanes[int(rng.integers(len(lanes)))]
        size = float(rng.uniform(0.7, 1.3))
        shapes += [(_set(part * size, float(s), offset, way), main) for part in _arrow(rng)]
    for s in spots(paint.words_per_km):
        offset, way = lanes[int(rng.integers(len(lanes)))]
        shapes += [(_set(part, float(s), offset, way), main) for part in _word(rng)]
    stops = [(float(s), float(rng.choice([-1.0, 1.0]))) for s in spots(paint.stops_per_km)]
    zebras = [float(s) for s in spots(paint.zebras_per_km)]
    for crossing in spec.crossings:
        reach = crossing.lanes * crossing.lane_width_m / 2 + float(rng.uniform(3.0, 6.0))
        if paint.zebras_per_km > 0 and rng.random() < 0.7:
            zebras += [crossing.station_m - reach, crossing.station_m + reach]
        if paint.stops_per_km > 0:
            stops += [(crossing.station_m - reach - 3.0, 1.0), (crossing.station_m + reach + 3.0, -1.0)]
    for s, way in stops:
        mine = [o for o, w in lanes if w == way]
        if mine:
            box = _rectangle((s - 0.2, s + 0.2), (min(mine) - half, max(mine) + half))
            shapes.append((box, main))
    span = (-edge_m(road, "right"), edge_m(road, "left") if road.lanes_left or road.oneway else 0.3)
    for s in zebras:
        deep = float(rng.uniform(1.4, 2.2))
        for o in np.arange(span[0] + 0.3, span[1] - 0.3, float(rng.uniform(0.9, 1.3))):
            shapes.append((_rectangle((s - deep, s + deep), (float(o), float(o) + 0.5)), main))
    for s in spots(paint.hatched_per_km):
        shapes += [(part, main) for part in _hatching(float(s), span, road.shoulder_m, rng)]
    shapes += _bays(stage, rng)
    if paint.blocks_per_km > 0:
        broad = np.random.default_rng([spec.seed, 36])
        for s in broad.uniform(0.0, length, broad.poisson(paint.blocks_per_km * length / 1000.0)):
            shapes += [(part, main) for part in _blocks(stage, float(s), broad)]
    return _gathered(stage, shapes)


def lay_marks(stage: Stage, canvas: Canvas, marks: Marks) -> None:
    """Paint the marks, worn away in flakes and by tyres."""
    window = canvas.window
    west, north = window.west_m, window.north_m
    east, south = west + window.width * window.px_m, north - window.height * window.px_m
    near = (marks.high > (west, south)).all(axis=1) & (marks.low < (east, north)).all(axis=1)
    if not near.any():
        return
    worn = stage.spec.paint.worn
    flakes = stage.noise.field(window, 0.3, 120, rough=True) + 0.8 * stage.noise.field(window, 1.8, 121)
    kept = 1.0 - 0.35 * worn - 0.65 * ramp(flakes, 2.2 - 3.2 * worn, 3.4 - 3.2 * worn)
    for tint in np.unique(marks.tints[near]):
        mask = np.zeros(canvas.sun.shape, dtype=np.uint8)
        for index in np.flatnonzero(near & (marks.tints == tint)):
            polygon = marks.polygons[int(index)]
            px = window.to_px(polygon[:, 0], polygon[:, 1])
            cv2.fillPoly(mask, [np.round(px * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        mix(canvas.colour, _TINTS[int(tint)], np.asarray(mask * np.float32(1 / 255) * kept, dtype=np.float32))


def _set(outline: Array, station_m: float, offset_m: float, way: float) -> Array:
    return np.asarray(outline * way + np.array([station_m, offset_m]))


def _rectangle(along: tuple[float, float], across: tuple[float, float]) -> Array:
    (a, b), (c, d) = along, across
    return np.array([[a, c], [b, c], [b, d], [a, d]])


def _arrow(rng: np.random.Generator) -> list[Array]:
    """Return an arrow ahead, to a side, or both."""
    kind = rng.random()
    side = np.array([1.0, float(rng.choice([-1.0, 1.0]))])
    if kind < 0.5:
        return [_SHAFT, _HEAD]
    if kind < 0.75:
        return [_SHAFT * np.array([0.8, 1.0]), _HOOK * side, _BARB * side]
    return [_SHAFT, _HEAD, (_HOOK - [1.2, 0.0]) * side, (_BARB - [1.2, 0.0]) * side]


def _word(rng: np.random.Generator) -> list[Array]:
    """Return strokes that look like tall letters from far."""
    count, tall = int(rng.integers(2, 6)), float(rng.uniform(1.2, 3.6))
    wide = min(0.62, 2.5 / count)
    made = []
    for letter in range(count):
        left = (count / 2 - letter) * wide
        for _ in range(int(rng.integers(2, 5))):
            dice = rng.random()
            if dice < 0.5:
                o = left - float(rng.choice([0.08, 0.5 * wide, 0.78 * wide]))
                made.append(_rectangle((-tall / 2, tall / 2), (o - 0.06, o + 0.06)))
            elif dice < 0.85:
                s = float(rng.choice([-0.45, 0.0, 0.45])) * tall
                made.append(_rectangle((s - 0.15, s + 0.15), (left - 0.8 * wide, left - 0.05)))
            else:
                slope = np.array([[-tall / 2, left - 0.05], [-tall / 2, left - 0.17]])
                made.append(np.vstack([slope, slope[::-1] * [-1, 1] - [0, 0.5 * wide]]))
    return made


def _hatching(s: float, span: tuple[float, float], shoulder_m: float, rng: np.random.Generator) -> list[Array]:
    """Return slanting bars in a wedge, in the middle of the road or beside its edge."""
    wide, long = float(rng.uniform(1.2, 3.2)), float(rng.uniform(12.0, 45.0))
    dice = rng.random()
    if dice < 0.4:
        inner, outer = -wide / 2, wide / 2
    elif dice < 0.7:
        inner, outer = span[1] - wide, span[1] + 0.5 * shoulder_m
    else:
        inner, outer = span[0] - 0.5 * shoulder_m, span[0] + wide
    slant = float(rng.choice([-1.0, 1.0])) * (outer - inner)
    made = []
    for at in np.arange(s, s + long, float(rng.uniform(1.2, 2.5))):
        taper = min(1.0, 0.15 + (float(at) - s) / long)
        top = inner + (outer - inner) * taper
        made.append(
            np.array([[at, inner], [at + 0.5, inner], [at + 0.5 + slant * taper, top], [at + slant * taper, top]])
        )
    made.append(_rectangle((s, s + long), (inner - 0.08, inner + 0.08)))
    return made


def _blocks(stage: Stage, s: float, rng: np.random.Generator) -> list[Array]:
    """Return broad dashes along a line between lanes, at the road's edge or outside it."""
    road = stage.spec.road
    side, sign = ("left", 1.0) if road.lanes_left and not road.oneway and rng.random() < 0.5 else ("right", -1.0)
    edge = edge_m(road, side)
    inwards = road.lane_width_m * int(rng.integers(0, max(1, road.lanes_right)))
    o = sign * (edge - inwards + float(rng.choice([0.0, 0.0, 0.15, -0.4])))
    wide, long = float(rng.uniform(0.22, 0.55)), float(rng.uniform(0.8, 6.0))
    period = long + float(rng.uniform(0.8, 6.0))
    starts = np.arange(s, s + float(rng.uniform(30.0, 180.0)), period)
    return [_rectangle((float(at), float(at) + long), (o - wide / 2, o + wide / 2)) for at in starts]


def _bays(stage: Stage, rng: np.random.Generator) -> list[tuple[Array, int]]:
    """Return the lines between marked bays along the road."""
    spec = stage.spec
    made = []
    for parked in spec.parked:
        if not parked.marked or parked.pitch_m <= 0 or parked.where != "bay":
            continue
        sign = 1.0 if parked.side == "left" else -1.0
        edge = edge_m(spec.road, parked.side) + spec.road.shoulder_m
        whole = bool(rng.random() < 0.6)
        start, end = max(0.0, parked.start_m), min(parked.end_m, stage.world.road.length_m)
        for at in np.arange(start, end, parked.pitch_m):
            # Whole lines across the bay, or only the foot of a T at its outer edge.
            reach = (edge, edge + 2.2) if whole else (edge - 0.1, edge + 0.6)
            made.append((_rectangle((at - 0.06, at + 0.06), (sign * reach[0], sign * reach[1])), 0))
    return made


def _gathered(stage: Stage, shapes: list[tuple[Array, int]]) -> Marks:
    """Set all polygons on the local map at once."""
    if not shapes:
        none = np.zeros((0, 2))
        return Marks((), np.zeros(0, dtype=np.int64), none, none)
    flat = np.vstack([shape for shape, _ in shapes])
    xy = stage.world.place(flat[:, 0], flat[:, 1])
    polygons = tuple(np.split(xy, np.cumsum([len(shape) for shape, _ in shapes])[:-1]))
    low, high = np.array([p.min(axis=0) for p in polygons]), np.array([p.max(axis=0) for p in polygons])
    return Marks(polygons, np.array([tint for _, tint in shapes]), low, high)
