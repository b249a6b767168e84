"""Lorries, buses and trailers as they look from above or aslant."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jamline.synth.easel import Easel
from jamline.synth.looks import paint_car
from jamline.synth.paints import BOXES, CABS, DUST, GLASS, LOADS, RUBBER, SKY, pick

Array = npt.NDArray[np.float64]

_STEEL = np.array([0.40, 0.41, 0.42])
_FRAME = np.array([0.045, 0.044, 0.043])


def paint_truck(
    easel: Easel, body: str, size: tuple[float, float, float], rng: np.random.Generator, *, dull: float = 0.0
) -> None:
    """Paint a vehicle over 7 m on an easel.

    Parameters
    ----------
    easel : Easel
        Its origin lies under the vehicle's middle.
    body : str
        One of the bodies over 7 m.
    size : tuple of float
        Length, width and height.
    rng : numpy.random.Generator
        Of this vehicle alone.
    dull : float
        How much dust lies on it, 0 to 1.
    """
    length, width, _ = size
    if body == "bus":
        _bus(easel, size, rng)
    elif body == "caravan":
        _caravan(easel, size, rng)
    else:
        nose = float(rng.uniform(2.0, 2.5))
        front, rear = length / 2, -length / 2
        easel.box((rear + 0.3, front - nose + 0.4), 1.2, (0.4, 1.0), _FRAME)
        for at in (rear + 1.2, rear + 2.4, front - nose - 0.5):
            easel.put(easel.top((at - 0.45, at + 0.45), width - 0.1, 0.6, 0.1)[0], RUBBER)
        _cab(easel, (front - nose, front), size, rng)
        gap = float(rng.uniform(0.2, 0.4) if body in ("lorry", "tipper") else rng.uniform(0.5, 0.9))
        _load(easel, body, (rear, front - nose - gap), size, rng)
    grime = float(dull * rng.uniform(0.1, 0.7))
    easel.colour[...] += (DUST * easel.cover[..., None] - easel.colour) * np.float32(grime)


def _cab(easel: Easel, span: tuple[float, float], size: tuple[float, float, float], rng: np.random.Generator) -> None:
    """Paint a cab with its windscreen, roof deflector and mirrors."""
    _, width, high = size
    cab = pick(CABS, rng)
    top = min(high, float(rng.uniform(2.7, 3.6)))
    easel.box(span, width - 0.06, (0.4, top), cab, radius_m=0.28)
    for height in (0.55 * top, 0.65 * top, 0.75 * top):
        easel.put(easel.top((span[1] - 0.10, span[1]), width * 0.86, height, 0.04)[0], GLASS * 1.3)
    easel.put(easel.top((span[1] - 0.40, span[1] - 0.06), width * 0.84, top, 0.08)[0] * 0.9, GLASS * 1.4)
    if rng.random() < 0.5:
        easel.put(easel.top((span[0] + 0.1, span[0] + 1.1), width * 0.75, top + 0.2, 0.25)[0], cab * 1.12)
    elif rng.random() < 0.4:
        hatch = (span[0] + 0.7, span[0] + 1.3)
        easel.put(easel.top(hatch, 0.7, top, 0.08)[0], cab * 0.55)


def _load(
    easel: Easel, body: str, span: tuple[float, float], size: tuple[float, float, float], rng: np.random.Generator
) -> None:
    """Paint what is behind the cab."""
    length, width, high = size
    rear, front = span
    box = pick(BOXES, rng)
    if body == "trailer":
        cut = rear + (front - rear) * float(rng.uniform(0.46, 0.56))
        _box(easel, (cut + 0.5, front), (width, high), box, rng)
        _box(easel, (rear, cut - 0.5), (width, high), box, rng)
    elif body == "tanker":
        tint = _STEEL * float(rng.uniform(0.7, 1.5)) if rng.random() < 0.6 else box
        easel.box((rear, front), width - 0.1, (1.0, 0.75 * high), tint * 0.8, radius_m=0.7)
        cover, _ = easel.top((rear + 0.1, front - 0.1), width - 0.15, high, 0.8)
        _, w = easel.at(high)
        # A lying cylinder: one bright line towards the sun, dark flanks.
        lit = 0.75 + 0.6 * np.exp(-(((w - 0.45 * width / 2 * easel.sun[1] * min(1.5, easel.cot)) / 0.35) ** 2))
        easel.put(cover, tint * (lit * (1.0 - 0.3 * np.abs(w) / (width / 2)))[..., None])
        for at in np.linspace(rear + 1.0, front - 1.0, int(rng.integers(3, 6))):
            easel.put(easel.top((float(at) - 0.25, float(at) + 0.25), 0.55, high + 0.1, 0.2)[0], tint * 0.45)
    elif body == "flatbed":
        easel.box((rear, front), width, (0.9, 1.3), np.array([0.17, 0.14, 0.11]) * float(rng.uniform(0.6, 1.6)))
        at = rear + float(rng.uniform(0.1, 1.0))
        while rng.random() < 0.75 and at < front - 2.0:
            end = min(front - 0.1, at + float(rng.uniform(1.5, 6.0)))
            tall = 1.3 + float(rng.uniform(0.2, 1.4))
            load = pick(LOADS if rng.random() < 0.6 else BOXES, rng)
            easel.box((at, end), width * float(rng.uniform(0.5, 0.98)), (1.3, tall), load)
            at = end + float(rng.uniform(0.1, 1.5))
    elif body == "tipper":
        tint = pick(CABS, rng)
        easel.box((rear, front), width, (1.0, high), tint * 0.9)
        cover, _ = easel.top((rear + 0.12, front - 0.12), width - 0.24, high, 0.1)
        u, w = easel.at(high)
        heap = 0.85 + 0.3 * np.sin(1.7 * u + float(rng.uniform(0, 6))) * np.cos(2.1 * w)
        easel.put(cover, (_FRAME if rng.random() < 0.4 else pick(LOADS, rng)) * heap[..., None])
    elif body == "carrier":
        easel.box((rear, front), width, (0.8, 1.2), _STEEL * 0.5)
        for middle in np.arange(front - 2.4, rear + 2.0, -4.75):
            size_ = (4.4, min(1.85, width - 0.4), 1.5)
            paint_car(easel.moved(float(middle)), str(rng.choice(["hatch", "sedan", "suv"])), size_, rng)
        for side in (-1.0, 1.0):
            u, w = easel.at(1.5)
            beam = (np.abs(w - side * (width / 2 - 0.1)) < 0.08) & (u > rear) & (u < front)
            easel.put(beam.astype(np.float32), _STEEL)
    else:
        _box(easel, (rear, front), (width, high), box, rng)
    del length


def _box(
    easel: Easel, span: tuple[float, float], size: tuple[float, float], tint: Array, rng: np.random.Generator
) -> None:
    """Paint a box or a curtain with ribs, stains and, now and then, a cooler or a stripe."""
    width, high = size
    top = easel.box(span, width, (1.1, high), tint)
    u, w = easel.at(high)
    ribs = float(rng.choice([0.0, 0.0, 0.04, 0.08]))
    pitch = float(rng.choice([0.6, 1.2]))
    tone = ribs * np.sin(2 * np.pi * u / pitch) + 0.06 * np.sin(1.3 * u + float(rng.uniform(0, 6))) * np.cos(1.9 * w)
    tone = tone + float(rng.uniform(0.0, 0.10)) * np.clip(w / (width / 2), -1, 1) * easel.sun[1]
    easel.colour[...] *= (1.0 + tone * top)[..., None]
    dice = rng.random()
    if dice < 0.10:
        cooler = (span[1] - 0.1, span[1] + 0.35)
        easel.box(cooler, width * 0.7, (2.0, high - 0.3), np.array([0.5, 0.5, 0.5]))
    elif dice < 0.18:
        at = float(rng.uniform(span[0] + 1.0, max(span[0] + 1.1, span[1] - 1.0)))
        easel.put(easel.top((at - 0.6, at + 0.6), width * 0.9, high, 0.1)[0] * 0.9, pick(BOXES, rng))


def _bus(easel: Easel, size: tuple[float, float, float], rng: np.random.Generator) -> None:
    """Paint a bus: windows along its flanks, hatches and coolers on its roof."""
    length, width, high = size
    tint = np.array([0.62, 0.62, 0.61]) if rng.random() < 0.5 else pick(BOXES, rng)
    span = (-length / 2, length / 2)
    wall = easel.wall()
    for height in easel.steps(0.3, high):
        pane = 1.3 < height < 2.4
        easel.put(easel.top(span, width, float(height), 0.25)[0], GLASS * (0.6 + wall) if pane else tint * wall)
    easel.box(span, width - 0.1, (high - 0.05, high), tint, radius_m=0.35)
    easel.put(easel.top((length / 2 - 0.35, length / 2 - 0.02), width * 0.85, high - 0.3, 0.1)[0] * 0.8, GLASS * 1.4)
    if rng.random() < 0.3:
        middle = float(rng.uniform(-0.3, 0.3)) * length
        easel.put(easel.top((middle - 0.6, middle + 0.6), width - 0.2, high, 0.1)[0], pick(BOXES, rng))
    for at in rng.uniform(-0.42, 0.42, int(rng.integers(1, 5))) * length:
        long, wide = float(rng.uniform(0.7, 3.0)), float(rng.uniform(0.7, 1.9))
        kit = np.array([0.33, 0.33, 0.34]) * float(rng.uniform(0.4, 1.8))
        easel.box((float(at) - long / 2, float(at) + long / 2), wide, (high, high + 0.2), kit, radius_m=0.12)


def _caravan(easel: Easel, size: tuple[float, float, float], rng: np.random.Generator) -> None:
    """Paint a car and what it tows."""
    length, width, high = size
    car_m = min(5.0, 0.46 * length)
    car = str(rng.choice(["sedan", "suv", "estate", "pickup"]))
    wide = min(1.86, width)
    hitch = length / 2 - car_m
    rear = -length / 2
    easel.put(easel.top((hitch - 1.0, hitch), 0.25, 0.5, 0.05)[0], _FRAME)
    if rng.random() < 0.45:
        easel.box((rear, hitch - 0.9), width, (0.5, high), np.array([0.62, 0.62, 0.60]), radius_m=0.3)
        pane = (rear + 1.4, rear + 1.9)
        easel.put(easel.top(pane, 0.6, high, 0.06)[0], GLASS * 2 + 0.02 * SKY)
    else:
        easel.box((rear, hitch - 0.9), width * 0.9, (0.5, 0.9), _STEEL * 0.7)
        easel.put(easel.top((rear + 0.1, hitch - 1.0), width * 0.9 - 0.2, 0.9, 0.05)[0], pick(LOADS, rng))
    paint_car(easel.moved(length / 2 - car_m / 2), car, (car_m, wide, 1.55), rng)
