"""Cars as they look from above or aslant: body, glass, roof, equipment, glints."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jamline.synth.easel import Easel, rounded
from jamline.synth.paints import CARS, DARK, DUST, GLASS, LOADS, RUBBER, SKY, pick

Array = npt.NDArray[np.float64]

# Along a car, from its front (0) to its rear (1): where the cabin begins and ends at the belt line, and between
# them where its roof does.
_CABINS = {
    "hatch": (0.25, 0.43, 0.86, 0.96),
    "sedan": (0.28, 0.44, 0.70, 0.83),
    "suv": (0.24, 0.38, 0.88, 0.96),
    "estate": (0.26, 0.40, 0.88, 0.96),
    "open": (0.32, 0.42, 0.64, 0.70),
    "pickup": (0.24, 0.36, 0.58, 0.63),
    "van": (0.08, 0.20, 0.985, 0.995),
    "drop": (0.08, 0.17, 0.33, 0.35),
}
_BELT = 0.62
"""Height of the belt line as a share of the roof's."""


def paint_car(
    easel: Easel,
    body: str,
    size: tuple[float, float, float],
    rng: np.random.Generator,
    *,
    dull: float = 0.0,
    dark: float = 0.0,
) -> None:
    """Paint a car on an easel.

    Parameters
    ----------
    easel : Easel
        Its origin lies under the car's middle.
    body : str
        One of the bodies up to 7 m.
    size : tuple of float
        Length, width and height.
    rng : numpy.random.Generator
        Of this car alone.
    dull : float
        How much dust lies on it, 0 to 1.
    dark : float
        Odds that it is dark, whatever is usual.
    """
    tall = body in ("van", "drop")
    paint = np.array([0.68, 0.68, 0.67]) if tall and rng.random() < 0.6 else pick(CARS, rng)
    if dark > 0 and rng.random() < dark:
        paint = pick(DARK, rng)
    gloss = float(rng.uniform(0.004, 0.034)) * SKY
    dirt = float(np.clip(dull * rng.uniform(0.2, 1.0), 0.0, 0.7))
    body_tint = (paint + gloss) * (1.0 - dirt) + DUST * dirt
    cabin = np.array(_CABINS[body]) + rng.normal(0.0, 0.012, 4) * (0.3 if tall else 1.0)
    belt = size[2] * (_BELT if not tall else 0.5)
    _lower(easel, size, belt, body_tint, tall, rng)
    if body == "pickup":
        _bed(easel, size, belt, paint, rng)
    if body == "drop":
        _platform(easel, size, rng)
    _greenhouse(easel, body, size, (belt, cabin), body_tint, rng)
    _glints(easel, size, belt, cabin, rng)


def _lower(
    easel: Easel, size: tuple[float, float, float], belt: float, tint: Array, tall: bool, rng: np.random.Generator
) -> None:
    """Paint flanks, bonnet and boot up to the belt line."""
    length, width, _ = size
    radius = float(rng.uniform(0.18, 0.3) if tall else rng.uniform(0.32, 0.62))
    bow = float(rng.uniform(0.04, 0.08) if tall else rng.uniform(0.12, 0.30))
    taper = float(rng.uniform(0.0, 0.05))
    wall = easel.wall()
    span = (-length / 2, length / 2)
    for height in easel.steps(0.0, belt):
        cover, _ = easel.top(span, width, float(height), radius)
        easel.put(cover, RUBBER if height < 0.32 else tint * wall)
    u, w = easel.at(belt)
    across = np.abs(w) / np.float32(width / 2)
    t = (np.float32(length / 2) - u) / np.float32(length)
    # Seen from above the ends are bowed: pulling the corners back rounds both off.
    bent = u + bow * across**2.5 * np.sign(u)
    narrow = 1.0 - taper * np.clip(0.3 - t, 0.0, 0.3) / 0.3
    cover, depth = rounded(bent, w / narrow, (length, width), radius)
    rim = np.clip((0.26 - depth) / 0.26, 0.0, 1.0)
    lean = np.clip(across - 0.6, 0, 0.4) / 0.4 * np.sign(w) * easel.sun[1]
    lean = lean + np.clip(np.abs(t - 0.5) - 0.36, 0, 0.14) / 0.14 * np.sign(0.5 - t) * easel.sun[0]
    shade = 1.0 + np.clip(lean * easel.cot * float(rng.uniform(0.3, 0.8)), -0.5, 0.6) * rim
    shade = shade * (1.0 - float(rng.uniform(0.05, 0.25)) * rim)
    # Bonnet and boot slope: each has its own brightness under this sun.
    slope = float(rng.normal(0.0, 0.10)) + 0.14 * easel.sun[0] * min(1.5, easel.cot)
    shade = shade * (1.0 + np.clip((0.5 - t) * 2.0, -1.0, 1.0) * slope)
    crease = np.exp(-(((across - float(rng.uniform(0.35, 0.6))) / 0.06) ** 2)) * np.sign(w) * easel.sun[1]
    shade = shade * (1.0 + 0.10 * crease)
    colour = tint * np.clip(shade, 0.25, 1.9)[..., None]
    lamps = (t < 0.07) & (across > 0.55)
    colour = np.where(lamps[..., None], colour * 0.5 + float(rng.uniform(0.08, 0.30)), colour)
    tail = (t > 0.955) & (across > 0.5)
    colour = np.where(tail[..., None], colour * 0.5 + np.array([0.10, 0.012, 0.010]), colour)
    easel.put(cover, colour)
    shine = float(rng.exponential(0.10)) * np.exp(-(((w * np.sign(easel.sun[1]) / (width / 2) - 0.82) / 0.10) ** 2))
    shine = shine * abs(easel.sun[1]) * np.exp(-(((t - float(rng.uniform(0.2, 0.8))) / 0.3) ** 2))
    easel.colour[...] += (shine * cover)[..., None]
    mirror = (np.abs(t - float(rng.uniform(0.30, 0.36) if not tall else 0.13)) < 0.025) & (across < 1.16)
    easel.put(np.asarray(np.where(mirror & (across > 0.9), 0.75, 0.0), dtype=np.float32), tint * 0.7)


def _greenhouse(
    easel: Easel,
    body: str,
    size: tuple[float, float, float],
    shape: tuple[float, Array],
    tint: Array,
    rng: np.random.Generator,
) -> None:
    """Paint the cabin: panes that lean inwards from the belt line to the roof, and the roof."""
    length, width, high = size
    belt, cabin = shape
    glass = GLASS * float(np.exp(rng.normal(0.1, 0.45)))
    mirror = float(rng.exponential(0.025)) * SKY
    ahead = [length / 2 - float(x) * length for x in cabin]
    low, top = float(rng.uniform(0.86, 0.92)), float(rng.uniform(0.68, 0.76))
    if body in ("van", "drop"):
        low, top = 0.96, 0.90
    blind = body == "van" and rng.random() < 0.7
    pillar = tint * easel.wall()
    post = float(rng.uniform(0.46, 0.56))
    for share in np.linspace(0.0, 1.0, max(4, len(easel.steps(belt, high))), endpoint=False):
        height = belt + share * (high - belt)
        span = (ahead[3] + share * (ahead[2] - ahead[3]), ahead[0] + share * (ahead[1] - ahead[0]))
        wide = width * (low + share * (top - low))
        cover, _ = easel.top(span, wide, float(height), 0.22)
        u, w = easel.at(float(height))
        t = (length / 2 - u) / length
        side = np.abs(w) > wide / 2 - 0.14
        front, back = t < cabin[1], t > cabin[2]
        # Glass leans: the pane that faces the brighter half of the sky is the lighter one.
        tilt = 1.0 + 0.5 * easel.sun[0] * (front.astype(np.float32) - back)
        pane = glass * tilt[..., None] + mirror * np.where(front, 1.0, np.where(back, 0.6, 0.3))[..., None]
        posts = side & ((np.abs(t - post) < 0.016) | (np.abs(t - cabin[1]) < 0.014) | (np.abs(t - cabin[2]) < 0.02))
        if blind:
            posts = posts | (~front & (side | back))
        corner = (front | back) & (np.abs(w) > wide / 2 - 0.08)
        easel.put(cover, np.where((posts | corner)[..., None], pillar, pane))
    _roof(easel, body, size, (ahead[2], ahead[1], top), tint, rng)


def _roof(
    easel: Easel,
    body: str,
    size: tuple[float, float, float],
    shape: tuple[float, float, float],
    tint: Array,
    rng: np.random.Generator,
) -> None:
    """Paint the roof and what is on it."""
    _, width, high = size
    rear, front, share = shape
    wide = width * share
    cover, depth = easel.top((rear, front), wide, high, 0.14)
    u, w = easel.at(high)
    if body == "open":
        inside = np.array([0.05, 0.045, 0.04]) if rng.random() < 0.6 else np.array([0.22, 0.15, 0.09])
        seats = (np.abs(np.abs(w) - 0.36) < 0.22) & (np.abs(u - (front + rear) / 2) < 0.45)
        easel.put(cover, np.where(seats[..., None], inside * 1.7, inside * 0.8))
        return
    dice = rng.random()
    roof = tint * float(np.exp(rng.normal(0.03, 0.10)))
    if dice < 0.06 and body in ("hatch", "suv"):
        roof = np.array([0.022, 0.023, 0.026]) if rng.random() < 0.7 else np.array([0.62, 0.62, 0.61])
    bulge = np.clip(w / (wide / 2), -1, 1) * easel.sun[1] + np.clip(u / 1.5, -1, 1) * 0.4 * easel.sun[0]
    tone = 1.0 + 0.16 * min(1.5, easel.cot) * bulge - 0.16 * np.clip((0.12 - depth) / 0.12, 0, 1)
    if body == "van":
        tone = tone * (1.0 + float(rng.choice([0.0, 0.03, 0.06])) * np.sin(2 * np.pi * w / 0.3))
    easel.put(cover, roof * np.clip(tone, 0.3, 1.7)[..., None])
    long = front - rear
    panes = GLASS * float(rng.uniform(0.8, 2.2)) + float(rng.exponential(0.02)) * SKY
    if body not in ("van", "drop"):
        if rng.random() < 0.20:
            easel.put(
                easel.top((front - 0.12 - 0.45 * min(long, 1.6), front - 0.14), wide * 0.72, high, 0.08)[0], panes
            )
        elif rng.random() < 0.10 and long > 1.2:
            easel.put(easel.top((rear + 0.18, front - 0.12), wide * 0.78, high, 0.1)[0], panes)
    rack = rng.random()
    if rack < (0.30 if body == "van" else 0.10 if body in ("estate", "suv") else 0.02):
        metal = np.array([0.40, 0.40, 0.41]) if rng.random() < 0.5 else np.array([0.04, 0.04, 0.04])
        for at in np.linspace(rear + 0.2 * long, front - 0.2 * long, 4 if body == "van" else 2):
            easel.put(easel.top((float(at) - 0.05, float(at) + 0.05), wide, high + 0.1, 0.03)[0] * 0.8, metal)
        if rng.random() < 0.35:
            load = pick(LOADS, rng)
            easel.put(easel.top((rear + 0.15 * long, front - 0.1 * long), wide * 0.35, high + 0.3, 0.1)[0], load)
    elif rack > 0.985:
        sign = np.array([0.62, 0.50, 0.05])
        easel.put(easel.top((rear + 0.5 * long - 0.1, rear + 0.5 * long + 0.1), 0.5, high + 0.1, 0.04)[0], sign)


def _bed(easel: Easel, size: tuple[float, float, float], belt: float, paint: Array, rng: np.random.Generator) -> None:
    """Paint a pickup's bed: bare, covered or loaded."""
    length, width, _ = size
    dice = rng.random()
    tint = np.array([0.045, 0.045, 0.047]) if dice < 0.55 else paint * 0.8 if dice < 0.75 else pick(LOADS, rng)
    easel.put(easel.top((-0.475 * length, -0.135 * length), width * 0.78, belt, 0.06)[0], tint)


def _platform(easel: Easel, size: tuple[float, float, float], rng: np.random.Generator) -> None:
    """Paint the open or closed body behind a small lorry's cab."""
    length, width, high = size
    span = (-length / 2, length / 2 - 0.36 * length)
    if rng.random() < 0.5:
        easel.box(span, width, (0.5, high * 1.15), pick(((0.7, (0.6, 0.6, 0.6)), (0.3, (0.3, 0.3, 0.32))), rng))
    else:
        easel.box(span, width, (0.5, 1.0), np.array([0.3, 0.3, 0.31]))
        easel.put(easel.top((span[0] + 0.1, span[1] - 0.1), width - 0.2, 1.0, 0.05)[0], pick(LOADS, rng))


def _glints(
    easel: Easel, size: tuple[float, float, float], belt: float, cabin: Array, rng: np.random.Generator
) -> None:
    """Add the sun mirrored on curved edges: too small to see but not to shine."""
    length, width, high = size
    for _ in range(int(rng.choice([0, 1, 2], p=[0.45, 0.4, 0.15]))):
        edge = float(rng.choice([0.04, cabin[1], cabin[2], 0.95]))
        u, w = easel.at(belt if edge in (0.04, 0.95) else high)
        side = float(np.clip(easel.sun[1] * 0.7 + rng.normal(0, 0.2), -0.8, 0.8)) * width / 2
        spot = np.exp(-(((u - length * (0.5 - edge)) / 0.13) ** 2) - ((w - side) / 0.22) ** 2)
        easel.colour[...] += (float(rng.exponential(0.35)) * spot * easel.cover)[..., None]
