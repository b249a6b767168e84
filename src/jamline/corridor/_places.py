"""A hidden place that wanders along the road: where the road lies beside its line, where its lanes end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Weights = Callable[[int, int], Array]
"""What speaks for each place, as a log, from one chunk to before another, shape (chunks, places)."""

_BLOCK = 1024
"""Chunks that are held at once: of a road of 500 km some 60,000 would be, several times."""


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
    posterior = np.empty(log_weight.shape)
    for first, part in posterior_blocks(lambda start, stop: log_weight[start:stop], len(log_weight), move):
        posterior[first : first + len(part)] = part
    return posterior


def posterior_blocks(log_weight: Weights, count: int, move: Array) -> Iterator[tuple[int, Array]]:
    """Yield what `place_posterior` returns in blocks, each with its first chunk, from the last block to the first.

    Sums from the front are kept where blocks begin, and taken again within each.
    """
    starts = range(0, count, _BLOCK)
    before: list[Array | None] = [None]
    # The last block is gone through once: nothing begins behind it.
    for start in starts[:-1]:
        before.append(_forward(_local(log_weight, start, count), before[-1], move)[-1])
    backward: Array | None = None
    for number in reversed(range(len(starts))):
        local = _local(log_weight, starts[number], count)
        posterior = _forward(local, before[number], move)
        behind = np.ones_like(local)
        for i in range(len(local) - 1, -1, -1):
            # Here it is what speaks for each place from behind; after it, that and what speaks for it itself.
            if backward is not None:
                here = np.matmul(move, backward, out=behind[i])
                here /= np.add.reduce(here)
            backward = local[i] * behind[i]
        posterior *= behind
        posterior /= posterior.sum(axis=1, keepdims=True)
        yield starts[number], posterior


def _local(log_weight: Weights, start: int, count: int) -> Array:
    weight = log_weight(start, min(start + _BLOCK, count))
    local: Array = np.exp(weight - weight.max(axis=1, keepdims=True))
    return local


def _forward(local: Array, before: Array | None, move: Array) -> Array:
    """Sum from the front over one block."""
    forward = np.empty_like(local)
    for here, ahead in zip(local, forward, strict=True):
        if before is None:
            ahead[:] = here
        else:
            np.matmul(before, move, out=ahead)
            ahead *= here
        ahead /= np.add.reduce(ahead)
        before = ahead
    return forward


def path_through(log_weight: Weights, count: int, move: Array) -> npt.NDArray[np.intp]:
    """Return the likeliest way of all, a place for each chunk (Viterbi, 1967).

    Where two places are likely, such as either of two carriageways, a mean lies between them, on neither.

    Parameters
    ----------
    log_weight : callable
        What speaks for each place, asked for in blocks.
    count : int
        Number of chunks.
    move : array, shape (places, places)
        As in `place_posterior`.

    Examples
    --------
    >>> weight = np.log([[0.5, 0.1, 0.4], [0.1, 0.1, 0.8]])
    >>> path_through(lambda start, stop: weight[start:stop], 2, np.full((3, 3), 1 / 3))
    array([0, 2])
    """
    log_move = np.ascontiguousarray(np.log(np.maximum(move, 1e-300)).T)
    ahead = np.empty_like(log_move)
    flat, row = ahead.reshape(-1), len(move) * np.arange(len(move))
    came = np.zeros((count, len(move)), np.uint16)
    best: Array | None = None
    for start in range(0, count, _BLOCK):
        for i, weight in enumerate(log_weight(start, min(start + _BLOCK, count)), start=start):
            if best is None:
                best = weight
                continue
            # Turned, so that each place's ways lie side by side.
            np.add(best, log_move, out=ahead)
            before = ahead.argmax(axis=1)
            came[i] = before
            best = flat.take(row + before) + weight
    path = np.empty(count, np.intp)
    path[-1] = 0 if best is None else best.argmax()
    for i in range(count - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    return path
