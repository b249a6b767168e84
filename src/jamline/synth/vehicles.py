"""Vehicles seen from above: bodies, glass, glints and the shadows they cast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.canvas import Canvas, Field, Stage
from jamline.synth.lanes import Vehicle
from jamline.synth.portrait import portrait
from jamline.synth.truth import corners_of

Array = npt.NDArray[np.float64]

_CELL_M = 0.1
"""Cell of the little pictures that vehicles are painted as before they are set into the scene."""

_KEPT = 400
"""Pictures kept: blocks of pixels overlap, and most vehicles are set into two or three."""

# Where along a car, from its front (0) to its rear (1), windscreen, roof, rear window and boot begin.
_GLASS = {
    "hatch": (0.25, 0.41, 0.84, 0.94),
    "sedan": (0.27, 0.41, 0.69, 0.81),
    "suv": (0.24, 0.36, 0.87, 0.95),
    "estate": (0.25, 0.38, 0.87, 0.95),
    "van": (0.09, 0.19, 0.985, 0.995),
}
# Paints: share, reflectance in red, green and blue.
_PAINTS = (
    (0.27, (0.60, 0.60, 0.59)),
    (0.16, (0.27, 0.275, 0.28)),
    (0.15, (0.110, 0.113, 0.118)),
    (0.21, (0.022, 0.023, 0.026)),
    (0.07, (0.020, 0.032, 0.080)),
    (0.03, (0.040, 0.085, 0.20)),
    (0.04, (0.26, 0.026, 0.024)),
    (0.02, (0.10, 0.013, 0.018)),
    (0.015, (0.030, 0.058, 0.042)),
    (0.02, (0.30, 0.26, 0.19)),
    (0.005, (0.44, 0.30, 0.04)),
    (0.01, (0.06, 0.15, 0.24)),
)
_BOXES = (
    (0.42, (0.60, 0.60, 0.59)),
    (0.22, (0.40, 0.41, 0.41)),
    (0.11, (0.06, 0.11, 0.24)),
    (0.07, (0.30, 0.05, 0.045)),
    (0.07, (0.17, 0.17, 0.17)),
    (0.05, (0.06, 0.14, 0.08)),
    (0.06, (0.38, 0.33, 0.24)),
)
_GLASS_TINT = np.array([0.029, 0.035, 0.044])


class Fleet:
    """All vehicles of a scene, ready to be set into any window.

    Parameters
    ----------
    stage : Stage
        The scene.
    vehicles : sequence of Vehicle
        In its road space.
    """

    def __init__(self, stage: Stage, vehicles: Sequence[Vehicle]) -> None:
        self.stage = stage
        self.vehicles = tuple(vehicles)
        self._pictures: dict[tuple[int, float], npt.NDArray[np.float32]] = {}
        s = np.array([v.station_m for v in vehicles])
        o = np.array([v.offset_m for v in vehicles])
        self.xy: Array = stage.world.place(s, o) if len(s) else np.zeros((0, 2))
        ahead = stage.world.place(s, o + 1.0) - self.xy if len(s) else np.zeros((0, 2))
        left = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
        self.road_ahead: Array = np.column_stack([left[:, 1], -left[:, 0]])

    def lay(self, canvas: Canvas) -> None:
        """Paint the vehicles that reach into a window, shadows first."""
        window = canvas.window
        px = window.to_px(self.xy[:, 0], self.xy[:, 1])
        reach = (14.0 + 4.0 * float(np.hypot(*self.stage.shadow_m))) / window.px_m
        inside = np.all((px > -reach) & (px < np.array([window.width, window.height]) + reach), axis=1)
        near = np.flatnonzero(inside)
        if not len(near):
            return
        open_sun = canvas.sun.copy()
        shadow = np.zeros(canvas.sun.shape, dtype=np.uint8)
        contact = np.zeros(canvas.sun.shape, dtype=np.uint8)
        for index in near:
            self._cast(canvas, int(index), shadow, contact)
        soft = cv2.GaussianBlur(contact, (0, 0), 0.18 / window.px_m).astype(np.float32) / 255.0
        canvas.colour[...] *= (1.0 - 0.32 * soft)[..., None]
        shade = self.stage.spec.shade
        dark = cv2.GaussianBlur(shadow, (0, 0), max(0.3, shade.soft_m / window.px_m)).astype(np.float32) / 255.0
        canvas.sun[...] *= 1.0 - np.float32(shade.depth) * dark
        for index in near:
            self._set(canvas, int(index), open_sun)

    def _axes(self, index: int) -> tuple[Array, Array]:
        """Return unit vectors ahead and to the left of a vehicle on the local map."""
        v, road = self.vehicles[index], self.road_ahead[index]
        t = np.radians(v.turn_deg + (0.0 if v.along else 180.0))
        ahead = np.array([road[0] * np.cos(t) - road[1] * np.sin(t), road[0] * np.sin(t) + road[1] * np.cos(t)])
        return ahead, np.array([-ahead[1], ahead[0]])

    def _cast(self, canvas: Canvas, index: int, shadow: Any, contact: Any) -> None:
        """Draw the cast shadow as the hulls of body and cabin between the ground and their tops."""
        v, window = self.vehicles[index], canvas.window
        ahead, left = self._axes(index)
        corners = np.abs(corners_of(v)[0]) * 0 + np.array([v.length_m / 2, v.width_m / 2])
        box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * corners
        tall = v.kind == "truck" or v.body == "van"
        parts = [(1.0, v.height_m)] if tall else [(0.97, 0.62 * v.height_m), (0.58, v.height_m)]
        for share, height in parts:
            foot = box * np.array([share, 0.96 if share > 0.9 else 0.82])
            ground = self.xy[index] + foot[:, :1] * ahead + foot[:, 1:] * left
            top = ground + np.array(self.stage.shadow_m) * height
            both = np.vstack([ground, top])
            hull = cv2.convexHull(window.to_px(both[:, 0], both[:, 1]).astype(np.float32))[:, 0]
            cv2.fillConvexPoly(shadow, np.round(hull * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
        wide = box + np.sign(box) * 0.08
        ring = self.xy[index] + wide[:, :1] * ahead + wide[:, 1:] * left
        points = window.to_px(ring[:, 0], ring[:, 1])
        cv2.fillConvexPoly(contact, np.round(points * 16).astype(np.int32), 255, cv2.LINE_AA, 4)

    def _set(self, canvas: Canvas, index: int, open_sun: Field) -> None:
        """Blend one vehicle's picture into the window."""
        v, window = self.vehicles[index], canvas.window
        ahead, left = self._axes(index)
        col, row = window.to_px(*self.xy[index])
        reach_px = (0.6 * v.length_m + 3.0) / window.px_m + 3.0
        if not (-reach_px < col < window.width + reach_px and -reach_px < row < window.height + reach_px):
            return
        scale = _CELL_M / window.px_m
        picture = self._picture(index, ahead, left, scale)
        high, wide = picture.shape[:2]
        turn = np.array([[ahead[0], -left[0]], [-ahead[1], left[1]]]) * scale
        reach = np.ceil(np.abs(turn) @ np.array([wide, high]) / 2).astype(int) + 1
        c0, r0 = int(np.floor(col)) - reach[0], int(np.floor(row)) - reach[1]
        c1, r1 = int(np.floor(col)) + reach[0] + 2, int(np.floor(row)) + reach[1] + 2
        a0, b0, a1, b1 = max(c0, 0), max(r0, 0), min(c1, window.width), min(r1, window.height)
        if a0 >= a1 or b0 >= b1:
            return
        shift = np.array([col - a0, row - b0]) - turn @ np.array([(wide - 1) / 2, (high - 1) / 2])
        laid = cv2.warpAffine(picture, np.column_stack([turn, shift]), (a1 - a0, b1 - b0))
        alpha = laid[..., 3]
        part = canvas.colour[b0:b1, a0:a1]
        part *= (1.0 - alpha)[..., None]
        part += laid[..., :3]
        sun_part = canvas.sun[b0:b1, a0:a1]
        sun_part += (open_sun[b0:b1, a0:a1] - sun_part) * alpha

    def _picture(self, index: int, ahead: Array, left: Array, scale: float) -> npt.NDArray[np.float32]:
        """Paint a vehicle, or take its picture from the window painted before; blurred if it is to shrink."""
        key = (index, scale)
        if key in self._pictures:
            return self._pictures[key]
        spec, v = self.stage.spec, self.vehicles[index]
        sun = np.array([ahead @ self.stage.sunward, left @ self.stage.sunward])
        rng = np.random.default_rng([spec.seed, 8, v.number])
        if spec.fleet.looks == "rich":
            view = (spec.sensor.view_east, spec.sensor.view_north)
            lean = np.array([ahead @ view, left @ view])
            picture = portrait(
                v, sun, lean, spec.light.sun_elevation_deg, rng, dull=spec.fleet.dull, dark=spec.fleet.dark
            )
        else:
            picture = picture_of(v, sun, spec.light.sun_elevation_deg, rng)
        if scale < 0.8:
            soft = cv2.GaussianBlur(picture, (0, 0), 0.42 / scale, borderType=cv2.BORDER_CONSTANT)
            picture = np.asarray(soft, dtype=np.float32)
        if len(self._pictures) >= _KEPT:
            del self._pictures[next(iter(self._pictures))]
        self._pictures[key] = picture
        return picture


def picture_of(v: Vehicle, sun: Array, elevation_deg: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Paint one vehicle on a canvas of its own.

    Parameters
    ----------
    v : Vehicle
        Whose body.
    sun : array, shape (2,)
        Towards the sun: components ahead and to the left.
    elevation_deg : float
        Of the sun.
    rng : numpy.random.Generator
        Of this vehicle alone: paint, equipment, dirt.

    Returns
    -------
    array, float32, shape (h, w, 4)
        Reflectance under this sun times cover, and cover; columns run ahead, rows to the right.
    """
    pad = 6
    wide, high = int(np.ceil(v.length_m / _CELL_M)) + 2 * pad, int(np.ceil(v.width_m / _CELL_M)) + 2 * pad
    u: Array = ((np.arange(wide, dtype=np.float64) - (wide - 1) / 2) * _CELL_M)[None, :]
    w: Array = (((high - 1) / 2 - np.arange(high, dtype=np.float64)) * _CELL_M)[:, None]
    cot = 1.0 / np.tan(np.radians(elevation_deg))
    if v.kind == "truck":
        colour, cover = _truck(v, u, w, rng)
    else:
        colour, cover = _car(v, u, w, sun, cot, rng)
    colour = np.clip(colour, 0.0, 2.5) * cover[..., None]
    return np.dstack([colour, cover]).astype(np.float32)


def _rounded(u: Array, w: Array, length: float, width: float, radius: float) -> tuple[Array, Array]:
    """Return cover of a rounded rectangle, and how far inside its rim each cell lies."""
    dx, dy = np.abs(u) - (length / 2 - radius), np.abs(w) - (width / 2 - radius)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - radius
    return np.clip(0.5 - outside / _CELL_M, 0.0, 1.0), -outside


def _pick(options: tuple[tuple[float, tuple[float, float, float]], ...], rng: np.random.Generator) -> Array:
    share = np.array([option[0] for option in options])
    index = int(rng.choice(len(options), p=share / share.sum()))
    base = np.array(options[index][1]) * float(np.exp(rng.normal(0.0, 0.20)))
    return np.asarray(np.clip(base * (1.0 + rng.normal(0.0, 0.025, 3)), 0.015, 0.85), dtype=float)


def _car(v: Vehicle, u: Array, w: Array, sun: Array, cot: float, rng: np.random.Generator) -> tuple[Array, Array]:
    paint = np.array([0.66, 0.66, 0.65]) if v.body == "van" and rng.random() < 0.55 else _pick(_PAINTS, rng)
    # Seen from above the ends are bowed: pulling the corners back rounds both off.
    bend = (0.22 if v.body != "van" else 0.06) * (np.abs(w) / (v.width_m / 2)) ** 2.5 * np.sign(u)
    cover, depth = _rounded(u + bend, w, v.length_m, v.width_m, 0.45 if v.body != "van" else 0.25)
    # Clear coat mirrors the sky: what makes a black car grey-blue from above.
    gloss = float(rng.uniform(0.008, 0.034)) * np.array([0.78, 0.95, 1.27])
    body = paint + gloss
    t = (v.length_m / 2 - u) / v.length_m
    across = np.abs(w) / (v.width_m / 2)
    bow = 0.055 * across**2
    screen, roof, rear, boot = _GLASS[v.body]
    shade = np.ones_like(t * across)
    # Flanks and ends curve down: lit where they lean to the sun, dark where they lean away.
    rim = np.clip((0.24 - depth) / 0.24, 0.0, 1.0)
    lean = (
        np.clip(across - 0.6, 0, 0.4) / 0.4 * np.sign(w) * sun[1]
        + np.clip(np.abs(t - 0.5) - 0.38, 0, 0.12) / 0.12 * np.sign(0.5 - t) * sun[0]
    )
    shade += np.clip(lean * cot * 0.55, -0.45, 0.5) * rim
    shade *= 1.0 - 0.12 * rim
    cabin = (t > screen) & (t < boot)
    shade = np.where(cabin & (across < 0.78), shade * 1.05, shade)
    colour = body * shade[..., None]
    # Shoulder lines towards the sun shine in its own colour, whatever the paint.
    shine = float(rng.exponential(0.10)) * np.exp(-(((across * np.sign(w) * np.sign(sun[1]) - 0.80) / 0.10) ** 2))
    shine = shine * abs(sun[1]) * (0.4 + 0.6 * np.exp(-(((t - float(rng.uniform(0.2, 0.8))) / 0.25) ** 2)))
    colour = colour + shine[..., None]
    glass = _GLASS_TINT * float(rng.uniform(0.6, 1.9))
    front = (t > screen + bow) & (t < roof + 0.5 * bow) & (across < 0.84)
    back = (t > rear - 0.3 * bow) & (t < boot - 0.6 * bow) & (across < 0.80)
    flank = (t > screen + 0.08) & (t < boot - 0.01) & (across > 0.71) & (across < 0.89)
    for part, weight in ((front, 0.97), (back, 0.92), (flank, 0.74)):
        if v.body == "van" and part is not front and rng.random() < 0.7:
            continue
        # Glass leans: the pane that faces the brighter half of the sky is the lighter one.
        tilt = 1.0 + 0.5 * sun[0] * (1.0 if part is front else -1.0 if part is back else 0.0)
        colour = np.where(part[..., None], colour * (1 - weight) + glass * tilt * weight, colour)
    if rng.random() < 0.16 and v.body != "van":
        hatch = (t > roof + 0.03) & (t < roof + 0.17) & (across < 0.5)
        colour = np.where(hatch[..., None], glass * 1.3, colour)
    # The sun mirrored on some curved edge: a glint too small to see but not to shine.
    if rng.random() < 0.55:
        edge = float(rng.choice([0.04, roof, rear, 0.95]))
        side = float(np.clip(sun[1] * 0.7 + rng.normal(0, 0.2), -0.8, 0.8)) * v.width_m / 2
        spot = np.exp(-(((t - edge) * v.length_m / 0.13) ** 2) - ((w - side) / 0.22) ** 2)
        colour = colour + (float(rng.exponential(0.35)) * spot)[..., None]
    return colour, cover


def _truck(v: Vehicle, u: Array, w: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Paint cab, box and what is between; a bus is one long box."""
    front = v.length_m / 2
    box = _pick(_BOXES, rng)
    across = np.abs(w) / (v.width_m / 2)
    dark = np.array([0.035, 0.035, 0.037])
    cover = np.zeros_like(u * w)
    colour = np.zeros((*cover.shape, 3))

    def put(start: float, end: float, width: float, tint: Array, radius: float, ribs: float) -> None:
        """Set a box from ``start`` to ``end`` metres behind the front."""
        nonlocal cover, colour
        part, depth = _rounded(u - (front - (start + end) / 2), w, end - start, width, radius)
        tone = 1.0 - 0.25 * np.clip((0.18 - depth) / 0.18, 0, 1)
        tone = tone * (1.0 + ribs * np.sin(2 * np.pi * u / 1.2)) + np.zeros_like(across)
        tone = tone * (1.0 + 0.05 * np.sin(2.1 * u + float(rng.uniform(0, 6))))
        colour = colour * (1 - part[..., None]) + (tint * tone[..., None]) * part[..., None]
        cover = np.maximum(cover, part)

    if v.body == "bus":
        put(0.0, v.length_m, v.width_m, _pick(((0.6, (0.6, 0.6, 0.6)), (0.4, tuple(box))), rng), 0.25, 0.0)
        for middle in (0.3, 0.72):
            put(
                v.length_m * middle - 1.0,
                v.length_m * middle + 1.0,
                1.5,
                np.array([0.33, 0.33, 0.34]),
                0.15,
                0.0,
            )
        return colour, cover
    cab = _pick(
        (
            (0.45, (0.6, 0.6, 0.59)),
            (0.15, (0.30, 0.04, 0.03)),
            (0.2, (0.05, 0.09, 0.22)),
            (0.2, (0.2, 0.2, 0.21)),
        ),
        rng,
    )
    nose = float(rng.uniform(2.0, 2.5))
    ribs = float(rng.choice([0.0, 0.04, 0.08]))
    put(nose - 0.4, v.length_m - 0.4, 1.1, dark, 0.1, 0.0)
    put(0.0, nose, v.width_m - 0.06, cab, 0.3, 0.0)
    glass = (u > front - 0.42) & (u < front - 0.05) & (across < 0.86)
    colour = np.where(glass[..., None], _GLASS_TINT * cover[..., None], colour)
    gap = 0.25 if v.body == "lorry" else float(rng.uniform(0.5, 0.9))
    if v.body == "trailer":
        put(nose + 0.3, v.length_m * 0.48, v.width_m, box, 0.06, ribs)
        put(v.length_m * 0.55, v.length_m, v.width_m, box, 0.06, ribs)
    elif rng.random() < 0.07:
        put(nose + gap, v.length_m, v.width_m - 0.1, np.array([0.20, 0.17, 0.13]), 0.05, 0.03)
    else:
        put(nose + gap, v.length_m, v.width_m, box, 0.06, ribs)
    return colour / np.maximum(cover, 1e-6)[..., None], cover
