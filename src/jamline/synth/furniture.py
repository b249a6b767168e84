"""Small things along the road that are drawn as shapes: arrows, stop lines, lamp posts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.canvas import Canvas, Stage, mix
from jamline.synth.lanes import edge_m, row_offsets

Array = npt.NDArray[np.float64]

# An arrow 5 m long pointing ahead: metres ahead and to the left.
_ARROW = np.array([[-2.5, -0.09], [0.6, -0.09], [0.6, -0.38], [2.5, 0.0], [0.6, 0.38], [0.6, 0.09], [-2.5, 0.09]])
_PAINT = (0.66, 0.66, 0.63)


@dataclass(frozen=True, eq=False)
class Furniture:
    """All of a scene's: painted polygons and posts, on the local map.

    Parameters
    ----------
    paint : tuple of array, each of shape (n, 2)
        Polygons of road paint.
    posts : array, shape (n, 5)
        Foot x and y, height, and the arm's end x and y.
    """

    paint: tuple[Array, ...]
    posts: Array


def plan_furniture(stage: Stage) -> Furniture:
    """Set arrows on roads of several lanes, a stop line at each queue's head, and posts where asked."""
    road, world = stage.spec.road, stage.world
    rng = np.random.default_rng([stage.spec.seed, 12])
    length = world.road.length_m
    paint: list[Array] = []
    if road.markings > 0.2:
        for queue in stage.spec.queues:
            head = min(length, queue.end_m) + 1.2 if queue.side != "left" else max(0.0, queue.start_m) - 1.2
            low, high = (-edge_m(road, "right"), 0.0) if queue.side != "left" else (0.0, edge_m(road, "left"))
            if road.oneway:
                high = edge_m(road, "right")
            if rng.random() < 0.5:
                paint.append(_shape(stage, head, 0.0, np.array([[-0.2, low], [0.2, low], [0.2, high], [-0.2, high]])))
    for side in ("right",) if road.oneway or not road.lanes_left else ("right", "left"):
        lanes = road.lanes_left if side == "left" else road.lanes_right
        if lanes < 2 or road.markings < 0.3:
            continue
        for s in np.arange(float(rng.uniform(20, 150)), length, float(rng.uniform(120, 300))):
            for offset in row_offsets(road, side, lanes):
                sign = -1.0 if side == "left" else 1.0
                paint.append(_shape(stage, float(s), offset, _ARROW * np.array([sign, 1.0])))
    return Furniture(tuple(paint), _posts(stage, rng))


def lay_paint(stage: Stage, canvas: Canvas, furniture: Furniture) -> None:
    """Paint the arrows and lines."""
    mask = np.zeros(canvas.sun.shape, dtype=np.uint8)
    drawn = False
    for polygon in furniture.paint:
        px = canvas.window.to_px(polygon[:, 0], polygon[:, 1])
        if _outside(px, canvas):
            continue
        drawn = True
        cv2.fillPoly(mask, [np.round(px * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if drawn:
        weight = np.float32(min(1.0, stage.spec.road.markings) / 255.0)
        mix(canvas.colour, _PAINT, mask.astype(np.float32) * weight)


def lay_posts(stage: Stage, canvas: Canvas, furniture: Furniture, *, shadows: bool) -> None:
    """Draw lamp posts, or only the shadows that they cast."""
    east, north = stage.shadow_m
    mask = np.zeros(canvas.sun.shape, dtype=np.uint8)
    px_m = canvas.window.px_m
    drawn = False
    for x, y, height, arm_x, arm_y in furniture.posts:
        top = np.array([x + east * height, y + north * height]) if shadows else np.array([x, y])
        tip = np.array([arm_x, arm_y]) + (top - (x, y))
        points = canvas.window.to_px(*np.array([[x, y], top, tip]).T)
        if _outside(points, canvas):
            continue
        drawn = True
        fixed = [np.round(points * 16).astype(np.int32)]
        cv2.polylines(mask, fixed, False, 255, max(1, round(0.18 / px_m)), cv2.LINE_AA, 4)
    if not drawn:
        return
    cover = mask.astype(np.float32) * np.float32(min(1.0, 0.18 / px_m) / 255.0)
    if shadows:
        canvas.sun[...] *= 1.0 - 0.9 * cover
    else:
        mix(canvas.colour, (0.42, 0.42, 0.41), cover)
        canvas.sun[...] += (1.0 - canvas.sun) * cover


def _posts(stage: Stage, rng: np.random.Generator) -> Array:
    road, world = stage.spec.road, stage.world
    if not road.poles:
        return np.zeros((0, 5))
    s = np.arange(float(rng.uniform(0, 30)), world.road.length_m, float(rng.uniform(28, 45)))
    side = str(rng.choice(["left", "right"]))
    sign = 1.0 if side == "left" else -1.0
    foot = sign * (edge_m(road, side) + road.shoulder_m + 0.8 + 0.5 * road.verge_m)
    arm = float(rng.choice([0.3, 1.5, 2.5]))
    height = np.full(len(s), float(rng.uniform(7.0, 11.0)))
    feet = world.place(s, np.full(len(s), foot))
    return np.column_stack([feet, height, world.place(s, np.full(len(s), foot - sign * arm))])


def _shape(stage: Stage, station_m: float, offset_m: float, outline: Array) -> Array:
    """Set an outline (metres ahead and to the left) on the road."""
    count = len(outline)
    return stage.world.place(station_m + outline[:, 0], np.full(count, offset_m) + outline[:, 1])


def _outside(px: Array, canvas: Canvas) -> bool:
    size = np.array([canvas.window.width, canvas.window.height])
    return bool(np.any(px.max(axis=0) < -4) or np.any(px.min(axis=0) > size + 4))
