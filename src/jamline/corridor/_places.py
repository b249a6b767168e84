"""A hidden place that wanders along the road: where the road lies beside its line, where its lanes end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def place_posterior(log_weight: Array, move: Array) -> Array:
    """Return the probability of each place in each chunk, by forward and backward sums over all ways to wander.

    Parameters
    ----------
    log_weight : array, shape (chunks, places)
        What speaks for each place.
    move : array, shape (places, places)
        Chance of each place in the next chunk, rows summing to 1.

    Returns
    -------
    array, shape (chunks, places)
        Rows sum to 1.

    Examples
    --------
    A place that may not change is judged by all chunks together.

    >>> place_posterior(np.log([[0.9, 0.1], [0.5, 0.5], [0.9, 0.1]]), np.eye(2)).round(3)
    array([[0.988, 0.012],
           [0.988, 0.012],
           [0.988, 0.012]])
    """
    local = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    forward, backward = np.empty_like(local), np.ones_like(local)
    forward[0] = local[0] / local[0].sum()
    for i in range(1, len(local)):
        ahead = (forward[i - 1] @ move) * local[i]
        forward[i] = ahead / ahead.sum()
    for i in range(len(local) - 2, -1, -1):
        back = move @ (local[i + 1] * backward[i + 1])
        backward[i] = back / back.sum()
    posterior: Array = forward * backward
    posterior /= posterior.sum(axis=1, keepdims=True)
    return posterior


def place_path(log_weight: Array, move: Array) -> npt.NDArray[np.intp]:
    """Return the likeliest way of all, a place for each chunk (Viterbi, 1967); parameters as in `place_posterior`.

    Where two places are likely, such as either of two carriageways, a mean lies between them, on neither.

    Examples
    --------
    >>> place_path(np.log([[0.5, 0.1, 0.4], [0.1, 0.1, 0.8]]), np.full((3, 3), 1 / 3))
    array([0, 2])
    """
    log_move = np.log(np.maximum(move, 1e-300))
    best = log_weight[0]
    came = np.zeros(log_weight.shape, np.intp)
    for i in range(1, len(log_weight)):
        ahead = best[:, None] + log_move
        came[i] = ahead.argmax(axis=0)
        best = ahead.max(axis=0) + log_weight[i]
    path = np.empty(len(log_weight), np.intp)
    path[-1] = best.argmax()
    for i in range(len(path) - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    return path
