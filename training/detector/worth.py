"""What a trained network's answers are worth, on samples that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.detect._cells import CELL, PIXEL_M, STRIDE, in_cells, one_each, peaks_of, resampled
from jamline.detect.network import Calibration, Network
from jamline.evaluate.matching import match_vehicles
from training.detector.net import OUTPUTS
from training.detector.samples import Sample
from training.detector.wanted import SHOWS
from training.fits import fitted

Array = npt.NDArray[np.float64]

CORRIDOR_M = 15.0
"""Vehicles count so far from the road's middle, as in a survey."""


@dataclass(frozen=True, eq=False)
class Look:
    """What the network says of one sample, held against its truth.

    Parameters
    ----------
    gsd_m : float
        Resolution of the imagery.
    logit : array, shape (n,)
        Of each vehicle found.
    hit : array of bool, shape (n,)
        Whether it is one.
    true, visible : int
        True vehicles, and those of them that were found or that anyone could see.
    promised : float
        Vehicles that the density promises.
    said : array, shape (m,)
        Logit of being parked, of each vehicle found that is one.
    parked : array of bool, shape (m,)
        Whether it is.
    """

    gsd_m: float
    logit: Array
    hit: npt.NDArray[np.bool_]
    true: int
    visible: int
    promised: float
    said: Array
    parked: npt.NDArray[np.bool_]


def calibrated(looks: Sequence[Look]) -> Calibration:
    """Find what the answers are worth on samples that were not learned from.

    Parameters
    ----------
    looks : sequence of Look
        One for each sample.
    """
    logit = np.concatenate([look.logit for look in looks])
    hit = np.concatenate([look.hit for look in looks])
    gsd = np.concatenate([np.full(len(look.logit), np.log(look.gsd_m / 0.5)) for look in looks])
    bias, slope, by_gsd, both = fitted(hit, logit, gsd, logit * gsd)
    said, parked = (np.concatenate([getattr(look, name) for look in looks]) for name in ("said", "parked"))
    parked_bias, parked_slope = fitted(parked, said)
    true = sum(look.true for look in looks)
    promised = sum(look.promised for look in looks)
    return Calibration(
        bias=round(float(bias), 4),
        slope=round(float(slope), 4),
        gsd=round(float(by_gsd), 4),
        both=round(float(both), 4),
        density=round(true / promised, 4),
        parked_bias=round(float(parked_bias), 4),
        parked_slope=round(float(parked_slope), 4),
    )


def look_at(sample: Sample, network: Network) -> Look:
    """Run the network on a sample and match what it finds."""
    zoom = sample.pixel_m / PIXEL_M
    rows, columns = sample.seen.shape
    shape = tuple(-(-round(n * zoom) // s) * s for n, s in zip((rows, columns), STRIDE, strict=True))
    pixels = np.where(sample.seen, sample.pixels, 0).astype(np.float32)
    maps = network.answer(in_cells(resampled(pixels, zoom=(zoom, zoom), first=(0.0, 0.0), shape=shape)))
    peaks = peaks_of(maps)
    rough = 1.0 / (1.0 + np.exp(-peaks.logit))
    peaks = peaks.take(one_each(peaks, rough, least=0.02))
    at = np.column_stack([(peaks.column + 0.5) / zoom - 0.5, (peaks.row + 0.5) / zoom - 0.5])
    counts = counted(at, sample)
    true = counted(sample.boxes[:, :2], sample)
    found, truth = at[counts] * sample.pixel_m, sample.boxes[true, :2] * sample.pixel_m
    pairs = match_vehicles(found, truth, np.maximum(2.5, sample.boxes[true, 2] / 2))
    hit = np.zeros(len(found), bool)
    hit[pairs[:, 0]] = True
    near = np.abs((np.arange(maps.shape[1]) + 0.5) * CELL[0] * PIXEL_M - rows * sample.pixel_m / 2) < CORRIDOR_M
    cells = np.linspace(0, columns - 1, maps.shape[2]).astype(int)
    shown = sample.seen[rows // 2, cells]
    promised = np.exp(np.clip(maps[OUTPUTS.index("density")][near][:, shown], -14, 3)).sum()
    visible = sample.shows[true] >= SHOWS
    visible[pairs[:, 1]] = True
    return Look(
        gsd_m=sample.gsd_m,
        logit=peaks.logit[counts],
        hit=hit,
        true=len(truth),
        visible=int(visible.sum()),
        promised=float(promised),
        said=peaks.parked[counts][pairs[:, 0]],
        parked=sample.parked[true][pairs[:, 1]] > 0,
    )


def counted(at: Array, sample: Sample) -> npt.NDArray[np.bool_]:
    """Tell which places, column and row, lie in the corridor and were seen."""
    rows, columns = sample.seen.shape
    column, row = np.rint(at).astype(int).T if len(at) else np.zeros((2, 0), int)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    inside &= np.abs(at[:, 1] + 0.5 - rows / 2) * sample.pixel_m < CORRIDOR_M if len(at) else inside
    inside[inside] = sample.seen[row[inside], column[inside]]
    return np.asarray(inside)


def parked_wrong(network: Network, looks: Sequence[Look]) -> float:
    """Return the share of vehicles, of those found, that look parked and are not, or the other way round."""
    said, parked = (np.concatenate([getattr(look, name) for look in looks]) for name in ("said", "parked"))
    return float(((network.parked(said) > 0.5) != parked).mean())


def f1_by_resolution(network: Network, looks: Sequence[Look]) -> dict[str, str]:
    """Return F1 at the best score by resolution, with that score, precision and recall, of what anyone could see."""
    table = {}
    for low, high in ((0.0, 0.25), (0.25, 0.4), (0.4, 0.6), (0.6, 1.0), (0.0, 1.0)):
        part = [look for look in looks if low <= look.gsd_m < high]
        if not part:
            continue
        score = np.concatenate([network.score(look.logit, look.gsd_m) for look in part])
        hit = np.concatenate([look.hit for look in part])
        true = sum(look.visible for look in part)
        best = max(
            (2 * hit[score >= t].sum() / max((score >= t).sum() + true, 1), t) for t in np.arange(0.1, 0.8, 0.05)
        )
        keep = score >= best[1]
        table[f"{low:g}-{high:g} m"] = (
            f"F1 {best[0]:.3f} from {best[1]:.2f}, "
            f"precision {hit[keep].mean():.3f}, recall {hit[keep].sum() / true:.3f}"
        )
    return table
