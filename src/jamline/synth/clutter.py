"""Things on and beside the road that are no vehicles: people, cycles, bins, lids, puddles, signs, gantries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.beside import in_crossing
from jamline.synth.canvas import Canvas, Field, Stage, mix
from jamline.synth.lanes import edge_m
from jamline.synth.paints import CARS, LOADS, pick

Array = npt.NDArray[np.float64]

_RAIL_M = 4.0
"""Length of the pieces that rails are cut into."""

OVERHEAD_M = 4.0
"""What has its foot above this hangs over the traffic."""

RIM = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0.0, 2 * np.pi, 10, endpoint=False)])


@dataclass(frozen=True, eq=False)
class Thing:
    """An upright prism: its outline on the local map, the heights of its foot and top, and its tint."""

    outline: Array
    foot_m: float
    top_m: float
    tint: Array


@dataclass(frozen=True, eq=False)
class Clutter:
    """All things of a scene, where each lies and how far its shadow may reach."""

    things: tuple[Thing, ...]
    middle: Array
    reach_m: Array


Shape = tuple[Array, float, float, Array]


def plan_clutter(stage: Stage) -> Clutter:
    """Set the things of a whole road; what hangs over the traffic has a foot higher than any vehicle."""
    spec, length = stage.spec, stage.world.road.length_m
    plan, road = spec.clutter, spec.road
    rng = np.random.default_rng([spec.seed, 33])
    made: list[Shape] = []
    edges = {1.0: edge_m(road, "left") + road.shoulder_m, -1.0: edge_m(road, "right") + road.shoulder_m}

    def scatter(per_km: float, make: Callable[[float, float, float], list[Shape]]) -> None:
        for _ in range(rng.poisson(per_km * length / 1000.0)):
            side = float(rng.choice([-1.0, 1.0]))
            made.extend(make(float(rng.uniform(0.0, length)), side, edges[side]))

    scatter(plan.manholes_per_km, lambda s, side, edge: _lid(s, side * float(rng.uniform(0.0, edge)), rng))
    scatter(plan.puddles_per_km, lambda s, side, edge: _puddle(s, side * float(rng.normal(edge, 1.5)), rng))
    scatter(plan.people_per_km, lambda s, side, edge: _person(s, side * _walk(edge, rng), rng))
    scatter(plan.cycles_per_km, lambda s, side, edge: _cycle(s, side, edge, rng))
    scatter(plan.junk_per_km, lambda s, side, edge: _junk(s, side, edge, rng))
    scatter(plan.signs_per_km, lambda s, side, edge: _sign(s, side * (edge + float(rng.uniform(0.4, 2.0))), rng))
    scatter(plan.gantries_per_km, lambda s, _side, _edge: _gantry(s, edges, rng))
    if plan.rail_shadow and road.rails:
        for side, edge in edges.items():
            at = np.arange(0.0, length, _RAIL_M)
            at = at[~in_crossing(spec, at, np.full(len(at), side * edge), 6.0)]
            steel = np.array([0.47, 0.48, 0.49])
            for s in at:
                box = _box(_RAIL_M + 0.05, 0.14) + np.array([s + _RAIL_M / 2, side * (edge + 0.55)])
                made.append((box, 0.45, 0.8, steel))
    return gathered(stage, made)


def lay_clutter(stage: Stage, canvas: Canvas, clutter: Clutter, *, over: bool = False) -> None:
    """Paint the things on the ground with their shadows, or those that hang over the traffic without."""
    mine = [thing for thing in _near(canvas, clutter) if (thing.foot_m > OVERHEAD_M) == over]
    for thing in mine:
        if thing.top_m > 0 and not over:
            _cast(stage, canvas, thing)
    for thing in mine:
        _raise(stage, canvas, thing)


def cast_gantries(stage: Stage, canvas: Canvas, clutter: Clutter) -> None:
    """Lay the shadows of what hangs over the traffic."""
    for thing in _near(canvas, clutter):
        if thing.foot_m > OVERHEAD_M:
            _cast(stage, canvas, thing)


def _near(canvas: Canvas, clutter: Clutter) -> list[Thing]:
    """Return the things that may reach into a window, with their shadows."""
    window = canvas.window
    px = window.to_px(clutter.middle[:, 0], clutter.middle[:, 1])
    reach = clutter.reach_m[:, None] / window.px_m + 4.0
    size = np.array([window.width, window.height])
    near = np.all((px > -reach) & (px < size + reach), axis=1)
    return [clutter.things[int(i)] for i in np.flatnonzero(near)]


def _cast(stage: Stage, canvas: Canvas, thing: Thing) -> None:
    east, north = stage.shadow_m
    way = np.array([east, north])
    hull = np.vstack([thing.outline + way * thing.foot_m, thing.outline + way * thing.top_m])
    placed = _filled(canvas, hull)
    if placed is not None:
        cover, cut = placed
        canvas.sun[cut] *= 1.0 - 0.92 * cover


def _raise(stage: Stage, canvas: Canvas, thing: Thing) -> None:
    """Paint a thing's flank, where the view shows it, and its top."""
    lean = np.array([stage.spec.sensor.view_east, stage.spec.sensor.view_north])
    foot, top = thing.outline + lean * thing.foot_m, thing.outline + lean * thing.top_m
    parts = [(np.vstack([foot, top]), 0.6), (top, 1.0)] if thing.top_m > 0.3 else [(top, 1.0)]
    for points, tone in parts:
        placed = _filled(canvas, points)
        if placed is not None:
            cover, cut = placed
            mix(canvas.colour[cut], thing.tint * tone, cover)
            if thing.top_m > 0.3:
                canvas.sun[cut] += (1.0 - canvas.sun[cut]) * cover * 0.8


def _filled(canvas: Canvas, points: Array) -> tuple[Field, tuple[slice, slice]] | None:
    """Return how much of each cell the hull of some points covers, and the cells it may touch."""
    px = canvas.window.to_px(points[:, 0], points[:, 1])
    low, high = np.floor(px.min(axis=0)).astype(int) - 1, np.ceil(px.max(axis=0)).astype(int) + 2
    low, high = np.maximum(low, 0), np.minimum(high, (canvas.window.width, canvas.window.height))
    if np.any(low >= high):
        return None
    hull = cv2.convexHull((px - low).astype(np.float32))[:, 0]
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255.0), (slice(low[1], high[1]), slice(low[0], high[0]))


def _box(long: float, wide: float, turn: float = 0.0) -> Array:
    box = np.array([[-long, -wide], [long, -wide], [long, wide], [-long, wide]]) / 2
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(box @ np.array([[cos, sin], [-sin, cos]]))


def _walk(edge: float, rng: np.random.Generator) -> float:
    """Return how far out a person is: mostly beside the pavement, now and then on it."""
    return float(rng.uniform(0.0, edge)) if rng.random() < 0.15 else edge + 0.8 + float(rng.exponential(3.0))


def _lid(s: float, o: float, rng: np.random.Generator) -> list[Shape]:
    tint = np.ones(3) * float(rng.choice([0.04, 0.06, 0.16, 0.25]))
    size = float(rng.uniform(0.28, 0.45))
    shape = RIM * size if rng.random() < 0.7 else _box(2 * size, 1.6 * size)
    return [(shape + np.array([s, o]), 0.0, 0.0, tint)]


def _puddle(s: float, o: float, rng: np.random.Generator) -> list[Shape]:
    size = float(rng.lognormal(-0.3, 0.6))
    shape = RIM * np.array([size * float(rng.uniform(1.0, 3.0)), size]) * rng.uniform(0.8, 1.2, (len(RIM), 1))
    tint = np.array([0.78, 0.95, 1.27]) * float(rng.choice([0.02, 0.04, 0.12]))
    return [(shape + np.array([s, o]), 0.0, 0.0, tint)]


def _person(s: float, o: float, rng: np.random.Generator) -> list[Shape]:
    shape = RIM * np.array([0.18, 0.28]) @ _turn(float(rng.uniform(0, np.pi)))
    return [(shape + np.array([s, o]), 0.1, float(rng.uniform(1.5, 1.85)), pick(CARS, rng, spread=0.4))]


def _cycle(s: float, side: float, edge: float, rng: np.random.Generator) -> list[Shape]:
    """Return a bicycle or motorcycle in a lane, or a few side by side at the kerb."""
    long, wide = float(rng.uniform(1.7, 2.2)), float(rng.uniform(0.3, 0.7))
    dark = np.array([0.03, 0.03, 0.033])
    if rng.random() < 0.55:
        place = np.array([s, side * float(rng.uniform(0.3, edge))])
        return [
            (_box(long, wide) + place, 0.1, 1.0, dark if rng.random() < 0.6 else pick(CARS, rng)),
            (RIM * np.array([0.3, 0.27]) + place, 0.9, 1.6, pick(CARS, rng, spread=0.4)),
        ]
    turn = float(rng.uniform(0.6, 2.5))
    out = side * (edge + float(rng.uniform(0.2, 2.0)))
    row = range(int(rng.integers(1, 7)))
    return [
        (_box(long, wide, turn) + np.array([s + 0.8 * k, out]), 0.1, 1.05, pick(CARS, rng, spread=0.4)) for k in row
    ]


def _junk(s: float, side: float, edge: float, rng: np.random.Generator) -> list[Shape]:
    """Return a bin, cabinet, bench, pallet, shelter or container."""
    sizes = (
        (0.35, 0.7, 0.7, 1.1),
        (0.20, 1.3, 0.5, 1.3),
        (0.15, 1.8, 0.5, 0.6),
        (0.15, 1.2, 1.0, 0.5),
        (0.06, 4.0, 1.6, 2.5),
        (0.05, 6.1, 2.44, 2.6),
        (0.04, 3.2, 1.6, 1.6),
    )
    share = np.array([size[0] for size in sizes])
    _, long, wide, high = sizes[int(rng.choice(len(sizes), p=share / share.sum()))]
    big = 3.0 if long > 3.0 else 0.6
    o = side * (edge + big + wide / 2 + float(rng.exponential(3.0)))
    turn = float(rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.6, 0.2, 0.2])) if long < 3 else 0.0
    tint = pick(LOADS if rng.random() < 0.5 else CARS, rng)
    return [(_box(long, wide, turn) + np.array([s, o]), 0.0, high * float(rng.uniform(0.8, 1.2)), tint)]


def _sign(s: float, o: float, rng: np.random.Generator) -> list[Shape]:
    grey = np.array([0.40, 0.41, 0.42])
    high = float(rng.uniform(2.2, 3.2))
    panel = _box(0.08, float(rng.uniform(0.5, 1.4))) + np.array([s, o])
    return [
        (_box(0.09, 0.09) + np.array([s, o]), 0.0, high, grey),
        (panel, high - 0.8, high, grey * float(rng.uniform(0.4, 1.5))),
    ]


def _gantry(s: float, edges: dict[float, float], rng: np.random.Generator) -> list[Shape]:
    """Return a beam across one side or both, with its signs."""
    low = -edges[-1.0] - 1.0
    high = edges[1.0] + 1.0 if rng.random() < 0.6 else 0.5
    beam = _box(float(rng.uniform(0.35, 0.9)), high - low) + np.array([s, (high + low) / 2])
    steel = np.array([0.36, 0.37, 0.38]) * float(rng.uniform(0.7, 1.4))
    made: list[Shape] = [(beam, 5.8, 6.6, steel)]
    signs = [float(o) for o in np.arange(low + 2.5, high - 2.0, 4.0) if rng.random() < 0.6]
    return made + [(_box(0.3, 2.6) + np.array([s, o]), 4.8, 7.0, np.array([0.10, 0.16, 0.24])) for o in signs]


def _turn(angle: float) -> Array:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def gathered(stage: Stage, shapes: list[Shape]) -> Clutter:
    """Set all outlines on the local map at once."""
    if not shapes:
        return Clutter((), np.zeros((0, 2)), np.zeros(0))
    flat = np.vstack([shape[0] for shape in shapes])
    xy = np.split(stage.world.place(flat[:, 0], flat[:, 1]), np.cumsum([len(shape[0]) for shape in shapes])[:-1])
    things = tuple(Thing(p, foot, top, tint) for p, (_, foot, top, tint) in zip(xy, shapes, strict=True))
    middle = np.array([thing.outline.mean(axis=0) for thing in things])
    way = float(np.hypot(*stage.shadow_m)) + 0.7
    size = np.array([np.ptp(thing.outline, axis=0).max() for thing in things])
    return Clutter(things, middle, size + way * np.array([thing.top_m for thing in things]))
