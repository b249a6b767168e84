"""Where the road really runs beside the line someone drew.

A road is a band that stays alike along its length and differs from what lies on both its sides. What "alike"
is, is learned from the picture itself: starting at the drawn line, the colours inside the band are modelled,
the band is moved to where they end on both sides, and the model is renewed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from jamline.corridor._places import place_posterior
from jamline.spans import Estimate

Array = npt.NDArray[np.float64]

REACH_M = 9.0
"""Furthest shift looked for; maps and hand-drawn lines are off by up to 8 m."""

CHUNK_M = 20.0
"""Length over which the road's profile is taken. Longer than a lorry, shorter than a bend."""

_CENTRE_STEP_M = 0.5
_FLANK_M = (0.5, 3.5)
"""Strip outside the band that must differ from it; the first half metre may be edge line, kerb or blur."""

_PRIOR = ((0.6, 1.5), (0.4, 4.5))
"""Share and standard deviation of how far a drawn line lies off: most are good to a lane, the rest are not."""

_PRIOR_CHUNKS = 25.0
"""The offset of a line is one decision over some 500 m, so the prior counts once in so many chunks."""

_DRIFT_M = 0.25
"""Standard deviation of the offset's change from chunk to chunk: 8 m over 300 m is rare but possible."""

_TEMPERATURE = 5.0
"""Rows of a profile are not independent; their evidence counts this much less."""

_FOREIGN = -0.6

_PLAIN = slice(1, None)
"""Features without the texture, which vehicles change."""

_DOUBT = 0.4
"""What a metre of width costs: the verge is a bit like a road too."""

_TINTED, _TINT_STEP = 4.0, 0.04
"""What a band costs that is more colourful than its surroundings, and how much more that must be."""

_WIDEST = 0.8

_BUSY = 0.55
"""How much a row full of vehicles counts as road."""

_BETWEEN = 0.25
"""How much less a road counts that shows only between vehicles."""

_WIDTHS_M = (6.0, 7.5, 9.0, 11.0, 13.0, 16.0, 20.0)
_WITH_SHOULDERS = 1.3
_MEDIANS_M = (0.0, 4.0, 7.0, 10.0)
"""Green between two carriageways that were drawn as one line."""

_MEDIAN_FROM_M = 12.0
"""Paved width from which a road may have a median."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """How far the road lies to the left of the drawn line, along the line.

    Parameters
    ----------
    station_m : array, shape (k,)
        Stations of the drawn line.
    shift_m : array, shape (k,)
        Metres to the left.
    width_m : float
        Width from edge to edge, tagged or found, with the median if there is one.
    mean_m : Estimate
        Mean shift with its interval.
    """

    station_m: Array
    shift_m: Array
    width_m: float
    mean_m: Estimate


def align(
    profile: Array,
    texture: Array,
    seen: Array,
    taken: npt.NDArray[np.bool_],
    *,
    station_m: Array,
    offset_m: Array,
    width_m: float | None,
    one_line: bool,
) -> Alignment:
    """Find the road beside its line.

    Parameters
    ----------
    profile : array, shape (3, chunks, rows, bands)
        Median, lower and upper quartile of each row in each chunk, brightness about 0 to 1.
    texture : array, shape (chunks, rows)
        Spread along the row, same unit.
    seen : array, shape (chunks, rows)
        Share of each row that was seen, 0 to 1.
    taken : array of bool, shape (chunks, rows)
        Places nearer to another road that is measured too.
    station_m : array, shape (chunks,)
        Middle of each chunk.
    offset_m : array, shape (rows,)
        Offsets in falling order.
    width_m : float or None
        Width of the carriageway where it is known.
    one_line : bool
        True where the line stands for both directions, which a median may part.

    Returns
    -------
    Alignment
    """
    features = np.stack([_features(quantile, texture) for quantile in profile])
    centres = np.arange(-REACH_M, REACH_M + 1e-6, _CENTRE_STEP_M)
    # Lanes are not all the pavement: shoulders may be paved too, and the picture shows where that ends.
    paved = _WIDTHS_M if width_m is None else (width_m, _WITH_SHOULDERS * width_m) if one_line else (width_m,)
    shapes = [(w, m) for w in paved for m in _MEDIANS_M if m == 0 or w >= (_MEDIAN_FROM_M if one_line else np.inf)]
    best: tuple[float, Array, Array, float] | None = None
    for pavement, median in shapes:
        width = pavement + median
        for start_m in (0.0, -5.0, 5.0):
            centre = np.full(len(station_m), start_m)
            score = np.zeros((len(station_m), len(centres)))
            for _ in range(3):
                likeness = _likeness(features, seen, taken, centre, offset_m, width, median)
                score = _band_score(likeness, offset_m, centres, width, median)
                mean, spread, evidence = _path(score, centres)
                centre = mean
            evidence -= _DOUBT * pavement + _TINTED * _tint(profile[0], centre, offset_m, width, median)
            if best is None or evidence > best[0]:
                # The lanes are where the tag says, whatever lies paved beside them.
                best = (evidence, mean, spread, width if width_m is None else width_m + median)
    assert best is not None  # noqa: S101 - `widths` is never empty
    _, mean, spread, width = best
    smooth = ndimage.gaussian_filter1d(mean, 1.5, mode="nearest")
    # Neighbouring chunks share their fate: about one independent look in `_PRIOR_CHUNKS / 5`.
    looks = max(1.0, len(mean) / 5.0)
    half = 1.645 * float(np.sqrt(np.mean(spread**2) / looks + 0.15**2))
    value = float(smooth.mean())
    return Alignment(station_m, smooth, width, Estimate(value, value - half, value + half, unit="m"))


def _features(profile: Array, texture: Array) -> Array:
    """Return log texture, brightness and colour in units of what differs visibly, (chunks, rows, k)."""
    brightness = profile[..., :3].mean(axis=2)
    parts = [np.log(texture + 0.01) / 0.6, brightness / 0.08]
    if profile.shape[2] >= 3:
        total = np.maximum(profile[..., :3].sum(axis=2), 0.05)
        parts += [
            (profile[..., 0] - profile[..., 1]) / total / 0.03,
            (profile[..., 2] - profile[..., 1]) / total / 0.03,
        ]
    return np.stack(parts, axis=2)


def _tint(profile: Array, centre: Array, offset_m: Array, width_m: float, median_m: float) -> float:
    """Return how much more colourful a band is than what lies around it, 0 to 1.

    Asphalt, concrete and gravel are grey; sand, soil and plants are less so, whatever the light.
    """
    if profile.shape[2] < 3:
        return 0.0
    colour = profile[..., :3]
    saturation = (colour.max(axis=2) - colour.min(axis=2)) / np.maximum(colour.sum(axis=2), 0.05)
    away = np.abs(offset_m[None, :] - centre[:, None])
    inside = (away < width_m / 2) & (away >= median_m / 2)
    around = (away < width_m / 2 + 5.0) & ~inside
    excess = float(np.median(saturation[inside]) - np.median(saturation[around]))
    return float(np.clip(excess / _TINT_STEP, 0.0, 1.0))


def _likeness(
    features: Array,
    seen: Array,
    taken: npt.NDArray[np.bool_],
    centre: Array,
    offset_m: Array,
    width_m: float,
    median_m: float,
) -> Array:
    """Return how much more each place is like the band's inside than like anything, shape (chunks, rows)."""
    away = np.abs(offset_m[None, :] - centre[:, None])
    inside = (away < width_m / 2 - 0.5) & (away >= median_m / 2) & (seen > 0.5) & ~taken
    likeness = np.zeros(features.shape[1:3])
    chunks = features.shape[1]
    span = 36  # chunks to each side: what is alike over about 1.5 km
    step = 6
    for at in range(0, chunks, step):
        near = slice(max(0, at - span), min(chunks, at + step + span))
        sample = features[0, near][inside[near]]
        if len(sample) < 20:
            continue
        centre_of = np.median(sample, axis=0)
        # A band half off the road must not take the verge for a kind of road: its spread is bounded.
        spread_of = np.clip(1.4826 * np.median(np.abs(sample - centre_of), axis=0), 0.35, _WIDEST)
        square = ((features[:, at : at + step] - centre_of) / spread_of) ** 2
        typical = 1.0 - square[0].mean(axis=2) / 3.0
        # In a lane full of vehicles the road is what shows between them: darker than most, or brighter.
        between = 1.0 - square[1:, ..., _PLAIN].mean(axis=3).min(axis=0) / 3.0 - _BETWEEN
        # Vehicles are darker than the road and brighter, one after the other; meadows and trees are one
        # or the other.
        darker, brighter = features[1:, at : at + step, :, 1] - centre_of[1]
        tinted = square[0, ..., 2:].mean(axis=2) > 6.0 if square.shape[-1] > 2 else False
        busy = (darker < -0.5) & (brighter > 0.5) & ~np.asarray(tinted)
        # From 1 for what is typical down to what is foreign, and no further.
        alike = np.maximum(np.maximum(typical, between), np.where(busy, _BUSY, _FOREIGN))
        likeness[at : at + step] = np.clip(alike, _FOREIGN, 1.0)
    return np.where(taken, _FOREIGN, np.where(seen > 0.5, likeness, 0.0))


def _band_score(likeness: Array, offset_m: Array, centres: Array, width_m: float, median_m: float) -> Array:
    """Return for each chunk and centre how well a road of this width fits, shape (chunks, centres)."""
    step_m = abs(offset_m[1] - offset_m[0])
    rising = likeness[:, ::-1]  # right to left: offsets rise
    edges = np.concatenate([[offset_m[-1] - step_m / 2], offset_m[::-1] + step_m / 2])
    total = np.concatenate([np.zeros((len(likeness), 1)), np.cumsum(rising, axis=1)], axis=1) * step_m

    def between(low_m: Array, high_m: Array) -> Array:
        a, b = (np.interp(x, edges, np.arange(len(edges))) for x in (low_m, high_m))
        columns = []
        for x in (a, b):
            whole = np.minimum(x.astype(int), len(edges) - 2)
            part = x - whole
            columns.append(total[:, whole] * (1 - part) + total[:, whole + 1] * part)
        difference: Array = columns[1] - columns[0]
        return difference

    half = width_m / 2
    inside = between(centres - half, centres + half)
    if median_m:
        # Taken out of the road once, and, like the flanks, held to differ from it.
        inside -= 2 * between(centres - median_m / 2, centres + median_m / 2)
    left = between(centres + half + _FLANK_M[0], centres + half + _FLANK_M[1])
    right = between(centres - half - _FLANK_M[1], centres - half - _FLANK_M[0])
    # Both sides must differ; one that differs much does not make up for one that does not.
    flank = -left - right + np.minimum(-left, -right)
    score: Array = inside + flank
    return score


def _path(score: Array, centres: Array) -> tuple[Array, Array, float]:
    """Return mean and spread of the centre in each chunk, and the evidence, by forward and backward sums."""
    n = len(score)
    prior = np.log(sum(share / sigma * np.exp(-(centres**2) / (2 * sigma**2)) for share, sigma in _PRIOR))
    move = np.exp(-((centres[:, None] - centres[None, :]) ** 2) / (2 * _DRIFT_M**2))
    move /= move.sum(axis=1, keepdims=True)
    posterior = place_posterior(score / _TEMPERATURE + prior / min(_PRIOR_CHUNKS, n), move)
    mean = posterior @ centres
    spread = np.sqrt(np.maximum(posterior @ centres**2 - mean**2, 0.0))
    evidence = float(np.sum(posterior * (score + prior / min(_PRIOR_CHUNKS, n))) / n)
    return mean, spread, evidence
