"""`network`: a small convolutional network that was trained on simulated roads, run by `cv2.dnn`.

In road space every vehicle lies along x. The network says for every cell of the strip how likely a vehicle's middle
lies in it, and where and how large the vehicle is; what stands out among its neighbours is a vehicle.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor import Hidden, RoadGrid, Section
from jamline.detect._cells import View, one_each, peaks_of
from jamline.detect._leaves import leaves
from jamline.detect._protocol import Boxes, Found, Usual

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

LEAST_SCORE = 0.45
"""Below it a box is left out: F1 on held-out scenes is highest about here. What is left out shows in the recall."""

_REACH_M = 40.0
"""Sight is told over so much road to both sides: some ten vehicles of a queue."""

_FALSE_REACH_M = 250.0
"""How many false vehicles to expect is a matter of the road and the image. Taken over less, doubt about the vehicles of
a queue would count twice: in their scores, and as false ones that happen to stand just there."""

_PRIOR_VEHICLES = 3.0

_LEARNED_M = 0.95
"""Coarsest resolution learned from. Beyond it the network does not know what it misses: nearly all, from 2 m on."""

_USUAL_FALSE = ((0.5, 0.8), (2.2, 4.3))
"""False vehicles per km of carriageway that it expected by resolution in metres: mean over eight simulated scenes that
it was not trained on (seeds 9200 to 9207)."""


@dataclass(frozen=True)
class Calibration:
    """What the network's answers are worth, found on simulated scenes that it was not trained on.

    Parameters
    ----------
    bias, slope, gsd, both : float
        Log odds of a vehicle are ``bias + slope * logit + (gsd + both * logit) * log(gsd_m / 0.5)``.
    density : float
        True vehicles per vehicle that the density promises.
    recall : float
        Share of vehicles that is found where nothing else tells.
    parked_bias, parked_slope : float
        Log odds that a vehicle is parked beside the lanes are ``parked_bias + parked_slope * parked``.
    """

    bias: float = 0.0
    slope: float = 1.0
    gsd: float = 0.0
    both: float = 0.0
    density: float = 1.0
    recall: float = 0.9
    parked_bias: float = 0.0
    parked_slope: float = 1.0


@dataclass(frozen=True)
class Network:
    """The detector with the network; see the module's docstring.

    Parameters
    ----------
    weights : bytes
        ONNX file: input ``(1, 24, rows, columns)`` of cells, output ``(1, 7, rows, columns)``.
    calibration : Calibration
    """

    weights: bytes
    calibration: Calibration = Calibration()
    name: str = "network"

    @classmethod
    def shipped(cls) -> Network:
        """Return the network that comes with the package."""
        folder = files("jamline.detect")
        calibration = json.loads(folder.joinpath("network.json").read_text())["calibration"]
        return cls(folder.joinpath("network.onnx").read_bytes(), Calibration(**calibration))

    @property
    def sha256(self) -> str:
        """Digest of the weights."""
        return hashlib.sha256(self.weights).hexdigest()

    def usual(self, gsd_m: float) -> Usual:
        """Say what it finds on usual imagery of a resolution; on an image it goes by what that one shows."""
        return Usual(self.calibration.recall * _known(gsd_m), float(np.interp(gsd_m, *_USUAL_FALSE)))

    @cached_property
    def _net(self) -> Any:
        return cv2.dnn.readNetFromONNX(np.frombuffer(self.weights, np.uint8))

    def find(self, section: Section, *, carriageway_m: float) -> Found:
        """Find the vehicles of a section; parameters as in `Detector.find`."""
        grid = section.grid
        if not section.seen.any():
            return Found(Boxes.none(), section.hidden, np.zeros(grid.columns), np.zeros(grid.columns))
        view = View.of(grid)
        maps = self.answer(view.strip(section.pixels, section.shown))
        peaks = peaks_of(maps)
        score = self.score(peaks.logit, section.gsd_m)
        keep = one_each(peaks, score, least=LEAST_SCORE)
        boxes = view.boxes(peaks.take(keep), score[keep], self.parked(peaks.parked[keep]))
        boxes = boxes.take(view.seen_at(boxes, section.seen))
        expected = view.expected(maps, section.seen, carriageway_m)
        recall, false_per_km = self._sight(boxes, expected, grid, carriageway_m)
        recall *= _known(section.gsd_m)
        hidden = section.hidden.copy()
        over_road = np.abs(grid.offset_m())[:, None] < carriageway_m / 2
        # What was seen is not hidden: a lorry may be green.
        hidden[
            leaves(section, carriageway_m=carriageway_m) & over_road & (hidden == Hidden.SEEN) & ~view.covered(boxes)
        ] = Hidden.TREES
        return Found(boxes, hidden, recall, false_per_km)

    def _sight(self, boxes: Boxes, expected: Array, grid: RoadGrid, carriageway_m: float) -> tuple[Array, Array]:
        """Return recall and false vehicles per km at every column, as the network itself doubts.

        Its density promises so many vehicles on a stretch; the scores of those that are named add up to so many of
        them, and what their scores lack of 1 are false ones.

        Parameters
        ----------
        boxes : Boxes
            With their scores.
        expected : array, shape (columns,)
            Vehicles that the density promises on the carriageway, by column of the grid.
        """
        named = np.abs(boxes.offset_m) < carriageway_m / 2
        column = np.clip(((boxes.station_m[named] - grid.start_m) / grid.pixel_m).astype(int), 0, grid.columns - 1)
        score = boxes.score[named]
        true = np.bincount(column, score, grid.columns).astype(float)
        false = np.bincount(column, 1.0 - score, grid.columns).astype(float)
        near, far = (round(reach_m / grid.pixel_m) for reach_m in (_REACH_M, _FALSE_REACH_M))
        there = _around(true, near)
        promised = np.maximum(self.calibration.density * _around(expected, near), there)
        # Few vehicles say little of how many are missed; then what is usual counts.
        recall = (there + _PRIOR_VEHICLES * self.calibration.recall) / (promised + _PRIOR_VEHICLES)
        km = _around(np.full(grid.columns, grid.pixel_m / 1000.0), far)
        return np.clip(recall, 0.02, 0.999), _around(false, far) / km

    def answer(self, cells: Pixels) -> Pixels:
        """Return the network's maps, shape (7, rows, columns), for a strip in cells, shape (planes, rows, columns)."""
        self._net.setInput(cells[None])
        maps: Pixels = self._net.forward()[0]
        return maps

    def score(self, logit: Array, gsd_m: float) -> Array:
        """Return the probability that a peak of the heat is a vehicle."""
        c = self.calibration
        log_odds = c.bias + c.slope * logit + (c.gsd + c.both * logit) * np.log(gsd_m / 0.5)
        score: Array = 1.0 / (1.0 + np.exp(-log_odds))
        return score

    def parked(self, logit: Array) -> Array:
        """Return the probability that a vehicle is parked beside the lanes."""
        chance: Array = 1.0 / (1.0 + np.exp(-(self.calibration.parked_bias + self.calibration.parked_slope * logit)))
        return chance


def _known(gsd_m: float) -> float:
    """Return what is left of the recall at a resolution that is coarser than those learned from."""
    return min(1.0, (_LEARNED_M / gsd_m) ** 3)


def _around(values: Array, reach: int) -> Array:
    """Sum values over so many columns to both sides, as far as there are any, shape (columns,)."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    summed: Array = total[np.minimum(at + reach + 1, len(values))] - total[np.maximum(at - reach, 0)]
    return summed
