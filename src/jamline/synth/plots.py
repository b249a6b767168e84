"""Car parks and crossing roads, painted in road space."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jamline.synth.beside import (
    ISLAND_M,
    along_arm,
    lot_depth_m,
    lot_edge_m,
    row_depth_m,
    row_slant,
    row_starts_m,
)
from jamline.synth.canvas import Canvas, Field, Stage, mix, part_of, ramp, stripe
from jamline.synth.lanes import edge_m
from jamline.synth.options import CrossingSpec, LotSpec

Bool = npt.NDArray[np.bool_]

_TONES = {"asphalt": 0.095, "concrete": 0.26, "gravel": 0.24, "worn": 0.14}
_PAINT = (0.66, 0.66, 0.63)
_KERB = (0.36, 0.35, 0.33)


def lay_lots(stage: Stage, canvas: Canvas) -> None:
    """Paint the car parks, each with a way out to the road."""
    for index, lot in enumerate(stage.spec.lots):
        sign = np.float32(1.0 if lot.side == "left" else -1.0)
        out = canvas.offset_m * sign - np.float32(lot_edge_m(stage.spec, lot))
        s = canvas.station_m
        deep = lot_depth_m(lot)
        near: Bool = (s > lot.start_m - 6) & (s < lot.end_m + 6) & (out > -lot.near_m - 1.0) & (out < deep + 3)
        if near.any():
            _lay_lot(stage, part_of(canvas, near), lot, np.random.default_rng([stage.spec.seed, 23, index]))


def _lay_lot(stage: Stage, canvas: Canvas, lot: LotSpec, rng: np.random.Generator) -> None:
    sign = np.float32(1.0 if lot.side == "left" else -1.0)
    s, px = canvas.station_m, canvas.window.px_m
    out = canvas.offset_m * sign - np.float32(lot_edge_m(stage.spec, lot))
    deep = np.float32(lot_depth_m(lot))
    soft = np.float32(max(px, 0.15))
    middle, half = np.float32((lot.start_m + lot.end_m) / 2), np.float32((lot.end_m - lot.start_m) / 2 + 2.5)
    ends, across = half - np.abs(s - middle), np.minimum(out + np.float32(0.6), deep + np.float32(0.6) - out)
    inside = np.clip(0.5 + np.minimum(ends, across) / soft, 0.0, 1.0)
    gate = np.float32(rng.uniform(lot.start_m + 4, max(lot.start_m + 4.1, lot.end_m - 4)))
    drive = np.clip(0.5 + np.minimum(3.2 - np.abs(s - gate), np.minimum(out + lot.near_m + 0.3, -out)) / soft, 0.0, 1.0)
    tone = np.float32(_TONES[lot.surface] * float(np.exp(rng.normal(0.0, 0.25))))
    noise = stage.noise
    rough = 1.0 + 0.05 * noise.field(canvas.window, 0.4, 81, rough=True) + 0.06 * noise.field(canvas.window, 1.6, 82)
    ground = (tone * rough)[..., None] * np.ones(3, dtype=np.float32)
    if lot.surface != "gravel":
        mix(canvas.colour, _KERB, np.asarray(np.clip(inside * (1.0 - ramp(across, 0.25, 0.45)), 0, 1), np.float32))
    mix(canvas.colour, ground, np.asarray(np.maximum(inside * ramp(across, 0.25, 0.45), drive), np.float32))
    step = np.float32(lot.pitch_m / float(np.sin(np.radians(lot.angle_deg))))
    cot = np.float32(1.0 / np.tan(np.radians(lot.angle_deg)))
    row_m = np.float32(row_depth_m(lot))
    worn = np.clip(1.2 * lot.paint * (1.0 + 0.35 * noise.field(canvas.window, 0.5, 83)), 0.0, 1.0)
    for row, start in enumerate(row_starts_m(lot)):
        y = out - np.float32(start)
        on = np.clip(0.5 + np.minimum(y, row_m - y) / soft, 0, 1) * (np.abs(s - middle) < half - 2.4)
        slide = s - np.float32(lot.start_m) - (y - row_m / 2) * cot * np.float32(row_slant(lot, row))
        phase = np.abs(slide - np.round(slide / step) * step)
        bay = np.floor(slide / step).astype(np.int64)
        if lot.stains > 0:
            # What dripped and wore in some bays, as large as a car: dark and empty.
            odd = noise.dice(bay, np.full_like(bay, row), 14)
            along = np.exp(-(((y - row_m / 2) / (1.2 + 1.4 * odd)) ** 2), dtype=np.float32)
            blot = np.exp(-((np.abs(phase) - step / 2) ** 2) / (0.5 + 0.4 * odd), dtype=np.float32) * along * on
            blot *= ramp(noise.field(canvas.window, 0.7, 88) + 2.0 * odd, 0.8, 2.2)
            canvas.colour[...] *= (1.0 - np.float32(0.6 * lot.stains) * np.asarray(blot, np.float32))[..., None]
        # Oil drips where engines stand.
        spot = np.exp(-(((np.abs(phase) - step / 2) / 0.45) ** 2), dtype=np.float32) * on
        canvas.colour[...] *= (1.0 - 0.16 * spot * ramp(noise.field(canvas.window, 0.9, 84), -0.3, 1.2))[..., None]
        if lot.paint > 0 and lot.surface != "gravel":
            lines = stripe(phase, 0.11, px)
            if lot.hatched > 0:
                bars = np.mod(y + 0.6 * slide, np.float32(0.9))
                bars = stripe(np.abs(bars - np.float32(0.45)), 0.12, px)
                lines = np.maximum(lines, bars * (noise.dice(bay, np.full_like(bay, row), 15) < lot.hatched))
            mix(canvas.colour, _PAINT, np.asarray(lines * on * worn, np.float32))
        if row % 2 == 1 and row + 1 < lot.rows:
            strip = np.abs(y - row_m - np.float32(ISLAND_M / 2))
            green = np.clip(0.5 + (ISLAND_M / 2 - strip) / soft, 0, 1) * (np.abs(s - middle) < half - 2.0)
            mix(canvas.colour, (0.075, 0.10, 0.045) if rng.random() < 0.6 else _KERB, np.asarray(green, np.float32))


def lay_crossings(stage: Stage, canvas: Canvas) -> None:
    """Paint the roads that meet this one, their corners rounded, over its lines."""
    for index, crossing in enumerate(stage.spec.crossings):
        along, across = along_arm(crossing, canvas.station_m, canvas.offset_m)
        near: Bool = (np.abs(across) < crossing.lanes * crossing.lane_width_m / 2 + 14.0) & (
            np.abs(along) < crossing.reach_m + 60.0
        )
        if near.any():
            rng = np.random.default_rng([stage.spec.seed, 24, index])
            _lay_crossing(stage, part_of(canvas, near), crossing, rng)


def _lay_crossing(stage: Stage, canvas: Canvas, crossing: CrossingSpec, rng: np.random.Generator) -> None:
    road, px = stage.spec.road, canvas.window.px_m
    along, across = along_arm(crossing, canvas.station_m, canvas.offset_m)
    along, across = np.asarray(along, np.float32), np.asarray(across, np.float32)
    side = np.where(canvas.offset_m >= 0, np.float32(edge_m(road, "left")), np.float32(edge_m(road, "right")))
    beyond = np.abs(canvas.offset_m) - side - np.float32(road.shoulder_m)
    half = np.float32(crossing.lanes * crossing.lane_width_m / 2 + 0.3)
    # Corners: a quarter circle widens the mouth.
    turn = np.float32(rng.uniform(4.0, 9.0))
    flare = turn - np.sqrt(np.maximum(turn**2 - np.clip(turn - beyond, 0, turn) ** 2, 0.0))
    rim = half + np.where(beyond > 0, flare, turn) - np.abs(across)
    if crossing.arms != "both":
        rim = np.where((along > 0) == (crossing.arms == "left"), rim, np.float32(-9.0))
    rim = np.minimum(rim, np.float32(crossing.reach_m + 60.0) - np.abs(along))
    soft = np.float32(max(px, 0.15))
    outside = np.clip(0.5 + beyond / soft, 0.0, 1.0)
    tone = np.float32(_TONES[road.surface] * road.brightness * float(np.exp(rng.normal(0.0, 0.15))))
    rough = 1.0 + 0.04 * stage.noise.field(canvas.window, 0.25, 85, rough=True)
    rough += 0.05 * stage.noise.field(canvas.window, 1.1, 86)
    ground = (tone * rough)[..., None] * np.ones(3, dtype=np.float32)
    if road.kerb:
        mix(canvas.colour, _KERB, np.asarray(stripe(np.abs(rim), 0.3, px) * outside, np.float32))
    paved = np.clip(0.5 + rim / soft, 0.0, 1.0)
    mix(canvas.colour, ground, np.asarray(paved * outside, np.float32))
    # Inside the junction the surface is the road's own; only its lines end at the mouth.
    box = np.clip(0.5 + (half - np.abs(across)) / soft, 0.0, 1.0) * (1.0 - outside) * (rim > 0)
    bright = canvas.colour.mean(axis=-1) > 1.6 * _TONES[road.surface] * road.brightness
    mix(canvas.colour, ground, np.asarray(box * bright, np.float32))
    if road.markings <= 0:
        return
    worn = np.clip(1.1 * road.markings * (1.0 + 0.25 * stage.noise.field(canvas.window, 0.6, 87)), 0.0, 1.0)
    line = stripe(np.abs(across), 0.15, px) * (beyond > 1.5)
    phase = np.mod(np.abs(along), np.float32(6.0))
    if rng.random() < 0.6:
        line *= np.clip((1.5 - np.abs(phase - 1.5)) / np.float32(px) + 0.5, 0.0, 1.0)
    # Those who come in wait on the left of the way out: right-hand traffic.
    inward = np.sign(along) * across > 0
    stop = stripe(np.abs(beyond - np.float32(rng.uniform(0.8, 2.5))), 0.4, px) * inward * (np.abs(across) < half)
    paint: Field = np.asarray(np.maximum(line, stop if crossing.lanes > 1 else 0.0) * worn * (rim > 0), np.float32)
    mix(canvas.colour, _PAINT, paint)
