"""Quantiles of many pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]


def quantile(values: Pixels, share: float) -> Pixels:
    """Return below which value a share of values lies, linear between the two that are next to it.

    Parameters
    ----------
    values : array, float32, shape (..., n)
        Finite; at least one.
    share : float
        From 0 to 1.

    Returns
    -------
    array, float32, shape (...)
        What ``numpy.quantile`` gives, in a fraction of its time: NumPy parts values at one place much faster than at
        several.

    Examples
    --------
    >>> float(quantile(np.array([30.0, 10.0, 20.0], np.float32), 0.25))
    15.0
    """
    count = values.shape[-1]
    place = share * (count - 1)
    upper = min(int(place) + 1, count - 1)
    parted = np.partition(values, upper, axis=-1)
    high: Pixels = parted[..., upper]
    if not upper:
        return high
    low = parted[..., :upper].max(axis=-1)
    between: Pixels = low + np.float32(place - (upper - 1)) * (high - low)
    return between
