"""What years, weather and road works did to the surface: mixes, lanes, tar, oil, water, drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jamline.synth.canvas import Canvas, Field, Stage, mix, ramp, stripe
from jamline.synth.lanes import edge_m, lane_places, row_offsets

_MIXES = {"asphalt": 0.088, "worn": 0.135, "concrete": 0.27}
_DRIFT = {"sand": (0.385, 0.295, 0.205), "snow": (0.80, 0.82, 0.86)}
_SEALED_M = 7.0
"""Mean distance of sealed joints across the road."""


@dataclass(frozen=True, slots=True)
class Course:
    """A rectangle of another mix in road space; ``level`` is its reflectance, or ``factor`` on what lies there."""

    start_m: float
    end_m: float
    right_m: float
    left_m: float
    factor: float
    level: float


def plan_courses(stage: Stage) -> tuple[Course, ...]:
    """Lay out stretches of another mix and lanes done anew."""
    spec, length = stage.spec, stage.world.road.length_m
    road, wear = spec.road, spec.wear
    rng = np.random.default_rng([spec.seed, 31])
    left, right = edge_m(road, "left") + road.shoulder_m, edge_m(road, "right") + road.shoulder_m
    lanes = row_offsets(road, "right", road.lanes_right)
    if not road.oneway and road.lanes_left:
        lanes += row_offsets(road, "left", road.lanes_left)
    half = road.lane_width_m / 2
    made = []
    for share, whole in ((wear.patched, True), (wear.resurfaced, False)):
        at = float(rng.uniform(-100.0, 100.0))
        while share > 0 and at < length + 100.0:
            long = float(rng.lognormal(3.6, 0.9))
            middle = float(rng.choice(lanes))
            span = (-right - 1.0, left + 1.0) if whole else (middle - half, middle + half)
            other = wear.mixed and rng.random() < 0.6
            mixes = [level for name, level in _MIXES.items() if name != road.surface]
            level = float(rng.choice(mixes)) if other else 0.0
            made.append(Course(at, at + long, *span, float(np.exp(rng.normal(0.0, 0.28))), level))
            at += long + float(rng.exponential(long * (1.0 - share) / share))
    return tuple(made)


def age(stage: Stage, canvas: Canvas, courses: tuple[Course, ...], surface: Field) -> Field:
    """Return the pavement's reflectance as years and weather leave it, shape of the window."""
    road, wear, noise, window = stage.spec.road, stage.spec.wear, stage.noise, canvas.window
    s, o = canvas.station_m, canvas.offset_m
    rough = 1.0 + 0.05 * noise.field(window, 0.3, 101, rough=True)
    low, high = float(s.min()), float(s.max())
    for course in courses:
        if course.end_m < low or course.start_m > high:
            continue
        inside = (s > course.start_m) & (s < course.end_m) & (o > course.right_m) & (o < course.left_m)
        fresh = np.float32(course.level * road.brightness) * rough if course.level > 0 else surface
        surface = np.where(inside, fresh * np.float32(course.factor), surface)
    place, _, on = lane_places(road, o)
    slow = noise.field(window, 3.0, 102)
    if wear.tracks:
        track = np.exp(-(((np.abs(place) - 0.24) / 0.09) ** 2), dtype=np.float32) * on
        surface = surface * (1.0 + np.float32(0.35 * wear.tracks) * track * (1.0 + 0.3 * slow))
    if wear.oil > 0:
        streak = np.exp(-((place / 0.11) ** 2), dtype=np.float32) * on
        dark = np.clip(0.9 + 0.35 * slow + 0.35 * noise.field(window, 0.5, 103), 0.1, 1.6)
        surface = surface * (1.0 - np.float32(0.42 * wear.oil) * streak * dark)
    if wear.seams > 0:
        surface = surface * (1.0 - np.float32(0.65) * _tar(stage, canvas, place))
    if wear.gloss > 0:
        wet = ramp(noise.field(window, 1.4, 104) + 0.4 * slow, -1.2 * wear.gloss - 0.3, 0.6)
        shine = ramp(noise.field(window, 0.8, 105) + slow, 0.4, 1.8)
        surface = surface * (1.0 - np.float32(0.5 * wear.gloss) * wet) + np.float32(0.07 * wear.gloss) * shine * wet
    return np.asarray(np.maximum(surface, 0.012), dtype=np.float32)


def _tar(stage: Stage, canvas: Canvas, place: Field) -> Field:
    """Return where cracks along, across and in any direction are sealed with tar."""
    wear, noise, window = stage.spec.wear, stage.noise, canvas.window
    s, o, px = canvas.station_m, canvas.offset_m, window.px_m
    sway = noise.field(window, 0.8, 106)
    wide = stage.spec.road.lane_width_m
    along = stripe(np.abs(np.abs(place) - 0.5) * np.float32(wide) + 0.08 * sway, 0.13, px)
    along *= ramp(noise.field(window, 1.6, 107), 1.0 - 2.2 * wear.seams, 1.4 - 2.2 * wear.seams)
    cell = np.round(s / np.float32(_SEALED_M))
    jitter = noise.dice(cell.astype(np.int64), np.zeros_like(cell, dtype=np.int64), 12)
    at = (cell + 0.8 * (jitter - 0.5)) * np.float32(_SEALED_M)
    # Some go all the way across, some only through a lane.
    lane = np.floor(o / np.float32(wide)).astype(np.int64)
    there = noise.dice(cell.astype(np.int64), lane, 13) < 0.8 * wear.seams
    across = stripe(np.abs(s - at + 0.25 * sway), 0.12, px) * there
    veins = np.abs(noise.field(window, 1.3, 108)) + 6.0 * ramp(-noise.field(window, 3.0, 109), -1.4 * wear.seams, 0.3)
    return np.asarray(np.clip(np.maximum(np.maximum(along, across), 1.0 - veins / 0.05), 0.0, 1.0), dtype=np.float32)


def lay_drift(stage: Stage, canvas: Canvas) -> None:
    """Blow sand or clear snow onto the edges of the pavement."""
    wear, road, window = stage.spec.wear, stage.spec.road, canvas.window
    if wear.edge == "none":
        return
    side = np.where(
        canvas.offset_m >= 0,
        np.float32(edge_m(road, "left") + road.shoulder_m),
        np.float32(edge_m(road, "right") + road.shoulder_m),
    )
    beyond = np.asarray(np.abs(canvas.offset_m) - side, dtype=np.float32)
    if float(beyond.min()) > 6.0:
        return
    tongue = 0.7 * stage.noise.field(window, 0.6, 110) + 0.8 * stage.noise.field(window, 2.5, 111)
    cover = ramp(np.asarray(beyond + wear.drift_m * (0.6 + 0.5 * tongue), dtype=np.float32), -0.35, 0.45)
    cover *= 0.9 if wear.edge == "snow" else 0.75
    cover *= 1.0 - ramp(beyond, 2.0, 5.0) * (0.25 if wear.edge == "snow" else 1.0)
    place, _, on = lane_places(road, canvas.offset_m)
    thin = 0.3 * ramp(stage.noise.field(window, 1.2, 112), 0.3, 1.4) * (np.abs(np.abs(place) - 0.24) > 0.11) * on
    rough = 1.0 + 0.06 * stage.noise.field(window, 0.3, 113, rough=True)
    tint = rough[..., None] * np.array(_DRIFT[wear.edge], dtype=np.float32)
    mix(canvas.colour, tint, np.asarray(np.maximum(cover, thin), dtype=np.float32))
