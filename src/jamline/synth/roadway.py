"""The road itself: shoulder, surface with its wear, seams and patches, paint, kerbs and rails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jamline.synth.canvas import Canvas, Field, Stage, mix, part_of, ramp, stripe
from jamline.synth.config import ParkedSpec, RoadSpec
from jamline.synth.lanes import edge_m, lane_places
from jamline.synth.options import WearSpec
from jamline.synth.wear import Course, age

_ASPHALT = {"asphalt": 0.088, "worn": 0.135, "concrete": 0.27}
_GRAVEL = (0.26, 0.235, 0.205)
_KERB = (0.36, 0.35, 0.33)
_PAINT = 0.70
_JOINT_M = 5.0
"""Length of a concrete slab."""


@dataclass(frozen=True, slots=True)
class Blemish:
    """A rectangle of another tone in road space: a patch, a seal, a stain."""

    start_m: float
    end_m: float
    right_m: float
    left_m: float
    factor: float


def plan_blemishes(stage: Stage) -> tuple[Blemish, ...]:
    """Draw patches and sections of different age for the whole road."""
    road, length = stage.spec.road, stage.world.road.length_m
    rng = np.random.default_rng([stage.spec.seed, 7])
    left, right = edge_m(road, "left"), edge_m(road, "right")
    made = []
    at = -200.0
    while at < length + 200.0:
        end = at + float(rng.uniform(150, 900))
        made.append(Blemish(at, end, -right - 5, left + 5, float(np.exp(rng.normal(0, 0.10)))))
        at = end
    rate = {"asphalt": 6.0, "worn": 22.0, "concrete": 5.0}[road.surface]
    for _ in range(rng.poisson(rate * length / 1000.0)):
        s, wide = float(rng.uniform(0, length)), float(rng.choice([1.2, 1.8, 3.3]))
        middle = float(rng.uniform(-right, left))
        long = float(rng.lognormal(1.6, 0.9))
        made.append(
            Blemish(
                s,
                s + long,
                middle - wide / 2,
                middle + wide / 2,
                float(rng.choice([0.62, 0.75, 0.85, 1.2, 1.35])),
            )
        )
    return tuple(made)


def lay_road(stage: Stage, canvas: Canvas, blemishes: tuple[Blemish, ...], courses: tuple[Course, ...] = ()) -> None:
    """Paint the road over the land."""
    spec = stage.spec
    road, noise = spec.road, stage.noise
    o = canvas.offset_m
    left, right = edge_m(road, "left") + road.shoulder_m, edge_m(road, "right") + road.shoulder_m
    reach = max(left, right) + road.verge_m + 8.0
    near = np.abs(o) <= reach
    if not near.any():
        return
    canvas = part_of(canvas, near)
    window, s, o = canvas.window, canvas.station_m, canvas.offset_m
    side = np.where(o >= 0, np.float32(left), np.float32(right))
    beyond = np.abs(o) - side
    ragged = noise.field(window, 0.5, 30)
    soft = np.float32(max(0.15, window.px_m))
    # Cuttings and ditches: a worn strip, then gravel, then the pavement's ragged edge.
    worked = 1.0 - ramp(beyond - road.verge_m + 0.9 * ragged, 0.3, 4.0)
    if spec.terrain.kind not in ("town",):
        mix(canvas.colour, (0.21, 0.185, 0.145), worked * 0.45)
    gravel = 1.0 - ramp(beyond - road.verge_m + 0.35 * ragged, -0.3, 0.5)
    tint = _KERB if road.kerb else _GRAVEL
    mix(canvas.colour, np.array(tint) * (0.75 if road.kerb else 1.0), gravel * (0.95 if road.kerb else 0.8))
    for bay in spec.parked:
        if bay.where != "verge":
            _lay_bay(stage, canvas, bay)
    edge = 0.0 if road.kerb else 0.12
    paved = np.clip(0.5 - (beyond + edge * ragged) / soft, 0.0, 1.0)
    surface = _surface(stage, canvas, blemishes)
    if spec.wear != WearSpec():
        surface = age(stage, canvas, courses, surface)
    if road.shoulder_m > 1.0 and not road.kerb:
        # Hard shoulders are of another mix and another year, and nothing polishes them.
        other = float(np.random.default_rng([spec.seed, 10]).choice([1.0, 1.0, 0.85, 1.25, 1.7]))
        surface *= 1.0 + np.float32(other - 1.0) * (beyond > -road.shoulder_m - 0.1)
    for band, cast in enumerate((1.0, 0.99, 0.965) if road.surface != "asphalt" else (1.0, 1.0, 0.99)):
        plane = canvas.colour[..., band]
        plane += (surface * np.float32(cast) - plane) * paved
    if road.kerb:
        mix(canvas.colour, _KERB, stripe(np.abs(beyond - 0.15), 0.3, window.px_m))
    if road.median_m > 0.6 and not road.oneway:
        _lay_median(stage, canvas)
    _lay_paint(stage, canvas, s, o)
    if road.rails:
        rail = np.abs(beyond - 0.55)
        mix(canvas.colour, (0.50, 0.51, 0.52), stripe(rail, 0.3, window.px_m) * 0.9)


def _surface(stage: Stage, canvas: Canvas, blemishes: tuple[Blemish, ...]) -> Field:
    """Return the pavement's reflectance, shape of the window."""
    road, noise, window = stage.spec.road, stage.noise, canvas.window
    s, o = canvas.station_m, canvas.offset_m
    grain = noise.field(window, 0.25, 31, rough=True)
    blotch = noise.field(window, 0.9, 32)
    wear = {"asphalt": 1.0, "worn": 1.5, "concrete": 1.1}[road.surface]
    tone = 1.0 + 0.028 * grain + 0.035 * wear * blotch
    # Tyres polish two tracks in each lane, engines drip between them.
    place, across, on = lane_places(road, o)
    track = np.exp(-(((np.abs(place) - 0.24) / 0.085) ** 2), dtype=np.float32)
    drip = np.exp(-((place / 0.09) ** 2), dtype=np.float32)
    vary = 1.0 + 0.35 * noise.field(window, 4.0, 33)
    polish = 0.055 if road.surface != "concrete" else -0.10
    tone += np.where(on, (np.float32(polish * wear) * track - np.float32(0.07 * wear) * drip) * vary, 0.0)
    first, last = float(s.min()), float(s.max())
    for mark in blemishes:
        if mark.end_m < first or mark.start_m > last:
            continue
        inside = (s > mark.start_m) & (s < mark.end_m) & (o > mark.right_m) & (o < mark.left_m)
        tone = np.where(inside, tone * np.float32(mark.factor), tone)
    if road.surface == "concrete":
        joint = np.abs(s - np.round(s / _JOINT_M) * np.float32(_JOINT_M))
        tone *= 1.0 - 0.35 * stripe(joint, 0.04, window.px_m) * 2.0
        slab = noise.dice(
            np.round(s / _JOINT_M).astype(np.int64), np.floor(across / road.lane_width_m).astype(np.int64), 4
        )
        tone *= 0.95 + 0.10 * slab
    # Seams between the paver's passes, and cracks across.
    meander = 0.10 * noise.field(window, 1.5, 34)
    seam = np.abs(o + 0.25 + meander)
    tone *= 1.0 - (0.55 * wear - 0.3) * stripe(seam, 0.06, window.px_m)
    crack = np.abs(noise.field(window, 0.9, 35)) + 8.0 * ramp(-noise.field(window, 2.5, 36), -1.1, -0.7)
    tone *= 1.0 - (0.16 * wear) * np.clip(1.0 - crack / 0.05, 0.0, 1.0)
    stain = ramp(noise.field(window, 0.6, 37), 1.9, 2.6)
    tone *= 1.0 - 0.18 * stain
    return np.asarray(np.float32(_ASPHALT[road.surface] * road.brightness) * np.clip(tone, 0.3, 2.5), dtype=np.float32)


def _lay_paint(stage: Stage, canvas: Canvas, s: Field, o: Field) -> None:
    """Paint centre, lane and edge lines, worn where the wheels cross them."""
    road, window = stage.spec.road, canvas.window
    if road.markings <= 0:
        return
    wear = np.clip(1.1 * road.markings * (1.0 + 0.25 * stage.noise.field(window, 0.6, 38)), 0.0, 1.0)
    paint = np.zeros_like(o)
    for at, dash in _lines(road):
        line = stripe(np.abs(o - np.float32(at)), road.line_m, window.px_m)
        if dash:
            period, painted = dash
            phase = np.mod(s, np.float32(period))
            half = np.float32(painted / 2)
            line = line * np.clip((half - np.abs(phase - half)) / window.px_m + 0.5, 0.0, 1.0)
        np.maximum(paint, line, out=paint)
    mix(canvas.colour, (_PAINT, _PAINT, _PAINT * 0.96), np.asarray(paint * wear, dtype=np.float32))


def _lines(road: RoadSpec) -> list[tuple[float, tuple[float, float] | None]]:
    """Return offset and dashes (period, painted) of every painted line."""
    wide = road.lane_width_m
    between = road.dashes_m[::-1] if road.dashes_m else (15.0, 6.0)
    if road.oneway:
        half = road.lanes_right * wide / 2
        inner = [(-half + k * wide, between) for k in range(1, road.lanes_right)]
        return [(half, None), (-half, None), *inner]
    lines: list[tuple[float, tuple[float, float] | None]] = []
    middle = road.median_m / 2
    for sign, lanes in ((1.0, road.lanes_left), (-1.0, road.lanes_right)):
        lines += [(sign * (middle + k * wide), between) for k in range(1, lanes)]
        lines.append((sign * (middle + lanes * wide), None))
        if middle > 0.1:
            lines.append((sign * middle, None))
    if middle <= 0.1 and road.lanes_left:
        lines += (
            [(0.0, between if road.dashes_m else (9.0, 3.0))] if road.lanes_left == 1 else [(0.12, None), (-0.12, None)]
        )
    return lines


def _lay_median(stage: Stage, canvas: Canvas) -> None:
    """Paint the strip between the carriageways: grass with a kerb where wide, a barrier where narrow."""
    half = stage.spec.road.median_m / 2
    arid = stage.spec.terrain.kind in ("desert", "steppe")
    o, px = np.abs(canvas.offset_m), canvas.window.px_m
    inside = np.clip(0.5 - (o - (half - 0.35)) / max(px, 0.15), 0.0, 1.0)
    if half > 1.0:
        grass = 0.8 + 0.25 * stage.noise.field(canvas.window, 0.5, 39)
        mix(
            canvas.colour,
            (0.19, 0.165, 0.115) if arid else (0.085, 0.105, 0.05),
            np.asarray(inside, dtype=np.float32),
        )
        canvas.colour[...] *= 1.0 + ((np.clip(grass, 0.4, 1.4) - 1.0) * inside)[..., None]
        mix(canvas.colour, _KERB, stripe(np.abs(o - (half - 0.3)), 0.25, px))
    else:
        mix(canvas.colour, (0.33, 0.32, 0.30), stripe(o, 0.5, px))


def _lay_bay(stage: Stage, canvas: Canvas, bay: ParkedSpec) -> None:
    """Pave the strip that a row of parked vehicles stands on."""
    road = stage.spec.road
    edge = edge_m(road, bay.side) + road.shoulder_m
    sign = 1.0 if bay.side == "left" else -1.0
    across = canvas.offset_m * np.float32(sign) - np.float32(edge)
    s = canvas.station_m
    kerb = bay.where == "kerb"
    beyond, half = (60.0, 1.1) if kerb else (3.0, 1.25)
    if float(s.max()) < bay.start_m - beyond or float(s.min()) > bay.end_m + beyond:
        return
    px = max(0.15, canvas.window.px_m)
    inside = np.clip(0.5 + (half - np.abs(across - half)) / px, 0, 1)
    inside = inside * ((s > bay.start_m - beyond) & (s < bay.end_m + beyond))
    tone = np.float32(_ASPHALT[road.surface] * road.brightness * (1.0 if kerb else 1.12))
    rough = 1.0 + 0.05 * stage.noise.field(canvas.window, 0.4, 40)
    mix(
        canvas.colour,
        (tone * rough)[..., None] * np.ones(3, dtype=np.float32),
        np.asarray(inside, dtype=np.float32),
    )
