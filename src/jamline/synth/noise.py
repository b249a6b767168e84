"""Random fields that depend on the place alone, so that neighbouring windows agree to the bit."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

_BITS = 10
_TABLE = 1 << _BITS
"""Side of the random tables; they repeat, which no eye sees where several scales are mixed."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the scene's canvas, a fixed lattice of square cells in metres east and north.

    Parameters
    ----------
    col, row : int
        Its first cell, counted from the lattice's origin east and south.
    width, height : int
        In cells.
    px_m : float
        Side of a cell.
    """

    col: int
    row: int
    width: int
    height: int
    px_m: float

    @property
    def west_m(self) -> float:
        """Easting of the left edge."""
        return self.col * self.px_m

    @property
    def north_m(self) -> float:
        """Northing of the top edge."""
        return -self.row * self.px_m

    def to_px(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return column and row, cell centres whole, shape (n, 2)."""
        x, y = np.asarray(x_m, dtype=float), np.asarray(y_m, dtype=float)
        return np.stack([(x - self.west_m) / self.px_m - 0.5, (self.north_m - y) / self.px_m - 0.5], axis=-1)


class Noise:
    """Tables of random numbers, made once from a seed and looked up by place.

    Parameters
    ----------
    seed : int
        Of the scene.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 11])
        self.white: Array = rng.standard_normal((_TABLE, _TABLE), dtype=np.float32)
        self.uniform: npt.NDArray[np.float32] = rng.random((_TABLE, _TABLE), dtype=np.float32)
        self.cloudy: Array = _fractal(self.white, 1.1)
        self.rough: Array = _fractal(rng.standard_normal((_TABLE, _TABLE), dtype=np.float32), 0.6)

    def field(self, window: Window, cell_m: float, channel: int = 0, *, rough: bool = False) -> Array:
        """Return a fractal field of unit variance.

        Parameters
        ----------
        window : Window
            Where.
        cell_m : float
            Size of its finest detail; the coarsest is some hundred times as large.
        channel : int
            Different channels do not resemble one another.
        rough : bool
            More of the fine detail.

        Returns
        -------
        array, float32, shape (height, width)
        """
        table = self.rough if rough else self.cloudy
        shift_x, shift_y = 137 * channel, 311 * channel
        step = window.px_m / cell_m
        if step < 0.16 and window.px_m < 0.45 and min(window.width, window.height) > 64:
            # A field this slow is worked out on every fourth cell; windows start on multiples of four.
            few = Window(
                window.col // 4 - 1,
                window.row // 4 - 1,
                window.width // 4 + 4,
                window.height // 4 + 4,
                4 * window.px_m,
            )
            big = cv2.resize(self.field(few, cell_m, channel, rough=rough), None, fx=4, fy=4)
            return np.asarray(big[4 : 4 + window.height, 4 : 4 + window.width], dtype=np.float32)
        if abs(step - 1.0) < 1e-9:
            return self._crop(table, window.col + shift_x, window.row + shift_y, window.width, window.height)
        x0, y0 = (window.col + 0.5) * step - 0.5, (window.row + 0.5) * step - 0.5
        col, row = int(np.floor(x0)) - 1, int(np.floor(y0)) - 1
        wide, high = int(window.width * step) + 5, int(window.height * step) + 5
        crop = self._crop(table, col + shift_x, row + shift_y, wide, high)
        matrix = np.array([[step, 0.0, x0 - col], [0.0, step, y0 - row]])
        flags = cv2.INTER_CUBIC if step < 0.5 else cv2.INTER_LINEAR
        return np.asarray(
            cv2.warpAffine(
                crop,
                matrix,
                (window.width, window.height),
                flags=flags | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            dtype=np.float32,
        )

    def at(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike, cell_m: float, channel: int = 0) -> Array:
        """Return the fractal field at some points, shape (n,)."""
        x = np.asarray(x_m, dtype=float) / cell_m - 0.5 + 137 * channel
        y = -np.asarray(y_m, dtype=float) / cell_m - 0.5 + 311 * channel
        col, row = np.floor(x).astype(int), np.floor(y).astype(int)
        fx, fy = (x - col).astype(np.float32), (y - row).astype(np.float32)
        t, m = self.cloudy, _TABLE
        top = t[row % m, col % m] * (1 - fx) + t[row % m, (col + 1) % m] * fx
        low = t[(row + 1) % m, col % m] * (1 - fx) + t[(row + 1) % m, (col + 1) % m] * fx
        return np.asarray(top * (1 - fy) + low * fy, dtype=np.float32)

    def grain(self, window: Window, channel: int = 0) -> Array:
        """Return white noise of unit variance, one number for each cell."""
        return self._crop(
            self.white, window.col + 431 * channel, window.row + 97 * channel, window.width, window.height
        )

    def dice(self, cell_x: npt.NDArray[np.int64], cell_y: npt.NDArray[np.int64], channel: int) -> Array:
        """Return a uniform random number for each cell of a lattice, shape of ``cell_x``."""
        # Shifts and masks, because the table's side is a power of two and division is slow.
        row = cell_y + 53 * channel + (cell_x >> _BITS) * 7
        col = cell_x + 379 * channel + (cell_y >> _BITS) * 11
        return np.asarray(self.uniform.ravel().take(((row & (_TABLE - 1)) << _BITS) + (col & (_TABLE - 1))))

    @staticmethod
    def _crop(table: Array, col: int, row: int, width: int, height: int) -> Array:
        top, left = row % _TABLE, col % _TABLE
        if top + height <= _TABLE and left + width <= _TABLE:
            return table[top : top + height, left : left + width].copy()
        rows = np.arange(row, row + height) % _TABLE
        cols = np.arange(col, col + width) % _TABLE
        return np.asarray(table[rows[:, None], cols[None, :]])


def _fractal(white: Array, power: float) -> Array:
    """Colour white noise so that its amplitude falls with frequency; periodic, unit variance."""
    spectrum = np.fft.rfft2(white)
    fy = np.fft.fftfreq(_TABLE)[:, None]
    fx = np.fft.rfftfreq(_TABLE)[None, :]
    f = np.hypot(fx, fy)
    f[0, 0] = np.inf
    # Below 1/96 of the detail's frequency the spectrum is flat, or one blob would fill the table.
    spectrum *= np.maximum(f, 1.0 / 96.0) ** -power * np.exp(-((f / 0.35) ** 2))
    field = np.fft.irfft2(spectrum, s=white.shape).astype(np.float32)
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)
