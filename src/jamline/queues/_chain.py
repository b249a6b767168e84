"""The hidden semi-Markov chain along one side: clear, flowing, standing, creeping, or a hole within a queue.

A state lasts its least duration and then on, memoryless. Written out as phases, one per bin of the least duration,
that is a plain Markov chain, in which sums over all paths are exact: the forward pass filters, and going backward
through it draws whole paths from the joint posterior, a sojourn at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Rounds = list[tuple[npt.NDArray[np.signedinteger[Any]], ...]]
"""Path, first bin, last bin and state of sojourns, in the order in which they were drawn."""

Likelihoods = Callable[[int, int], Array]
"""How well each state, its first or its last bin explains what a bin shows, from one bin to before another, shape
(bins, columns, VIEWS); 0 throughout where nothing was seen. Columns are chains of their own."""

BIN_M = 10.0
"""Length of a bin: about a car's pitch, and that in which sight is told."""

CLEAR, FLOWING, STANDING, CREEPING, HOLE = range(5)
HEAD, TAIL, VIEWS = {STANDING: 5, CREEPING: 6}, {STANDING: 7, CREEPING: 8}, 9
"""A bin is seen with other eyes where a state begins or ends in it: a queue need not fill its first and last one."""


@dataclass(frozen=True, slots=True)
class _State:
    """How long a state lasts at least and on average, in metres, and what follows it."""

    least_m: float
    mean_m: float
    then: dict[int, float]


# Queues of some hundred metres to some km, in pieces that stand or creep; holes up to the break of 100 m. The shares
# make a queue about 1.5 km long on average and as long as it likes.
_STATES = {
    CLEAR: _State(10.0, 1500.0, {FLOWING: 0.6, STANDING: 0.3, CREEPING: 0.1}),
    FLOWING: _State(50.0, 400.0, {CLEAR: 0.8, STANDING: 0.1, CREEPING: 0.1}),
    STANDING: _State(40.0, 500.0, {CREEPING: 0.4, HOLE: 0.4, CLEAR: 0.15, FLOWING: 0.05}),
    CREEPING: _State(40.0, 200.0, {STANDING: 0.6, HOLE: 0.2, CLEAR: 0.1, FLOWING: 0.1}),
    HOLE: _State(20.0, 50.0, {STANDING: 0.75, CREEPING: 0.25}),
}

_NEVER = 60.0
"""Minus the logarithm of a chance that is none."""

_BLOCK, _ASKED = 512, 4
"""Bins whose likelihoods are written out by phase at once, and blocks of them that are asked for at once."""


@dataclass(frozen=True, eq=False)
class Filtered:
    """What the forward pass leaves for the way back, which asks how states were left and how long they lasted.

    Parameters
    ----------
    left : array of float32, shape (bins, columns, states)
        Chance of each state's last phase given the bins up to each one.
    resisted : array, shape (columns * states * (bins + 1),)
        Minus the logarithms of the chances to have stayed in the phase that may last, summed from the first bin on.
        Columns and states lie end to end, each above the one before: then one search finds places in all of them. The
        difference of two entries is the cost of one phase throughout.
    final : array of float32, shape (columns, phases)
        Chance of each phase at the last bin.
    """

    left: Floats
    resisted: Array
    final: Floats


@dataclass(frozen=True, eq=False)
class Sojourns:
    """Stretches of one state in drawn paths.

    Parameters
    ----------
    path : array of int, shape (n,)
        Number of the path, counted over all columns.
    first, last : array of int, shape (n,)
        Bins, both included.
    state : array of int, shape (n,)
        Of the five.
    """

    path: Ints
    first: Ints
    last: Ints
    state: Ints

    def take(self, part: slice, *, minus: int) -> Sojourns:
        """Return a part, with its paths numbered from so many on."""
        return Sojourns(self.path[part] - minus, self.first[part], self.last[part], self.state[part])


def _written_out() -> tuple[Array, Ints, Ints]:
    """Return the chances from phase to phase, the state of each phase, and how it looks at a bin."""
    counts = {state: round(spec.least_m / BIN_M) for state, spec in _STATES.items()}
    entry = dict(zip(counts, np.cumsum([0, *counts.values()])[:-1].tolist(), strict=True))
    step = np.zeros((sum(counts.values()),) * 2)
    states = np.repeat(list(counts), list(counts.values()))
    views = states.copy()
    for state, spec in _STATES.items():
        first, last = entry[state], entry[state] + counts[state] - 1
        for phase in range(first, last):
            step[phase, phase + 1] = 1.0
        # It stays where it is as long as it likes, but for a last bin of its own.
        stay = last - 1 if state in TAIL else last
        leave = BIN_M / (spec.mean_m - spec.least_m + BIN_M)
        step[stay, stay], step[stay, last] = 1.0 - leave, leave
        for then, share in spec.then.items():
            step[last, entry[then]] = share if state in TAIL else leave * share
        if state in TAIL:
            views[first], views[last] = HEAD[state], TAIL[state]
        else:
            step[last, last] = 1.0 - leave
    return step, states, views


_STEP, PHASE_STATE, _PHASE_VIEW = _written_out()
_LOOPS = np.flatnonzero(np.diag(_STEP))
"""The phases that may last: one of each state, in their order."""

_ENTRY = np.searchsorted(PHASE_STATE, PHASE_STATE)
_STAY = _LOOPS[PHASE_STATE]
"""The first phase of each phase's state, and the one that may last."""

_LEFT = np.searchsorted(PHASE_STATE, PHASE_STATE[_LOOPS], side="right") - 1
"""The last phase of each state, from which it is left."""

_INTO = np.where(PHASE_STATE[:, None] == PHASE_STATE[_LEFT], 0.0, _STEP[_LEFT].T).astype(np.float32)
"""The chances to have come into each phase from the last phases of other states."""

_LASTING, _LASTS = _STEP[:, _LOOPS].astype(np.float32), np.diag(_STEP)[_LOOPS].astype(np.float32)
"""The chances to come into each phase that may last, and to stay in it."""

_PRIOR = np.linalg.matrix_power(_STEP, 4096)[0]
"""Shares of the phases on a road that goes on before its first bin."""


def filter_states(log_likelihood: Likelihoods, *, bins: int, columns: int) -> Filtered:
    """Go forward through the bins: the chance of each phase given the bins up to each one.

    Parameters
    ----------
    log_likelihood : callable
        `Likelihoods`.
    bins, columns : int
        How many there are.
    """
    left = np.empty((bins, columns, len(_LEFT)), np.float32)
    resisted = np.zeros((columns, len(_LOOPS), bins + 1))
    ahead = np.tile(_PRIOR, (columns, 1))
    asked = np.empty(0)
    for begin in range(0, bins, _BLOCK):
        number = begin // _BLOCK % _ASKED
        if number == 0:
            asked = np.empty(0)  # or two of them would be there at once
            asked = log_likelihood(begin, min(begin + _ASKED * _BLOCK, bins))
        here = asked[number * _BLOCK : (number + 1) * _BLOCK]
        likelihood = here - here.max(axis=2, keepdims=True)
        np.exp(np.maximum(likelihood, -_NEVER, out=likelihood), out=likelihood)
        joint = likelihood[:, :, _PHASE_VIEW]
        for place, part in enumerate(joint):
            np.multiply(part, ahead, out=part)
            # A bin takes at most a factor exp(-_NEVER) away, so scaling now and then is enough.
            if place % 4 == 3:
                part /= part.sum(axis=1, keepdims=True)
            np.matmul(part, _STEP, out=ahead)
        ahead /= ahead.sum(axis=1, keepdims=True)
        joint /= joint.sum(axis=2, keepdims=True)
        filtered = joint.astype(np.float32)
        left[begin : begin + _BLOCK] = filtered[:, :, _LEFT]
        _resist(filtered, resisted[:, :, begin : begin + _BLOCK + 1])
    # Each above the one before.
    end = resisted[:, :, -1].ravel() + 2 * _NEVER
    resisted += np.append(0.0, np.cumsum(end)[:-1]).reshape(resisted.shape[:2])[:, :, None]
    return Filtered(left, resisted.ravel(), filtered[-1])


def _resist(filtered: Floats, resisted: Array) -> None:
    """Go on summing what it cost to stay, from the first entry, which is there, over the bins of a block."""
    for column, summed in enumerate(resisted):
        coming = filtered[:, column] @ _LASTING
        stayed = filtered[:, column][:, _LOOPS] * _LASTS
        cost = np.minimum(-np.log(np.maximum(stayed, 1e-30) / np.maximum(coming, 1e-30)), _NEVER)
        summed[:, 1:] = np.maximum(cost.T, 0.0)
        np.cumsum(summed, axis=-1, out=summed)


def draw_paths(filtered: Filtered, *, draws: int, rng: np.random.Generator) -> Rounds:
    """Draw paths from their joint posterior: the backward pass, by sojourns.

    How long a path has been in a phase is drawn at once, from the products of its chances to have stayed; then, where
    it came from. So the work grows with the changes of state and not with the bins.

    Parameters
    ----------
    filtered : Filtered
        Of `filter_states`.
    draws : int
        Paths of each column; those of column c are numbered from ``c * draws``.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    list of tuple of array
        For `in_order`, which is apart from this because on a long road there is no room for both.

    Examples
    --------
    >>> seen = np.zeros((30, 1, VIEWS))
    >>> seen[10:20, :, [CLEAR, FLOWING, CREEPING, HOLE]] = -9.0
    >>> filtered = filter_states(lambda first, stop: seen[first:stop], bins=30, columns=1)
    >>> paths = in_order(draw_paths(filtered, draws=50, rng=np.random.default_rng(0)))
    >>> there = (paths.state == STANDING) & (paths.first <= 10) & (paths.last >= 19)
    >>> np.unique(paths.path[there]).size > 40
    True
    """
    bins, columns, _ = filtered.left.shape
    resisted = filtered.resisted
    column = np.repeat(np.arange(columns), draws)
    number = np.arange(len(column))
    phase = _drawn(filtered.final[column], rng)
    last = np.full(len(column), bins - 1)
    made: Rounds = []
    while len(number):
        state, entry, stay = PHASE_STATE[phase], _ENTRY[phase], _STAY[phase]
        # From a phase that may not last, a path goes back to the one before it, bin by bin, and so to the first.
        first = last - (phase - entry)
        lasts = np.flatnonzero((phase >= stay) & (last >= phase - stay))
        until = (last - (phase - stay))[lasts]
        start = (column[lasts] * len(_LOOPS) + state[lasts]) * (bins + 1)
        left = resisted[start + until] - np.minimum(rng.exponential(size=len(lasts)), 0.9 * _NEVER)
        since = np.searchsorted(resisted, np.maximum(left, resisted[start])) - start
        first[lasts] = since - (stay - entry)[lasts]
        first = np.maximum(first, 0)
        made.append((number.astype(np.int32), first.astype(np.int32), last.astype(np.int32), state.astype(np.int8)))
        on = first > 0
        number, column, last, entry = number[on], column[on], first[on] - 1, entry[on]
        phase = _LEFT[_drawn(filtered.left[last, column] * _INTO[entry], rng)]
    return made


def _drawn(weight: Floats, rng: np.random.Generator) -> Ints:
    """Draw one index from each row of weights, shape (n,)."""
    summed = np.cumsum(weight, axis=1)
    index: Ints = np.sum(rng.random((len(weight), 1)) * summed[:, -1:] >= summed, axis=1)
    # Rounding may leave nothing above the last step.
    index[index == weight.shape[1]] = weight.shape[1] - 1
    return index


def in_order(made: Rounds) -> Sojourns:
    """Put drawn sojourns in order of path and bin, a field at a time: of a long road they are many."""
    path, first, last, state = zip(*made, strict=True)
    # One key sorts in a third of the time of two.
    bins = max(int(part.max(initial=0)) for part in last) + 1
    order = np.argsort(np.concatenate(path).astype(np.int64) * bins + np.concatenate(first), kind="stable")
    return Sojourns(*(np.concatenate(parts)[order].astype(np.int64) for parts in (path, first, last, state)))
