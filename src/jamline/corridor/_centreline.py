"""What a small network sees of a road in the strip along its drawn line: where its middle and its edges may lie.

Hand-made rules (a road is a band that is alike along itself and unlike what lies beside it) put one road in seven over
2 m beside itself on simulated scenes: on a verge, a frontage road, between rows of parked cars. The network has seen
what roads, kerbs, lines and rows of vehicles look like, and puts its doubt in figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor._quantile import quantile

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

PIXEL_M = 1.0
"""Pixel of the strip that it sees: a lane is three of them, a road with its surroundings 48."""

CELLS_AT_ONCE = 1024
"""Cells whose answers are unpacked at once: 8 km of road."""

REACH_M = 24.0
"""Half the strip's width: furthest shift, half a wide road, and what lies beside it."""

PLACES_M = REACH_M - 0.25 - 0.5 * np.arange(96)
"""Offsets that it tells apart, in falling order."""

CELL_M = 8.0
"""Length over which it gives one answer."""

PLANES = 6
"""Red, green, blue; where it was seen; whether the road is one-way; its width where it is tagged, in tens of metres."""

_DARKEST, _BRIGHTEST = 0.005, 0.995
"""Quantiles of the corridor's pixels that become 0 and 1."""


@dataclass(frozen=True)
class Centreline:
    """The network.

    Parameters
    ----------
    weights : bytes
        ONNX file: input ``(1, 6, 48, columns)``, output ``(1, 6, 48, columns / 8)``, where each row of three answers
        (middle, left edge, right edge) is split in two halves.
    """

    weights: bytes

    @classmethod
    def shipped(cls) -> Centreline:
        """Return the network that comes with the package."""
        return cls(files("jamline.corridor").joinpath("centreline.onnx").read_bytes())

    @cached_property
    def _net(self) -> Any:
        return cv2.dnn.readNetFromONNX(np.frombuffer(self.weights, np.uint8))

    def answer(self, strip: Pixels) -> Array:
        """Return log probabilities of the middle, the left and the right edge.

        Parameters
        ----------
        strip : array, shape (6, 48, columns)
            As `planes` gives it.

        Returns
        -------
        array, shape (3, 96, columns / 8)
            Over `PLACES_M`; each column of each answer sums to 1 when exponentiated.
        """
        self._net.setInput(strip[None])
        maps: Pixels = self._net.forward()[0]
        _, rows, cells = maps.shape
        logit = maps.reshape(3, 2, rows, cells).transpose(0, 2, 1, 3).reshape(3, 2 * rows, cells).astype(np.float64)
        logit -= logit.max(axis=1, keepdims=True)
        log_chance: Array = logit - np.log(np.exp(logit).sum(axis=1, keepdims=True))
        return log_chance


def planes(
    values: Pixels, seen: npt.NDArray[np.bool_], *, near: npt.NDArray[np.bool_], oneway: bool, width_m: float | None
) -> Pixels:
    """Return what the network is shown of a strip, shape (6, rows, columns).

    Parameters
    ----------
    values : array, shape (bands, rows, columns)
        As in the files; red, green and blue first, or panchromatic alone.
    seen : array of bool, shape (rows, columns)
    near : array of bool, shape (rows,)
        Rows whose pixels say what is dark and what is bright here.
    oneway : bool
    width_m : float or None
        Width of the carriageway where it is tagged.
    """
    rgb = values[:3] if len(values) >= 3 else np.repeat(values[:1], 3, axis=0)
    strip = np.zeros((PLANES, *seen.shape), np.float32)
    every = bool(seen.all())
    inside = rgb[:, near].reshape(3, -1) if every else rgb[:, seen & near[:, None]]
    if inside.size:
        low = quantile(inside, _DARKEST).min()
        high = np.float32(max(float((quantile(inside, _BRIGHTEST) - low).max()), 1e-6))
        np.subtract(rgb, low, out=strip[:3])
        strip[:3] /= high
        np.clip(strip[:3], -0.2, 2.0, out=strip[:3])
        if not every:
            strip[:3, ~seen] = 0.0
    strip[3], strip[4], strip[5] = seen, float(oneway), (width_m or 0.0) / 10.0
    return strip
