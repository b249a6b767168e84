"""Crops of samples, seen in another light and by another camera, and what the network should say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from jamline.detect._cells import PIXEL_M, in_cells, resampled
from training.detector.samples import Sample
from training.detector.wanted import wanted
from training.fitting import Crops

Array = npt.NDArray[np.float32]

ROWS, COLUMNS = 96, 640
"""Of a crop, in pixels of the network: 32 by 213 m."""

_FILLED = 0.7
"""Share of crops that hold a vehicle, where the sample has any."""


_GRAIN = np.random.default_rng(1).standard_normal(1_500_000, np.float32)
"""Noise, drawn once: drawing it for each crop takes as long as all else."""


class VehicleCrops(Crops):
    """Random crops without end.

    Parameters
    ----------
    samples : sequence of Sample
        Simulated.
    real : sequence of Sample
        From real frames; may be empty.
    real_share : float
        Share of crops that are taken from those.
    seed : int
        Seed of everything random.
    """

    def __init__(self, samples: Sequence[Sample], real: Sequence[Sample], *, real_share: float, seed: int) -> None:
        self.samples = samples
        self.real = real
        self.real_share = real_share if real else 0.0
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        # Scenes full of vehicles teach more, but no scene shall be all of the lesson.
        count = np.array([min(40, len(s.boxes)) + 10 for s in samples], float)
        self.odds = count / count.sum()

    def later(self, step: int) -> VehicleCrops:
        """Return other crops of the same samples, for going on after so many steps."""
        return VehicleCrops(self.samples, self.real, real_share=self.real_share, seed=self.seed + 1_000_003 * step)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        """Yield cells, heat, targets, weight and seen of one crop after the other; see `net.loss_of`."""
        while True:
            yield self._crop()

    def _crop(self) -> tuple[Array, Array, Array, Array, Array]:
        rng = self.rng
        if rng.random() < self.real_share:
            sample = self.real[int(rng.integers(len(self.real)))]
        else:
            sample = self.samples[int(rng.choice(len(self.samples), p=self.odds))]
        image, seen, boxes = _placed(sample, rng)
        if rng.random() < 0.5:
            image, seen = image[:, ::-1], seen[:, ::-1]
            boxes[:, 0] = COLUMNS - 1 - boxes[:, 0]
        if rng.random() < 0.5:
            image, seen = image[::-1], seen[::-1]
            boxes[:, 1] = ROWS - 1 - boxes[:, 1]
        image = seen_otherwise(np.ascontiguousarray(image), sample.gsd_m, rng)
        if not seen.all():
            image[~seen] = 0.0
        return (in_cells(np.moveaxis(image, -1, 0)), *wanted(boxes, np.ascontiguousarray(seen)))


def _placed(sample: Sample, rng: np.random.Generator) -> tuple[Array, npt.NDArray[np.bool_], Array]:
    """Cut a crop of the network's pixels out of a sample, somewhat longer or shorter than it is."""
    stretch = np.exp(rng.normal(0.0, (0.10, 0.07)))  # along, across
    zoom = sample.pixel_m / PIXEL_M * stretch
    rows, columns = sample.seen.shape
    spare = columns * zoom[0] - COLUMNS
    shown = sample.boxes[_inside(sample)]
    if len(shown) and rng.random() < _FILLED:
        left = shown[int(rng.integers(len(shown))), 0] * zoom[0] - rng.uniform(0.05, 0.95) * COLUMNS
    else:
        left = rng.uniform(min(0.0, spare), max(0.0, spare))
    left = float(np.clip(left, min(0.0, spare), max(0.0, spare)))
    top = float(rows * zoom[1] - ROWS) / 2 + float(rng.normal(0.0, 2.0)) / PIXEL_M
    # Only what the crop needs is turned into 32 bits and resampled.
    low = max(0, int(left / zoom[0]) - 4)
    high = min(columns, int((left + COLUMNS) / zoom[0]) + 5)
    cut = sample.pixels[:, :, low:high].astype(np.float32)
    first = (left - low * zoom[0], top)
    laid = resampled(cut, zoom=(zoom[0], zoom[1]), first=first, shape=(ROWS, COLUMNS))
    image = np.ascontiguousarray(np.moveaxis(laid, 0, -1))
    column = np.floor((np.arange(COLUMNS) + 0.5 + left) / zoom[0]).astype(int)
    row = np.floor((np.arange(ROWS) + 0.5 + top) / zoom[1]).astype(int)
    seen = sample.seen[np.clip(row, 0, rows - 1)][:, np.clip(column, 0, columns - 1)]
    seen[:, (column < 0) | (column >= columns)] = False
    seen[(row < 0) | (row >= rows)] = False
    boxes = np.column_stack([sample.boxes, sample.shows, sample.parked])
    boxes[:, :2] = (boxes[:, :2] + 0.5) * zoom - (left, top) - 0.5
    boxes[:, 2:4] *= stretch
    return image, seen, boxes


def _inside(sample: Sample) -> npt.NDArray[np.bool_]:
    """Tell which boxes have their middle where the strip was seen."""
    rows, columns = sample.seen.shape
    column, row = np.rint(sample.boxes[:, :2]).astype(int).T if len(sample.boxes) else np.zeros((2, 0), int)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    inside[inside] = sample.seen[row[inside], column[inside]]
    return np.asarray(inside)


def seen_otherwise(image: Array, gsd_m: float, rng: np.random.Generator) -> Array:
    """Show a crop in another light, through another camera, shape (rows, columns, 3)."""
    if rng.random() < 0.25:
        # A coarser camera: blur of what it cannot resolve, noise added after.
        coarse_m = float(rng.uniform(gsd_m, 1.0))
        sigma = 0.5 * np.sqrt(max(coarse_m**2 - gsd_m**2, 0.0)) / PIXEL_M
        if sigma > 0.2:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    if rng.random() < 0.15:
        soft = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.8, 2.0)))
        more = float(rng.uniform(0.2, 1.2))
        image = np.asarray(cv2.addWeighted(image, 1.0 + more, soft, -more, 0.0), np.float32)
    mixed = np.eye(3)
    if rng.random() < 0.15:
        mixed = np.full((3, 3), 1 / 3)
    elif rng.random() < 0.5:
        colour = float(rng.uniform(0.2, 1.6))
        mixed = colour * mixed + (1.0 - colour) / 3
    if rng.random() < 0.05:
        mixed = mixed[rng.permutation(3)]
    curve = float(np.exp(rng.normal(0.0, 0.22))) if rng.random() < 0.6 else 1.0
    gain = np.exp(rng.normal(0.0, 0.05, 3)) * np.exp(rng.normal(0.0, 0.30))
    lift = rng.normal(0.0, 0.04) + rng.normal(0.0, 0.012, 3)
    if curve != 1.0:
        image = np.asarray(cv2.pow(np.maximum(cv2.transform(image, mixed), np.float32(0.0)), curve), np.float32)
        mixed = np.eye(3)
    image = np.asarray(cv2.transform(image, np.column_stack([gain[:, None] * mixed, lift])), np.float32)
    if rng.random() < 0.12:
        image *= _shadow((ROWS, COLUMNS), rng)[..., None]
    if rng.random() < 0.5:
        at = int(rng.integers(len(_GRAIN) - image.size))
        grain = _GRAIN[at : at + image.size].reshape(image.shape)
        strength = float(rng.exponential(0.012))
        if rng.random() < 0.5:
            grain, strength = np.asarray(cv2.GaussianBlur(grain, (0, 0), 0.8), np.float32), 1.6 * strength
        image += grain * np.float32(strength)
    return np.clip(image, np.float32(-0.2), np.float32(2.0))


def _shadow(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    """Return the light under the shadow of something large, with a soft edge."""
    mask = np.ones(shape, np.float32)
    middle = rng.uniform((0, 0), (shape[1], shape[0]))
    corners = middle + rng.normal(0.0, (60.0, 25.0), (int(rng.integers(3, 7)), 2))
    hull = cv2.convexHull(corners.astype(np.float32)).astype(np.int32)
    cv2.fillConvexPoly(mask, hull, float(rng.uniform(0.25, 0.7)))
    return cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.4, 2.0)))
