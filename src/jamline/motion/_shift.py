"""How far what one band shows lies along the road from what another shows, to a fraction of a pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

_FLAT = 1e-4
"""A patch with less variance than this shows nothing to hold on to."""


def likeness(patch: Pixels, strip: Pixels) -> Array:
    """Return how alike a patch and every place of a strip are, from -1 to 1.

    Parameters
    ----------
    patch : array, shape (rows, columns)
        Of one band.
    strip : array, shape (rows, n)
        The same rows of another.

    Returns
    -------
    array, shape (n - columns + 1,)
        Normalised cross-correlation, 0 where one of them is flat.

    Examples
    --------
    >>> row = np.array([[0, 0, 1, 3, 1, 0, 0, 0, 0]], dtype=np.float32)
    >>> int(likeness(row[:, 1:6], row).argmax())
    1
    """
    columns = patch.shape[1]
    own = patch - patch.mean()
    power = float((own**2).sum())
    windows = np.lib.stride_tricks.sliding_window_view(strip, columns, axis=1)
    product = np.einsum("rnc,rc->n", windows, own, optimize=True)
    size = patch.size
    summed, squared = (_running(each.sum(axis=0), columns) for each in (strip.astype(float), strip.astype(float) ** 2))
    spread = squared - summed**2 / size
    if power < _FLAT * size:
        return np.zeros(len(product))
    alike: Array = np.where(spread > _FLAT * size, product / np.sqrt(power * np.maximum(spread, 1e-12)), 0.0)
    return np.clip(alike, -1.0, 1.0)


def peak(curve: Array) -> tuple[float, float]:
    """Return the place of a curve's highest value, by a parabola through it and its neighbours, and the value.

    Examples
    --------
    >>> peak(np.array([0.0, 0.5, 1.0, 0.8, 0.0]))[0]
    2.2142857142857144
    """
    at = int(curve.argmax())
    if not 0 < at < len(curve) - 1:
        return float(at), float(curve[at])
    before, here, behind = curve[at - 1 : at + 2]
    bend = before - 2 * here + behind
    return at + (0.5 * float(before - behind) / float(bend) if bend < 0 else 0.0), float(here)


def _running(values: Array, width: int) -> Array:
    """Sum so many values in a row, shape (n - width + 1,)."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    summed: Array = total[width:] - total[:-width]
    return summed
