"""What comes between the road and the light or the eye: crowns, mountain shadow, cloud."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.beside import built_over, in_crossing
from jamline.synth.canvas import Canvas, Field, Stage, ramp
from jamline.synth.lanes import edge_m
from jamline.synth.noise import Window
from jamline.synth.terrain import Building

Array = npt.NDArray[np.float64]

_CROWN_PX = 40
"""Radius of a crown in its picture."""

_KINDS = 14
_RICH_M = 120.0
"""Trees stand up to this far from the road."""


@dataclass(frozen=True, eq=False)
class Crown:
    """A tree's picture, colour times cover and cover, shape (h, w, 4), and its shadow's."""

    picture: tuple[npt.NDArray[np.float32], ...]
    """At full, half and quarter size, so that a small crown does not shimmer."""
    shadow: npt.NDArray[np.float32]
    shadow_px: float
    """Cells of the shadow picture to one crown radius."""


class Grove:
    """All trees of a scene: where they stand is a matter of the place alone.

    Parameters
    ----------
    stage : Stage
        The scene.
    buildings : tuple of Building
        Where no tree stands.
    """

    def __init__(self, stage: Stage, buildings: tuple[Building, ...]) -> None:
        self.stage = stage
        rng = np.random.default_rng([stage.spec.seed, 9])
        wooded = max(stage.spec.terrain.trees, stage.spec.terrain.tree_line) > 0
        self.crowns = tuple(_crown(stage, rng) for _ in range(_KINDS if wooded else 0))
        self.houses = np.array([[*b.corners.mean(axis=0), np.ptp(b.corners, axis=0).max() / 2] for b in buildings])
        self.houses = self.houses.reshape(-1, 3)
        self.kerb = self._kerb_trees(rng)

    def trees(self, window: Window) -> Array:
        """Return the trees that may reach into a window, shape (n, 4): x, y, radius, kind."""
        terrain, noise = self.stage.spec.terrain, self.stage.noise
        east, north = self.stage.shadow_m
        big = terrain.tree_radius_m * 1.6
        margin = big * (1.5 + 3.0 * min(6.0, float(np.hypot(east, north))))
        west, top = window.west_m - margin, window.north_m + margin
        right = window.west_m + window.width * window.px_m + margin
        low = window.north_m - window.height * window.px_m - margin
        found = [np.zeros((0, 4))]
        if terrain.trees > 0:
            cell = terrain.tree_radius_m * 1.45
            grid_x, grid_y = np.meshgrid(
                np.arange(int(west // cell), int(right // cell) + 1),
                np.arange(int(-top // cell), int(-low // cell) + 1),
            )
            cx, cy = grid_x.ravel().astype(np.int64), grid_y.ravel().astype(np.int64)
            x = (cx + noise.dice(cx, cy, 5)) * cell
            y = -(cy + noise.dice(cx, cy, 6)) * cell
            radius = terrain.tree_radius_m * (0.55 + 0.75 * noise.dice(cx, cy, 7))
            edge = NormalDist().inv_cdf(min(0.999, max(0.001, 1.0 - terrain.trees)))
            groves = noise.at(x, y, 2.6, 50) + 0.35 * noise.at(x, y, 0.7, 51)
            alone = 0.04 * terrain.trees
            grows = noise.dice(cx, cy, 8) < alone + ramp(groves, edge, edge + 0.35) * 0.95
            found.append(np.column_stack([x, y, radius, noise.dice(cx, cy, 9) * _KINDS])[grows])
        trees = self._clear(np.vstack(found))
        kerb = self.kerb
        near = (kerb[:, 0] > west) & (kerb[:, 0] < right) & (kerb[:, 1] > low) & (kerb[:, 1] < top)
        return np.vstack([trees, kerb[near]])

    def cast(self, canvas: Canvas, trees: Array) -> None:
        """Lay the trees' shadows."""
        shadow = np.zeros(canvas.sun.shape, dtype=np.float32)
        px = canvas.window.to_px(trees[:, 0], trees[:, 1])
        east, north = self.stage.shadow_m
        reach = 1.5 * trees[:, 2:3] / canvas.window.px_m
        tip = px + 2.9 * trees[:, 2:3] / canvas.window.px_m * np.array([east, -north]) * _short(east, north)
        size = (canvas.window.width, canvas.window.height)
        inside = np.all((np.maximum(px, tip) > -reach) & (np.minimum(px, tip) < reach + size), axis=1)
        for (x, y), (_, _, radius, kind) in zip(px[inside], trees[inside], strict=True):
            crown = self.crowns[int(kind)]
            scale = radius / canvas.window.px_m / crown.shadow_px
            _blend_max(shadow, crown.shadow, x, y, scale)
        dapple = self.stage.spec.shade.dapple
        if dapple > 0:
            flecks = self.stage.noise.field(canvas.window, 0.35, 62, rough=True)
            flecks += 0.6 * self.stage.noise.field(canvas.window, 0.9, 63)
            shadow *= 1.0 - np.float32(0.85 * dapple) * ramp(flecks, 0.3, 1.1)
        canvas.sun[...] *= 1.0 - 0.93 * shadow

    def lay(self, canvas: Canvas, trees: Array) -> None:
        """Lay the crowns over everything."""
        px = canvas.window.to_px(trees[:, 0], trees[:, 1])
        reach = 1.3 * trees[:, 2:3] / canvas.window.px_m
        inside = np.all((px > -reach) & (px < reach + np.array([canvas.window.width, canvas.window.height])), axis=1)
        for (x, y), (_, _, radius, kind) in zip(px[inside], trees[inside], strict=True):
            scale = radius / canvas.window.px_m / _CROWN_PX
            level = 0 if scale > 0.7 else 1 if scale > 0.35 else 2
            _blend(canvas, self.crowns[int(kind)].picture[level], x, y, scale * 2**level)

    def _clear(self, trees: Array) -> Array:
        """Drop trees on the road, in houses and far from either."""
        if not len(trees):
            return trees
        road, world = self.stage.spec.road, self.stage.world
        station, offset = world.locate(trees[:, :2])
        side = np.where(offset > 0, edge_m(road, "left"), edge_m(road, "right")) + road.shoulder_m
        keep = np.abs(offset) > side + road.verge_m + 0.55 * trees[:, 2] + 0.8
        keep &= np.abs(offset) < _RICH_M
        if not self.stage.spec.imagery.fill_tiles:
            # In a forest most trees only darken nodata.
            cast = 3.5 * min(6.0, float(np.hypot(*self.stage.shadow_m)))
            margin = 16.0 * max(self.stage.spec.sensor.pixel_m, self.stage.spec.sensor.gsd_m)
            keep &= np.abs(offset) < self.stage.spec.imagery.half_width_m + (1.5 + cast) * trees[:, 2] + margin
        for bay in self.stage.spec.parked:
            sign = 1.0 if bay.side == "left" else -1.0
            keep &= (offset * sign < 0) | (np.abs(offset) > side + 3.2 + 0.5 * trees[:, 2])
        keep &= ~built_over(self.stage.spec, station, offset, 0.4 * trees[:, 2])
        for x, y, reach in self.houses:
            keep &= np.hypot(trees[:, 0] - x, trees[:, 1] - y) > reach + 1.0
        return trees[keep]

    def _kerb_trees(self, rng: np.random.Generator) -> Array:
        """Plant the rows along the road, whose crowns reach over the outer lanes."""
        terrain, road, world = self.stage.spec.terrain, self.stage.spec.road, self.stage.world
        if terrain.tree_line <= 0:
            return np.zeros((0, 4))
        made = []
        for side, sign in (("left", 1.0), ("right", -1.0)):
            s = np.arange(0.0, world.road.length_m, 2.4 * terrain.tree_radius_m)
            s = s + rng.normal(0, 1.0, len(s))
            keep = rng.random(len(s)) < terrain.tree_line
            radius = terrain.tree_radius_m * rng.uniform(0.6, 1.2, len(s))
            offset = sign * (edge_m(road, side) + road.shoulder_m + rng.uniform(0.8, 2.2, len(s)))
            xy = world.place(s, offset)
            keep &= ~in_crossing(self.stage.spec, s, offset, 2.5)
            keep &= world.distance_m(xy) > np.abs(offset).min() - 0.5
            kind = rng.uniform(0, _KINDS, len(s))
            made.append(np.column_stack([xy, radius, kind])[keep])
        return np.vstack(made)


def shade_valley(stage: Stage, canvas: Canvas) -> None:
    """Take the sun away where mountains stand before it; the sky's light stays."""
    share = stage.spec.light.valley_shadow
    if share > 0:
        edge = NormalDist().inv_cdf(min(0.999, max(0.001, 1.0 - share)))
        ridge = stage.noise.field(canvas.window, 32.0, 60)
        # Behind a ridge a kilometre off the sun sets over ten metres of ground.
        canvas.sun[...] *= 1.0 - ramp(ridge, edge - 0.03, edge + 0.03)


def cloud_cover(stage: Stage, window: Window) -> Field | None:
    """Return how opaque the cloud over each cell is, or ``None`` on a clear day."""
    share = stage.spec.light.clouds
    if share <= 0:
        return None
    edge = NormalDist().inv_cdf(min(0.999, max(0.001, 1.0 - share)))
    form = stage.noise.field(window, 14.0, 61) + 0.2 * stage.noise.field(window, 3.0, 62)
    return ramp(form, edge, edge + 0.7)


def shade_clouds(stage: Stage, canvas: Canvas) -> None:
    """Lay the clouds' shadows, which fall some hundred metres from under them."""
    east, north = stage.shadow_m
    w = canvas.window
    shift = (round(-450.0 * east / w.px_m), round(450.0 * north / w.px_m))
    cover = cloud_cover(stage, Window(w.col + shift[0], w.row + shift[1], w.width, w.height, w.px_m))
    if cover is not None:
        canvas.sun[...] *= 1.0 - 0.85 * cover


def _crown(stage: Stage, rng: np.random.Generator) -> Crown:
    """Grow a crown out of clumps of leaves and light it."""
    r, size = _CROWN_PX, 2 * _CROWN_PX + 16
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float64) - (size - 1) / 2
    height = np.full((size, size), -1.0)
    tint = np.ones((size, size))
    squash = float(rng.uniform(0.5, 0.8))
    for _ in range(int(rng.integers(55, 110))):
        a, d = float(rng.uniform(0, 2 * np.pi)), float(np.sqrt(rng.uniform(0, 1))) * 0.86 * r
        cx, cy, cr = d * np.cos(a), d * np.sin(a), r * float(rng.uniform(0.10, 0.24))
        base = squash * np.sqrt(max(0.0, r * r - d * d))
        bump = cr * cr - (xx - cx) ** 2 - (yy - cy) ** 2
        clump = np.where(bump > 0, base + np.sqrt(np.maximum(bump, 0)), -1.0)
        over = clump > height
        height = np.where(over, clump, height)
        tint = np.where(over, float(rng.normal(1.0, 0.10)), tint)
    cover = np.asarray(cv2.GaussianBlur((height > 0).astype(np.float32), (0, 0), 0.8), dtype=np.float32)
    smooth = cv2.GaussianBlur(np.maximum(height, 0.0), (0, 0), 1.0)
    dy, dx = np.gradient(smooth)
    light = stage.spec.light
    elevation = np.radians(light.sun_elevation_deg)
    east, north = stage.sunward
    facing = (-(dx * east - dy * north) * np.cos(elevation) + np.sin(elevation)) / np.sqrt(1 + dx * dx + dy * dy)
    lit = np.clip(facing / np.sin(elevation), 0.0, 1.7)
    season = stage.spec.terrain.season
    leaf = np.array([0.052, 0.082, 0.026]) * season + np.array([0.105, 0.092, 0.040]) * (1 - season)
    leaf = leaf * np.exp(rng.normal(0.0, 0.16)) * (1.0 + rng.normal(0, 0.06, 3))
    deep = 0.55 + 0.45 * np.clip(smooth / (squash * r), 0, 1)
    colour = leaf * (0.14 + 0.92 * lit * tint * deep)[..., None]
    picture = np.dstack([colour * cover[..., None], cover]).astype(np.float32)
    sizes = [picture]
    for _ in range(2):
        halved = cv2.resize(sizes[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        sizes.append(np.asarray(halved, dtype=np.float32))
    return Crown(tuple(sizes), *_crown_shadow(stage, cover, float(rng.uniform(1.7, 2.8))))


def _short(east: float, north: float) -> float:
    """Return by how much a low sun's shadows are cut, so that their pictures stay small."""
    return min(1.0, 6.0 / max(float(np.hypot(east, north)), 1e-6))


def _crown_shadow(stage: Stage, cover: Field, tall: float) -> tuple[npt.NDArray[np.float32], float]:
    """Return the shadow of a crown whose top is ``tall`` radii high, and its cells to a radius."""
    r = 14.0
    east, north = stage.shadow_m
    short = _short(east, north)
    dx, dy = east * short, -north * short
    half = int(r * (1.4 + tall * max(abs(dx), abs(dy)))) + 2
    shadow = np.zeros((2 * half + 1, 2 * half + 1), dtype=np.float32)
    middle = (cover.shape[0] - 1) / 2
    for level in np.linspace(0.35, 1.0, 9):
        at = tall * level * r
        # The crown is widest at two thirds of its height.
        shrink = np.sqrt(max(0.08, 1.0 - ((level - 0.62) / 0.42) ** 2)) * r / _CROWN_PX
        matrix = np.array(
            [[shrink, 0, half + dx * at - shrink * middle], [0, shrink, half + dy * at - shrink * middle]]
        )
        shadow = np.maximum(shadow, cv2.warpAffine(cover, matrix, (2 * half + 1, 2 * half + 1)))
    trunk = np.zeros(shadow.shape, dtype=np.uint8)
    end = (round(half + dx * tall * 0.4 * r), round(half + dy * tall * 0.4 * r))
    cv2.line(trunk, (half, half), end, 180, 2, cv2.LINE_AA)
    return np.maximum(shadow, trunk.astype(np.float32) / 255.0), r


def _sized(picture: npt.NDArray[np.float32], x: float, y: float, scale: float, shape: tuple[int, ...]) -> Any | None:
    """Return a picture scaled and set with its middle at (x, y), and the cells that it takes."""
    high, wide = picture.shape[:2]
    c0, r0 = int(np.floor(x - wide * scale / 2)) - 1, int(np.floor(y - high * scale / 2)) - 1
    c1, r1 = int(np.ceil(x + wide * scale / 2)) + 2, int(np.ceil(y + high * scale / 2)) + 2
    a0, b0, a1, b1 = max(c0, 0), max(r0, 0), min(c1, shape[1]), min(r1, shape[0])
    if a0 >= a1 or b0 >= b1:
        return None
    matrix = np.array([[scale, 0, x - a0 - scale * (wide - 1) / 2], [0, scale, y - b0 - scale * (high - 1) / 2]])
    laid = cv2.warpAffine(picture, matrix, (a1 - a0, b1 - b0), flags=cv2.INTER_LINEAR)
    return laid, slice(b0, b1), slice(a0, a1)


def _blend_max(target: Field, picture: npt.NDArray[np.float32], x: float, y: float, scale: float) -> None:
    sized = _sized(picture, x, y, scale, target.shape)
    if sized is not None:
        laid, rows, cols = sized
        np.maximum(target[rows, cols], laid, out=target[rows, cols])


def _blend(canvas: Canvas, picture: npt.NDArray[np.float32], x: float, y: float, scale: float) -> None:
    sized = _sized(picture, x, y, scale, canvas.sun.shape)
    if sized is None:
        return
    laid, rows, cols = sized
    alpha = laid[..., 3]
    part = canvas.colour[rows, cols]
    part *= (1.0 - alpha)[..., None]
    part += laid[..., :3]
    sun = canvas.sun[rows, cols]
    # A crown stands above the shadows on the ground, but not out of those of its neighbours.
    sun += (0.25 + 0.75 * sun - sun) * alpha
