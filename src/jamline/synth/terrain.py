"""The land: ground colours, fields, slopes, yards and buildings."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.beside import built_over
from jamline.synth.canvas import Canvas, Field, Stage, mix, ramp
from jamline.synth.lanes import edge_m

# Reflectance in red, green, blue, from spectral libraries' broad averages.
_SAND = (0.37, 0.275, 0.195)
_PALE_SAND = (0.43, 0.33, 0.245)
_SOIL = (0.20, 0.150, 0.105)
_DRY = (0.225, 0.185, 0.115)
_STRAW = (0.33, 0.28, 0.17)
_GREEN = (0.075, 0.105, 0.045)
_LUSH = (0.052, 0.088, 0.030)
_ROCK = (0.205, 0.190, 0.170)
_SCREE = (0.285, 0.270, 0.245)
_PAVED = (0.27, 0.26, 0.24)
_YARD = (0.15, 0.145, 0.14)
_TINTS = {
    "desert": (_SAND, _PALE_SAND, _SOIL),
    "steppe": (_DRY, _STRAW, _SOIL),
    "fields": (_GREEN, _DRY, _SOIL),
    "grass": (_GREEN, _LUSH, _DRY),
    "forest": (_LUSH, _GREEN, _SOIL),
    "rock": (_ROCK, _GREEN, _SCREE),
    "town": (_GREEN, _PAVED, _DRY),
}
_ROOFS = (
    (0.30, 0.29, 0.28),
    (0.42, 0.41, 0.40),
    (0.62, 0.61, 0.59),
    (0.25, 0.115, 0.075),
    (0.33, 0.155, 0.10),
    (0.12, 0.12, 0.13),
    (0.20, 0.26, 0.30),
)


@dataclass(frozen=True, slots=True)
class Building:
    """A box beside the road: corners on the local map, shape (4, 2), height and roof colour."""

    corners: npt.NDArray[np.float64]
    height_m: float
    roof: tuple[float, float, float]


def lay_ground(stage: Stage, canvas: Canvas) -> None:
    """Paint the land as if there were no road on it."""
    terrain, noise, window = stage.spec.terrain, stage.noise, canvas.window
    base, second, third = (np.array(tint) for tint in _TINTS[terrain.kind])
    if terrain.kind in ("grass", "forest", "fields", "rock", "town"):
        dry = 1.0 - terrain.season
        base = base + (np.array(_DRY) - base) * (0.75 * dry if terrain.kind != "rock" else 0.0)
        second = second + (np.array(_DRY) - second) * (0.8 * dry if terrain.kind != "town" else 0.0)
    canvas.colour[...] = base.astype(np.float32)
    if terrain.kind == "fields":
        _lay_fields(stage, canvas)
    elif terrain.kind == "town":
        _lay_yards(stage, canvas)
    patch = noise.field(window, 0.8, 1)
    broad = noise.field(window, 3.1, 2)
    share = {"fields": 0.25, "town": 0.12, "desert": 0.7}.get(terrain.kind, 0.9)
    mix(canvas.colour, second, ramp(broad + 0.45 * patch, -0.2, 1.2) * share)
    bare = {"town": 0.15, "desert": 0.45}.get(terrain.kind, 0.85)
    mix(canvas.colour, third, ramp(noise.field(window, 1.7, 3) + 0.5 * patch, 0.9, 1.9) * bare)
    calm = {"town": 0.5, "desert": 0.6}.get(terrain.kind, 1.0)
    fine = noise.field(window, 0.25, 4, rough=True)
    tone = 1.0 + calm * (0.09 * fine + 0.07 * patch + 0.05 * noise.field(window, 0.5, 5, rough=True))
    _lay_paths(stage, canvas)
    if terrain.relief > 0:
        tone *= _slopes(stage, canvas)
    canvas.colour[...] *= np.clip(tone, 0.25, 2.0)[..., None]
    if terrain.kind != "town":
        _lay_shrubs(stage, canvas)


def plan_buildings(stage: Stage) -> tuple[Building, ...]:
    """Set houses along the road, none of them on it."""
    per_km = stage.spec.terrain.buildings_per_km
    world, road = stage.world, stage.spec.road
    if per_km <= 0:
        return ()
    rng = np.random.default_rng([stage.spec.seed, 5])
    made, taken = [], np.zeros((0, 3))
    for _ in range(rng.poisson(per_km * world.road.length_m / 1000.0)):
        sign = float(rng.choice([-1.0, 1.0]))
        wide, deep = float(rng.uniform(9, 34)), float(rng.uniform(8, 18))
        reach = float(np.hypot(wide, deep)) / 2
        near = edge_m(road, "left" if sign > 0 else "right") + road.shoulder_m + road.verge_m + reach + 5.0
        s = float(rng.uniform(0.0, world.road.length_m))
        offset = sign * (near + float(rng.exponential(22.0)))
        middle = world.place([s], [offset])[0]
        clear = world.distance_m(middle[None])[0] > near - 1.0
        clear &= not built_over(stage.spec, s, offset, reach + 1.0)
        if not clear or np.any(np.hypot(*(taken[:, :2] - middle).T) < taken[:, 2] + reach):
            continue
        taken = np.vstack([taken, [*middle, reach]])
        ahead = world.place([s + 1.0], [offset])[0] - middle
        ahead /= np.linalg.norm(ahead)
        left = np.array([-ahead[1], ahead[0]])
        box = np.array([[-wide, -deep], [wide, -deep], [wide, deep], [-wide, deep]]) / 2
        height = float(rng.choice([3.5, 4.5, 6.5, 9.5, 13.0], p=[0.2, 0.3, 0.3, 0.15, 0.05]))
        roof = _ROOFS[int(rng.integers(len(_ROOFS)))]
        made.append(Building(middle + box[:, :1] * ahead + box[:, 1:] * left, height, roof))
    return tuple(made)


def plan_towers(stage: Stage) -> tuple[Building, ...]:
    """Set high houses close along the road, so that their shadows lie on it."""
    per_km = stage.spec.shade.towers_per_km
    world, road = stage.world, stage.spec.road
    if per_km <= 0:
        return ()
    rng = np.random.default_rng([stage.spec.seed, 34])
    made: list[Building] = []
    taken: list[tuple[float, float, float]] = []
    for _ in range(rng.poisson(per_km * world.road.length_m / 1000.0)):
        side = str(rng.choice(["left", "right"]))
        sign = 1.0 if side == "left" else -1.0
        wide, deep = float(rng.uniform(12, 50)), float(rng.uniform(9, 18))
        near = edge_m(road, side) + road.shoulder_m + road.verge_m + float(rng.uniform(2.0, 9.0)) + 2.5
        s, offset = float(rng.uniform(0.0, world.road.length_m)), sign * (near + deep / 2)
        clash = any(side_ == sign and abs(s - s_) < reach + wide / 2 + 3.0 for s_, side_, reach in taken)
        if clash or built_over(stage.spec, s, offset, wide / 2 + 1.0):
            continue
        ahead = np.array([-wide, wide, wide, -wide]) / 2
        corners = world.place(s + ahead, offset + np.array([-deep, -deep, deep, deep]) / 2)
        if world.distance_m(corners).min() < near - 2.0:
            continue
        taken.append((s, sign, wide / 2))
        roof = _ROOFS[int(rng.integers(len(_ROOFS)))]
        made.append(Building(corners, float(rng.uniform(8.0, 32.0)), roof))
    return tuple(made)


def lay_buildings(stage: Stage, canvas: Canvas, buildings: tuple[Building, ...]) -> None:
    """Paint roofs and the shadows of houses; shadows fall on everything painted before."""
    window, (east, north) = canvas.window, stage.shadow_m
    shadow = np.zeros(canvas.sun.shape, dtype=np.uint8)
    near = []
    for house in buildings:
        px = window.to_px(house.corners[:, 0], house.corners[:, 1])
        top = window.to_px(house.corners[:, 0] + east * house.height_m, house.corners[:, 1] + north * house.height_m)
        hull = cv2.convexHull(np.vstack([px, top]).astype(np.float32))[:, 0]
        if np.any(hull.max(axis=0) < -2) or np.any(hull.min(axis=0) > (window.width + 2, window.height + 2)):
            continue
        near.append((house, px))
        cv2.fillConvexPoly(shadow, _fixed(hull), 255, cv2.LINE_AA, 4)
    if not near:
        return
    canvas.sun[...] *= 1.0 - shadow.astype(np.float32) / 255.0
    for house, px in near:
        low = np.maximum(np.floor(px.min(axis=0)).astype(int) - 2, 0)
        high = np.minimum(np.ceil(px.max(axis=0)).astype(int) + 3, (window.width, window.height))
        if np.all(low < high):
            roof = np.zeros(canvas.sun.shape, dtype=np.uint8)
            cv2.fillConvexPoly(roof, _fixed(px), 255, cv2.LINE_AA, 4)
            _lay_roof(stage, canvas, house, px, (slice(low[1], high[1]), slice(low[0], high[0])), roof)


def _lay_roof(
    stage: Stage,
    canvas: Canvas,
    house: Building,
    px: npt.NDArray[np.float64],
    cut: tuple[slice, slice],
    roof: npt.NDArray[np.uint8],
) -> None:
    """Paint one roof into the cells that it takes."""
    cover = roof[cut].astype(np.float32) / 255.0
    ridge = np.array([px[[0, 3]].mean(axis=0), px[[1, 2]].mean(axis=0)])
    mix(canvas.colour[cut], np.array(house.roof, dtype=np.float32), cover)
    sun = canvas.sun[cut]
    sun += (1.0 - sun) * cover
    if house.roof[0] < 0.35:
        # A pitched roof: the half turned away from the sun is darker.
        along = ridge[1] - ridge[0]
        yy = np.arange(cut[0].start, cut[0].stop)[:, None]
        xx = np.arange(cut[1].start, cut[1].stop)[None, :]
        which = along[0] * (yy - ridge[0][1]) - along[1] * (xx - ridge[0][0])
        # Image rows run south, so a positive side lies to the right of the ridge's direction.
        right = np.array([-along[1], along[0]])
        toward = right[0] * stage.sunward[0] - right[1] * stage.sunward[1]
        bright = np.where((which > 0) == (toward > 0), 1.15, 0.72).astype(np.float32)
        sun *= 1.0 + (bright - 1.0) * cover


def _fixed(points: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Return points as OpenCV's fixed-point numbers with four bits behind the point."""
    return np.asarray(np.round(np.asarray(points) * 16.0), dtype=np.int32)


def _slopes(stage: Stage, canvas: Canvas) -> Field:
    """Return the brightness of slopes against flat ground."""
    window = canvas.window
    height: Field = stage.noise.field(window, 4.5, 6)
    if stage.spec.terrain.kind == "rock":
        # Ridged: sharp crests and soft hollows, as water cuts them.
        height = np.float32(2.2) * (np.float32(1.0) - np.abs(height))
    height += np.float32(0.16) * stage.noise.field(window, 1.1, 7)
    dx = cv2.Scharr(height, cv2.CV_32F, 1, 0) / (32.0 * window.px_m)
    dy = cv2.Scharr(height, cv2.CV_32F, 0, 1) / (32.0 * window.px_m)
    east, north = stage.sunward
    steep = 1.0 / np.tan(np.radians(stage.spec.light.sun_elevation_deg))
    # Rows run south: the slope to the north is the negative of the one down the image.
    facing = -(dx * np.float32(east) - dy * np.float32(north)) * np.float32(min(steep, 2.5))
    # Beside the road the ground is level.
    level = ramp(np.abs(canvas.offset_m), 9.0, 30.0)
    return np.asarray(1.0 + np.clip(facing * 2.2 * stage.spec.terrain.relief, -0.6, 0.6) * level, dtype=np.float32)


def _lay_shrubs(stage: Stage, canvas: Canvas) -> None:
    """Scatter shrubs, or boulders on rock: dots of a metre or two with their shadows."""
    window, noise = canvas.window, stage.noise
    kind = stage.spec.terrain.kind
    cell = 3.4
    col, row = int(window.west_m // cell) - 1, int(-window.north_m // cell) - 1
    wide, high = int(window.width * window.px_m / cell) + 3, int(window.height * window.px_m / cell) + 3
    cx, cy = (a.ravel().astype(np.int64) for a in np.meshgrid(np.arange(col, col + wide), np.arange(row, row + high)))
    often = {"desert": 0.10, "steppe": 0.10, "rock": 0.22}.get(kind, 0.05)
    x, y = (cx + noise.dice(cx, cy, 20)) * cell, -(cy + noise.dice(cx, cy, 21)) * cell
    rich = np.clip(0.6 + 0.9 * noise.at(x, y, 1.8, 9), 0.0, 3.0)
    grows = noise.dice(cx, cy, 22) < often * rich
    radius = 0.25 + 1.0 * noise.dice(cx, cy, 23)[grows] ** 2
    x, y = x[grows], y[grows]
    _, offset = stage.world.locate(np.column_stack([x, y]))
    side = max(edge_m(stage.spec.road, "left"), edge_m(stage.spec.road, "right")) + stage.spec.road.shoulder_m
    free = np.abs(offset) > side + stage.spec.road.verge_m + 0.5
    dots = np.zeros(canvas.sun.shape, dtype=np.uint8)
    cast = np.zeros(canvas.sun.shape, dtype=np.uint8)
    east, north = stage.shadow_m
    for px, foot, r in zip(
        window.to_px(x, y)[free],
        window.to_px(x + east * radius * 1.2, y + north * radius * 1.2)[free],
        radius[free] / window.px_m,
        strict=True,
    ):
        thick = max(1, round(1.7 * r))
        cv2.line(cast, _at(px), _at(foot), 255, thick, cv2.LINE_AA, 4)
        cv2.circle(dots, _at(px), int(r * 16), 255, -1, cv2.LINE_AA, 4)
    stone = kind == "rock"
    tint = np.array((0.24, 0.225, 0.20) if stone else (0.085, 0.085, 0.048))
    canvas.sun[...] *= 1.0 - cast.astype(np.float32) * np.float32(0.75 / 255.0)
    cover = dots.astype(np.float32) * np.float32((0.9 if stone else 0.85) / 255.0)
    mix(canvas.colour, tint, cover)
    canvas.sun[...] += (1.0 - canvas.sun) * cover


def _at(px: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Return a place as OpenCV's fixed-point numbers with four bits behind the point."""
    return round(float(px[0]) * 16), round(float(px[1]) * 16)


def _lay_paths(stage: Stage, canvas: Canvas) -> None:
    """Draw trails and dry runnels: the lines along which a slow field is zero wander as they do."""
    terrain, window = stage.spec.terrain, canvas.window
    if terrain.kind == "town":
        return
    slow = stage.noise.field(window, 9.0, 24)
    gx, gy = cv2.Scharr(slow, cv2.CV_32F, 1, 0), cv2.Scharr(slow, cv2.CV_32F, 0, 1)
    steep = np.maximum(np.sqrt(gx * gx + gy * gy) / np.float32(32.0 * window.px_m), np.float32(0.004))
    distance = np.asarray(np.abs(slow - np.float32(0.6)) / steep, dtype=np.float32)
    pale = {"desert": (0.40, 0.31, 0.225), "rock": (0.30, 0.28, 0.25)}.get(terrain.kind, (0.27, 0.235, 0.18))
    # Most trails peter out: closed ones would look like racetracks.
    trodden = ramp(stage.noise.field(window, 4.0, 26), 0.0, 0.8)
    mix(canvas.colour, pale, (1.0 - ramp(distance, 0.9, 1.5)) * trodden * np.float32(0.6))
    wobble = np.float32(0.4) + 0.08 * stage.noise.field(window, 1.5, 25)
    runnel = np.asarray(np.abs(slow + wobble) / steep, dtype=np.float32)
    mix(canvas.colour, (0.14, 0.115, 0.085), (1.0 - ramp(runnel, 0.3, 1.4)) * np.float32(0.28))


def _lay_fields(stage: Stage, canvas: Canvas) -> None:
    """Paint a patchwork of crops with their rows."""
    spec, noise, window = stage.spec, stage.noise, canvas.window
    rng = np.random.default_rng([spec.seed, 6])
    angle = float(rng.uniform(0.0, np.pi))
    wide, deep = float(rng.uniform(50, 110)), float(rng.uniform(90, 240))
    x = (window.west_m + (np.arange(window.width, dtype=np.float64) + 0.5) * window.px_m)[None, :]
    y = (window.north_m - (np.arange(window.height, dtype=np.float64) + 0.5) * window.px_m)[:, None]
    u = (x * np.cos(angle) + y * np.sin(angle)) + 2.0 * noise.field(window, 2.0, 20)
    v = -x * np.sin(angle) + y * np.cos(angle)
    cell_u = np.floor(u / wide).astype(np.int64)
    cell_v = np.floor(v / deep + 0.37 * (cell_u % 3)).astype(np.int64)
    crops = np.array([_GREEN, _LUSH, _STRAW, _SOIL, _DRY, (0.11, 0.125, 0.06)], dtype=np.float32)
    crops[:2] += (np.array(_DRY, dtype=np.float32) - crops[:2]) * (0.7 * (1 - spec.terrain.season))
    which = np.minimum((noise.dice(cell_u, cell_v, 1) * len(crops)).astype(int), len(crops) - 1)
    canvas.colour[...] = crops[which]
    rows = np.sin(u * (2 * np.pi / 2.6)) * (noise.dice(cell_u, cell_v, 2) - 0.3)
    canvas.colour[...] *= (1.0 + 0.10 * rows).astype(np.float32)[..., None]
    margin = np.minimum(np.abs(u / wide - np.floor(u / wide) - 0.5), 0.5)
    mix(canvas.colour, _DRY, ramp(np.asarray(margin, dtype=np.float32), 0.485, 0.495) * 0.8)


def _lay_yards(stage: Stage, canvas: Canvas) -> None:
    """Paint lots along the road: paving, lawn, gravel."""
    noise = stage.noise
    s, o = canvas.station_m, canvas.offset_m
    road = stage.spec.road
    side = np.where(o >= 0, edge_m(road, "left"), edge_m(road, "right")) + road.shoulder_m + road.verge_m
    behind = np.abs(o) - side.astype(np.float32) - np.float32(3.0)
    lot = np.floor(s / 23.0).astype(np.int64)
    back = np.floor(np.maximum(behind, 0.0) / 19.0).astype(np.int64) * 2 + (o < 0)
    roll = noise.dice(lot, back, 3)
    mix(canvas.colour, _YARD, (roll > 0.66).astype(np.float32))
    mix(canvas.colour, _PAVED, ((roll > 0.48) & (roll <= 0.66)).astype(np.float32) * 0.9)
    tone = 0.85 + 0.3 * noise.dice(lot, back, 10)
    canvas.colour[...] *= tone[..., None]
    edge_s = np.abs(s / 23.0 - np.round(s / 23.0)) * 23.0
    edge_o = np.abs(behind / 19.0 - np.round(behind / 19.0)) * 19.0
    hedge = (np.minimum(edge_s, edge_o) < 0.45) & (noise.dice(lot, back, 11) > 0.45) & (behind > 0)
    mix(canvas.colour, (0.045, 0.06, 0.03), hedge.astype(np.float32) * 0.9)
    mix(canvas.colour, _PAVED, (behind < 0).astype(np.float32))
    slab = np.mod(s, np.float32(1.5)) < 0.12
    canvas.colour[...] *= 1.0 - 0.06 * ((behind < 0) & slab)[..., None]
