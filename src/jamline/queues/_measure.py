"""Queues measured on drawn worlds: evidence in, queues with their intervals out.

Each side is read in several ways (`_reading`), each reading explained by a chain of states (`_chain`), each path of the
chain made a world with its own queues (`_worlds`). What a queue is in every world is its posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from jamline.errors import UsageError
from jamline.evidence import Evidence
from jamline.memory import give_back
from jamline.queues._chain import VIEWS, draw_paths, filter_states, in_order
from jamline.queues._queue import Queue, Queues
from jamline.queues._reading import READINGS, Reading, readings
from jamline.queues._sight import Sight
from jamline.queues._summary import Side, is_likely, summarise
from jamline.queues._worlds import Worlds, draw_worlds

Array = npt.NDArray[np.float64]

_DRAWS = 64
"""Worlds of each reading: 512 in all, so that the interval's ends repeat to within a vehicle's length from seed to
seed."""


def measure_queues(
    evidence: Evidence, *, gap_m: float = 20.0, break_m: float = 100.0, level: float = 0.9, seed: int = 0
) -> Queues:
    """Measure the queues on one road.

    Parameters
    ----------
    evidence : Evidence
        Vehicles in road space and how well each stretch was seen.
    gap_m : float
        Widest net gap in metres over which a row counts as occupied.
    break_m : float
        A queue ends where no queued vehicle follows within this many metres.
    level : float
        Probability that each interval holds the truth.
    seed : int
        Seed of the draws.

    Returns
    -------
    Queues
        The longest first; empty where there is none.

    Raises
    ------
    UsageError
        If a rule is not positive, or the level not between 0 and 1.
    """
    if not 0 < gap_m <= break_m:
        raise UsageError(f"Invalid gap '{gap_m}'. Must be over 0 and at most the break of {break_m} m.")
    if not 0 < level < 1:
        raise UsageError(f"Invalid level '{level}'. Must lie between 0 and 1.")
    rng = np.random.default_rng(seed)
    vehicles = evidence.vehicles.copy()
    state = np.where(vehicles["state"] == "parked", "parked", "flowing").astype(object)
    found: list[Queue] = []
    doubtful: list[Queue] = []
    for side in _sides(evidence, gap_m=gap_m, break_m=break_m, rng=rng):
        for queue, members in summarise(side, gap_m=gap_m, level=level, rng=rng):
            if not is_likely(queue):
                doubtful.append(queue)
                continue
            found.append(queue)
            # A vehicle counts as queued only as part of a queue that was reported.
            state[members] = "queued"
    vehicles["state"] = state
    found.sort(key=lambda queue: -queue.length_km.value)
    settings = {"gap_m": gap_m, "break_m": break_m, "level": level, "seed": seed}
    return Queues(evidence, tuple(found), vehicles, settings, tuple(doubtful))


def _sides(evidence: Evidence, *, gap_m: float, break_m: float, rng: np.random.Generator) -> list[Side]:
    """Draw the worlds of each side on which a vehicle was found."""
    read = {side: readings(evidence, side, rng) for side in evidence.road.sides}
    every = [reading for readings_of_side in read.values() for reading in readings_of_side]
    if not every:
        return []
    give_back(evidence.road.length_m)
    # All readings of both sides go through the chain side by side.
    likelihoods = partial(_likelihoods, every)
    drawn = draw_paths(filter_states(likelihoods, bins=every[0].sight.bins, columns=len(every)), draws=_DRAWS, rng=rng)
    paths = in_order(drawn)
    del drawn
    column = np.searchsorted(paths.path, _DRAWS * np.arange(len(every) + 1))
    sides: list[Side] = []
    for side, of_side in read.items():
        parts, queued = [], np.zeros(len(evidence.vehicles))
        for number, reading in enumerate(of_side):
            at = len(sides) * READINGS + number
            own = paths.take(slice(column[at], column[at + 1]), minus=at * _DRAWS)
            worlds, share = draw_worlds(reading, own, draws=_DRAWS, gap_m=gap_m, break_m=break_m, rng=rng)
            parts.append(worlds.numbered_from(number * _DRAWS))
            queued[reading.index] += share / len(of_side)
        if of_side:
            sides.append(_side(evidence, side, of_side[0].sight, parts, queued))
    return sides


def _likelihoods(readings: Sequence[Reading], first: int, stop: int) -> Array:
    """Return how well each state explains each of some bins by each reading, shape (bins, readings, `VIEWS`)."""
    likelihoods = np.empty((stop - first, len(readings), VIEWS))
    for column, reading in enumerate(readings):
        likelihoods[:, column] = reading.log_likelihood(first, stop)
    return likelihoods


def _side(evidence: Evidence, name: str, sight: Sight, parts: list[Worlds], queued: Array) -> Side:
    """Put the worlds of all readings of one side together."""
    table = evidence.vehicles
    half = table["length_m"].to_numpy(float) / 2
    start = table["station_m"].to_numpy(float) - half
    index = np.flatnonzero(table["side"] == name)
    index = index[np.argsort(start[index], kind="stable")]
    return Side(
        evidence=evidence,
        name=name,
        sight=sight,
        draws=len(parts) * _DRAWS,
        worlds=Worlds.all_of(parts),
        index=index,
        start_m=start[index],
        end_m=(start + 2 * half)[index],
        truck=(table["kind"] == "truck").to_numpy()[index],
        queued=queued[index],
    )
