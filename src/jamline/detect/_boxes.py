"""Boxes of vehicle size: what each gains, which are shadows, and how likely each is a vehicle."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from jamline.detect._features import SIZES_M, Maps, feature_maps, paint_maps
from jamline.detect._packing import Picked

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

_TRUCK_SIZE = 4
"""First of the sizes that pay as lorries."""


_BLANK = 0.35
"""Salience that is dark less what is bright: from here up a box is dark all over, as a shadow is."""

_CAST_M = 1.5
_SHADOWED = 0.4
"""Share of the vehicles with a dark box on one side from which these are their shadows; two lanes abreast have dark
vehicles on either side."""

_ODDS = {
    "bias": -1.38, "whole": 6, "emptiest": -0.2, "thinnest": 1.64, "flank_low": -0.12, "flank_high": 0.54,
    "end_low": 0.08, "end_high": -1.28, "raw": -7.22, "dark": 1.02, "side_edge": 0.45, "end_edge": 2.02,
    "texture": -1.95, "light": 0.29, "thin": 6.76, "crossed": 2.23, "beside": -1.95, "truck": -0.58, "gain": 0.41,
    "gsd": -0.11,
}  # fmt: skip
"""Log odds that a picked box is a vehicle: a logistic regression on the 3,442 boxes picked in 30 simulated scenes of
1 km at 0.3 to 0.8 m (seeds 700 to 729). `beside` is 1 outside the carriageway, `truck` 1 from 7 m up, `gain` counts up
to 4, `gsd` is in metres."""

_USUAL, _WORTH = 0.54, 10.0
"""Share of those boxes that were vehicles, and how many boxes of a section it is worth."""


@dataclass(frozen=True)
class Prices:
    """What parts of a box are worth, in m² of full salience; found by trial on simulated scenes."""

    floor: float = 0.35
    empty: float = 0.5
    lack_slice: float = 0.549
    lack_line: float = 0.632
    flank_free: float = 0.029
    flank: float = 0.755
    end_free: float = 0.247
    end: float = 0.871
    side_edge: float = 1.579
    end_edge: float = 1.825
    car: float = 0.5
    truck: float = 2.5
    small: float = 0.224
    shade: float = 0.56
    shade_free: float = 0.451
    beside: float = 1.0
    beside_truck: float = 1.886


def box_gains(maps: Maps, prices: Prices, *, carriageway_m: float) -> Pixels:
    """Return what a box of each size gains at every pixel, shape (sizes, rows, columns), in m² of full salience."""
    gains = np.stack([box_gain(dict(feature_maps(maps, size)), size, prices) for size in range(len(SIZES_M))])
    # Verges are patchy; in a bay stand cars.
    beside = _beside(np.arange(gains.shape[1]), maps, carriageway_m)
    gains[:_TRUCK_SIZE, beside] -= prices.beside
    gains[_TRUCK_SIZE:, beside] -= prices.beside_truck
    return gains


def box_scores(picked: Picked, maps: Maps, *, carriageway_m: float, gsd_m: float) -> Array:
    """Return the probability that each picked box is a vehicle, shape (n,)."""
    row, column, kind, gain = picked
    log_odds = np.full(len(row), _ODDS["bias"] + _ODDS["gsd"] * gsd_m)
    for i in range(len(row)):
        # Features of this box alone: a cut around it costs less than a map of them all.
        y, x = round(row[i]), round(column[i])
        cut, at = maps.around(y, x, length_m=SIZES_M[kind[i]][0] / 2 + 2.0, width_m=SIZES_M[kind[i]][1] / 2 + 2.0)
        for name, values in chain(feature_maps(cut, int(kind[i])), paint_maps(cut, int(kind[i]))):
            log_odds[i] += _ODDS[name] * values[at]
    log_odds += _ODDS["beside"] * _beside(row, maps, carriageway_m) + _ODDS["truck"] * (kind >= _TRUCK_SIZE)
    log_odds += _ODDS["gain"] * np.minimum(gain, 4.0)
    return _at_home(log_odds)


def _at_home(log_odds: Array) -> Array:
    """Return probabilities where vehicles may be more common among the boxes than they were in training, or less.

    Beside a bare road most boxes are shadows and bushes, in a jam most are vehicles; boxes alike are not as likely
    vehicles in both. The share is found from the boxes themselves (Saerens et al. 2002, by expectation and
    maximisation).
    """
    score: Array = 1.0 / (1.0 + np.exp(-log_odds))
    for _ in range(50):
        share = np.clip((score.sum() + _WORTH * _USUAL) / (len(score) + _WORTH), 0.05, 0.95)
        more = np.log(share / (1.0 - share)) - np.log(_USUAL / (1.0 - _USUAL))
        score = 1.0 / (1.0 + np.exp(-log_odds - more))
    return score


def _beside(row: npt.NDArray[Any], maps: Maps, carriageway_m: float) -> npt.NDArray[np.bool_]:
    """Tell which rows lie outside the carriageway."""
    beside: npt.NDArray[np.bool_] = np.abs(maps.raw.shape[0] / 2 - 0.5 - row) * maps.pixel_m > carriageway_m / 2
    return beside


def box_gain(parts: dict[str, Pixels], size: int, prices: Prices) -> Pixels:
    """Return what a box of one size gains at every pixel, from its features."""
    length_m, width_m = SIZES_M[size]
    fill = np.minimum(parts["whole"], 0.9) - prices.floor
    fill -= prices.lack_slice * np.maximum(prices.empty - parts["emptiest"], 0)
    fill -= prices.lack_line * np.maximum(prices.empty - parts["thinnest"], 0)
    flank = 0.65 * parts["flank_low"] + 0.35 * parts["flank_high"]
    fill -= prices.flank * np.maximum(flank - prices.flank_free, 0)
    fill -= prices.end * np.maximum(parts["end_low"] - prices.end_free, 0)
    fill -= prices.shade * np.maximum(parts["dark"] - parts["light"] - prices.shade_free, 0)
    edges = prices.side_edge * np.minimum(parts["side_edge"], 1) + prices.end_edge * np.minimum(parts["end_edge"], 1)
    cost = prices.truck if size >= _TRUCK_SIZE else prices.car + prices.small * (size in (0, 3))
    return np.asarray(fill * length_m * width_m + edges - cost, np.float32)


def without_shadows(picked: Picked, maps: Maps) -> Picked:
    """Drop dark boxes beside vehicles where they lie on one and the same side: the sun stands on the other."""
    row, column, kind, _ = picked
    if not len(row):
        return picked
    size = np.array(SIZES_M)[kind] / maps.pixel_m
    blank = np.array(
        [
            float(np.mean(maps.dark[a:b, c:d]) - np.mean(np.maximum(maps.raw - maps.dark, 0)[a:b, c:d]))
            for a, b, c, d in _pixels_of(row, column, size, maps.raw.shape)
        ]
    )
    dark: npt.NDArray[np.bool_] = np.asarray(blank > _BLANK)
    beside: dict[int, npt.NDArray[np.bool_]] = {}
    for way in (-1, 1):
        across = way * (row[:, None] - row[None, :])  # of a dark box seen from another
        touching = (across > 0) & (across < (size[:, None, 1] + size[None, :, 1]) / 2 + _CAST_M / maps.pixel_m)
        along = np.abs(column[:, None] - column[None, :]) < 0.7 * np.maximum(size[:, None, 0], size[None, :, 0])
        beside[way] = np.asarray(touching & along & dark[:, None] & ~dark[None, :])
    share = {
        way: np.asarray(pairs.any(axis=0))[~dark].mean() if (~dark).any() else 0.0 for way, pairs in beside.items()
    }
    drop: npt.NDArray[np.bool_] = np.zeros(len(row), bool)
    for way in (-1, 1):
        if share[way] > _SHADOWED and share[way] > 2 * share[-way]:
            drop = np.asarray(beside[way].any(axis=1))
    return tuple(part[~drop] for part in picked)  # type: ignore[return-value]


def _pixels_of(row: Array, column: Array, size: Array, shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Return the pixel ranges that boxes cover, never empty."""
    low = np.clip(np.rint(np.column_stack([row - size[:, 1] / 2, column - size[:, 0] / 2])), 0, np.array(shape) - 2)
    high = np.clip(np.rint(np.column_stack([row + size[:, 1] / 2, column + size[:, 0] / 2])), low + 1, np.array(shape))
    return [
        (int(a), int(b), int(c), int(d))
        for a, b, c, d in zip(low[:, 0], high[:, 0], low[:, 1], high[:, 1], strict=True)
    ]
