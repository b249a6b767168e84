"""Log odds and logarithms of rates, fitted to what was true."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import optimize

Array = npt.NDArray[np.float64]


def fitted(true: npt.NDArray[np.bool_], *terms: Array, weight: Array | None = None) -> Array:
    """Return the bias and the weights of the terms that make up the log odds of what is true.

    Parameters
    ----------
    true : array of bool, shape (n,)
    *terms : array, shape (n,) each
    weight : array, shape (n,), optional
        How much each counts; all alike where not given.
    """
    columns = np.stack([np.ones(len(true)), *terms])

    def lack(weights: Array) -> float:
        odds = weights @ columns
        return float(np.average(np.logaddexp(0.0, np.where(true, -odds, odds)), weights=weight))

    weights: Array = optimize.minimize(lack, np.eye(len(columns))[min(1, len(terms))]).x
    return weights


def counted(number: Array, exposure: Array, *terms: Array) -> Array:
    """Return the bias and the weights of the terms that make up the logarithm of a rate.

    Parameters
    ----------
    number, exposure : array, shape (n,)
        How often it happened, and over how much.
    *terms : array, shape (n,) each
    """
    columns = np.stack([np.ones(len(number)), *terms])

    def lack(weights: Array) -> float:
        rate = weights @ columns
        return float(np.mean(exposure * np.exp(rate) - number * rate))

    weights: Array = optimize.minimize(lack, np.zeros(len(columns))).x
    return weights
