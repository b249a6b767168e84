"""`network`: a small convolutional network that was trained on simulated roads, run by `cv2.dnn`.

In road space every vehicle lies along x. The network says for every cell of the strip how likely a vehicle's middle
lies in it, and where and how large the vehicle is; what stands out among its neighbours is a vehicle.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor import Hidden, Section
from jamline.detect._cells import View, one_each, peaks_of
from jamline.detect._leaves import leaves
from jamline.detect._protocol import Boxes, Found, Usual
from jamline.detect._signs import Insight, Signs

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

LEAST_SCORE = 0.45
"""Below it a box is left out: F1 on held-out scenes is highest about here. What is left out shows in the recall."""

_LEARNED_M = 0.95
"""Coarsest resolution learned from. Beyond it the network does not know what it misses: nearly all, from 2 m on."""


@dataclass(frozen=True)
class Calibration:
    """What the network's answers are worth, found on simulated scenes that it was not trained on.

    Parameters
    ----------
    bias, slope, gsd, both : float
        Log odds of a vehicle are ``bias + slope * logit + (gsd + both * logit) * log(gsd_m / 0.5)``.
    density : float
        True vehicles per vehicle that the density promises.
    parked_bias, parked_slope : float
        Log odds that a vehicle is parked beside the lanes are ``parked_bias + parked_slope * parked``.
    """

    bias: float = 0.0
    slope: float = 1.0
    gsd: float = 0.0
    both: float = 0.0
    density: float = 1.0
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
    insight : Insight
    """

    weights: bytes
    calibration: Calibration = Calibration()
    insight: Insight = field(default_factory=Insight)
    name: str = "network"

    @classmethod
    def shipped(cls) -> Network:
        """Return the network that comes with the package."""
        folder = files("jamline.detect")
        facts = json.loads(folder.joinpath("network.json").read_text())
        weights = folder.joinpath("network.onnx").read_bytes()
        return cls(weights, Calibration(**facts["calibration"]), Insight(**facts["insight"]))

    @property
    def sha256(self) -> str:
        """Digest of the weights."""
        return hashlib.sha256(self.weights).hexdigest()

    def usual(self, gsd_m: float) -> Usual:
        """Say what it finds on usual imagery of a resolution; on an image it goes by what that one shows."""
        usual = self.insight.at(gsd_m)
        return replace(usual, recall=usual.recall * _known(gsd_m))

    @cached_property
    def _net(self) -> Any:
        # Of the two engines of cv2.dnn this one has Winograd's convolutions: the same sums in two thirds of the time.
        # cv2 5.0 heeds the choice where it reads a file, and not where it is handed the bytes.
        with tempfile.TemporaryDirectory(prefix="jamline-") as folder:
            file = Path(folder, "network.onnx")
            file.write_bytes(self.weights)
            return cv2.dnn.readNetFromONNX(str(file), cv2.dnn.ENGINE_CLASSIC)

    def find(self, section: Section, *, carriageway_m: float) -> Found:
        """Find the vehicles of a section; parameters as in `Detector.find`."""
        if not section.seen.any():
            unseen = np.zeros(section.grid.columns)
            return Found(Boxes.none(), section.hidden, unseen, unseen)
        return self.look(section, carriageway_m=carriageway_m)[0]

    def look(self, section: Section, *, carriageway_m: float) -> tuple[Found, Signs]:
        """Return what `find` does, and by what signs its recall and false vehicles are told."""
        grid = section.grid
        view = View.of(grid)
        maps = self.answer(view.strip(section.pixels, section.shown))
        peaks = peaks_of(maps)
        score = self.score(peaks.logit, section.gsd_m)
        keep = one_each(peaks, score, least=LEAST_SCORE)
        boxes = view.boxes(peaks.take(keep), score[keep], self.parked(peaks.parked[keep]))
        boxes = boxes.take(view.seen_at(boxes, section.seen))
        expected = self.calibration.density * view.expected(maps, section.seen, carriageway_m)
        signs = Signs.of(boxes, expected, grid, carriageway_m=carriageway_m)
        hidden = section.hidden.copy()
        over_road = np.abs(grid.offset_m())[:, None] < carriageway_m / 2
        # What was seen is not hidden: a lorry may be green.
        hidden[
            leaves(section, carriageway_m=carriageway_m) & over_road & (hidden == Hidden.SEEN) & ~view.covered(boxes)
        ] = Hidden.TREES
        recall = self.insight.recall(signs, section.gsd_m) * _known(section.gsd_m)
        return Found(boxes, hidden, recall, self.insight.false_per_km(signs)), signs

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
