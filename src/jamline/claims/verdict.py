"""The verdict on one claim: what the queues say, and what they leave open.

What is seen gives the least that the truth can be, draw by draw; what lies beyond it gives the most. A claim
holds where the truth lies within its bounds, so the least and the most give the worst and the best case. Whether
a queue runs on through an unseen stretch within it is in the draws: it is as long in them as often as it does.

Between the two, one guess is needed for a single probability. An open end gets the scale-free prior: that a
queue goes on until it is k times as long as seen has probability 1/k (Pareto, exponent 1), cut off where the
road was seen again. Whether an unseen stretch elsewhere hides another queue is even chance. Neither decides
a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from jamline.claims import wording
from jamline.claims.claim import Claim
from jamline.claims.finding import Finding, likelihood, weigh
from jamline.claims.origins import origin_notes
from jamline.claims.reading import read_claim
from jamline.claims.unseen import beyond_m, longest_unseen_m, unseen
from jamline.claims.waiting import waiting_sentence
from jamline.errors import ClaimError
from jamline.spans import Estimate, total_m

if TYPE_CHECKING:
    from jamline.queues import Queue, Queues

Array = npt.NDArray[np.float64]

JAM_PER_KM_LANE = 155.0
"""Most vehicles that stand on a km of lane (250 per mile, upper end of the jam densities in use)."""

_INTERVAL = (0.05, 0.95)

_MOST_ROWS = 3
"""Rows abreast that are thought possible where nobody saw: what border queues are reported with at most."""


@dataclass(frozen=True, eq=False)
class _Sighting:
    """What one side of one road says about a quantity, in km or vehicles."""

    queues: Queues
    side: str
    members: tuple[Queue, ...]
    seen: Array
    most: Array
    hidden: float

    @property
    def middle(self) -> float:
        return float(np.median(self.seen))


def check_claim(claim: str | Claim, queues: Queues | Sequence[Queues], *, days: Sequence[str] = ()) -> Finding:
    """Say whether a claim is supported, refuted or undecided.

    Parameters
    ----------
    claim : str or Claim
        A length or count is about one side of one road: the one it names, or the one with the longest queue
        (for a count, with the most vehicles in queues).
    queues : Queues or sequence of Queues
        Of one road, or of several.
    days : sequence of str
        On which the images were taken, such as ``"2022-09-25"``; a claim about another day is left undecided.

    Returns
    -------
    Finding

    Raises
    ------
    ClaimError
        If the claim cannot be read, or names a side that no road has.
    """
    if isinstance(claim, str):
        claim = read_claim(claim)
    roads = as_list(queues)
    if claim.date and days and claim.date not in days:
        road = roads[0].evidence.road.name if roads else None
        return replace(_left_open(claim, wording.other_day(claim, days), wording.asides(claim), road), other_day=True)
    if claim.quantity == "throughput":
        return _throughput(claim, roads)
    sightings = [
        _length(each, side) if claim.quantity == "length" else _count(each, side, kind=claim.kind)
        for each in roads
        for side in _sides(claim, each)
    ]
    if not sightings:
        sides = ", ".join(sorted({side for each in roads for side in each.evidence.road.sides})) or "none"
        raise ClaimError(f"Invalid side '{claim.side}' of claim '{claim.text}'. Must be one of {sides}.")
    main = max(sightings, key=lambda sighting: sighting.middle)
    elsewhere = max([main.hidden, *(max(s.most.max(), s.hidden) for s in sightings if s is not main)], default=0.0)
    worst, best, neutral = probabilities(claim.bounds, seen=main.seen, most=main.most, elsewhere=elsewhere)
    verdict, probability = weigh(worst=worst, best=best, neutral=neutral)
    hides = elsewhere > main.most.max() and not math.isclose(best, worst)
    several = sum(len(s.members) for s in sightings) > 1
    if claim.quantity == "length":
        reason = wording.length_reason(
            claim,
            verdict,
            main.queues,
            main.members,
            several=several,
            hidden=elsewhere,
            hides=hides,
        )
    else:
        reason = wording.count_reason(claim, verdict, main.queues, main.side, main.members, main.seen, hides=hides)
    notes = wording.notes(claim, main.queues, main.members, days)
    if claim.quantity == "length" and main.members:
        judged = partial(_if_longer, claim.bounds, main, elsewhere)
        notes += tuple(origin_notes(claim, main.members[0], main.queues, verdict=verdict, judged=judged))
    return Finding(claim, verdict, probability, likelihood(probability), reason, notes, main.queues.evidence.road.name)


def _if_longer(bounds: tuple[float, float], main: _Sighting, elsewhere: float, by_km: float) -> str:
    """Return the verdict if the queue were so many km longer, or shorter."""
    seen, most = (np.maximum(km + by_km, 0.0) for km in (main.seen, main.most))
    worst, best, neutral = probabilities(bounds, seen=seen, most=most, elsewhere=elsewhere)
    return weigh(worst=worst, best=best, neutral=neutral)[0]


def as_list(queues: Queues | Sequence[Queues]) -> list[Queues]:
    """Return a list with one `Queues` for each road."""
    # `Queues` is itself a sequence, of queues: only what it alone has tells it from a list of them.
    return cast("list[Queues]", [queues] if hasattr(queues, "evidence") else list(queues))


def probabilities(
    bounds: tuple[float, float], *, seen: Array, most: Array, elsewhere: float = 0.0
) -> tuple[float, float, float]:
    """Return the worst, best and neutral probability that the truth lies within the bounds.

    Parameters
    ----------
    bounds : tuple of float
        Low and high end, both included.
    seen, most : array, shape (draws,)
        What it is by what is seen, which is the least that it can be, and the most.
    elsewhere : float
        The most that could be hidden elsewhere. It may make a claim true that what was seen does not, and may
        belie that there is no more than so much; a claim of a queue that was seen is not less true for it.

    Examples
    --------
    >>> import numpy as np
    >>> seen = np.array([8.0])
    >>> probabilities((16.0, np.inf), seen=seen, most=np.array([np.inf]))
    (0.0, 1.0, 0.5)
    """
    low, high = bounds
    own = _within(low, high, seen, most)
    own_worst = (seen >= low) & (most <= high)
    own_best = (seen <= high) & (most >= low)
    more = np.maximum(most, elsewhere)
    worst = float(np.mean((seen >= low) & ((more if low <= 0 else most) <= high)))
    best = float(np.mean((seen <= high) & (more >= low)))
    neutral = own.mean() + 0.5 * (best - own_best.mean()) - 0.5 * (own_worst.mean() - worst)
    return worst, best, float(np.clip(neutral, worst, best))


def _within(low: float, high: float, seen: Array, most: Array) -> Array:
    """Return the probability of each draw that what goes on ends within the bounds."""
    closed = most <= seen
    inside = ((seen >= low) & (seen <= high)).astype(float)
    return np.where(closed, inside, _survival(low, seen, most) - _survival(high, seen, most))


def _survival(x: float, seen: Array, most: Array) -> Array:
    """Return the probability that a queue seen to ``seen`` goes on to ``x``, by the cut-off Pareto prior."""
    x, seen = max(x, 1e-9), np.maximum(seen, 1e-6)
    cut = np.minimum(seen / np.maximum(most, seen), 1.0 - 1e-12)
    survival: Array = np.clip((seen / x - cut) / (1.0 - cut), 0.0, 1.0)
    return survival


def _sides(claim: Claim, queues: Queues) -> list[str]:
    """Return the sides of a road that a claim may be about."""
    return [side for side in queues.evidence.road.sides if claim.side in (None, side)]


def _length(queues: Queues, side: str) -> _Sighting:
    """Return what the longest queue of one side says."""
    mine = [queue for queue in queues if queue.side == side]
    longest = max(mine, key=lambda queue: queue.length_km.value, default=None)
    others = [
        float(queue.length_samples_km.max()) + beyond_m(queue, queues) / 1000 for queue in mine if queue is not longest
    ]
    doubtful = [float(queue.length_samples_km.max()) for queue in queues.doubtful if queue.side == side]
    hidden = max(longest_unseen_m(queues, side) / 1000, *others, *doubtful, 0.0)
    if longest is None:
        none = np.zeros(1)
        return _Sighting(queues, side, (), none, none, hidden)
    seen = np.maximum(longest.length_samples_km, 0.0)
    return _Sighting(queues, side, (longest,), seen, seen + beyond_m(longest, queues) / 1000, hidden)


def _count(queues: Queues, side: str, *, kind: str) -> _Sighting:
    """Return what all queues of one side say together: they stand in line for the same thing."""
    members = tuple(queue for queue in queues if queue.side == side)
    seen = np.zeros(1)
    for queue in members:
        share = queue.trucks if kind == "truck" else 1.0
        seen = seen + queue.count_samples * share
    rows = max([_MOST_ROWS, *(math.ceil(queue.lanes) for queue in members)])
    per_m = JAM_PER_KM_LANE * rows / 1000
    beyond = sum(beyond_m(queue, queues) for queue in members)
    hidden = total_m(unseen(queues, side)) * per_m
    hidden += sum(float(queue.count_samples.max()) for queue in queues.doubtful if queue.side == side)
    return _Sighting(queues, side, members, seen, seen + beyond * per_m, float(seen.max() + hidden))


def _throughput(claim: Claim, roads: Sequence[Queues]) -> Finding:
    """Answer a claim about traffic that passes, which one picture cannot show."""
    reason = "One image is one instant: it shows how many vehicles stand, not how many pass in a day or a week."
    every = [(queue, each) for each in roads for queue in each if claim.side in (None, queue.side)]
    notes = wording.asides(claim)
    road = roads[0].evidence.road.name if roads else None
    if every and claim.value > 0:
        longest, queues = max(every, key=lambda pair: pair[0].length_km.value)
        road = queues.evidence.road.name
        notes = (*notes, waiting_sentence(_in_line(queues, longest.side), claim, seen=True))
    return _left_open(claim, reason, notes, road)


def _in_line(queues: Queues, side: str) -> Estimate:
    """Return the vehicles in all queues of one side."""
    sighting = _count(queues, side, kind="vehicle")
    opens = tuple(end for end in ("start", "end") if any(end in queue.length_km.open for queue in sighting.members))
    if len(sighting.members) == 1:
        return sighting.members[0].vehicles
    low, high = np.quantile(sighting.seen, _INTERVAL)
    return Estimate(sighting.middle, float(low), None if opens else float(high), unit="vehicles", open=opens)


def _left_open(claim: Claim, reason: str, notes: tuple[str, ...], road: str | None) -> Finding:
    """Return the finding on what the images say nothing of."""
    return Finding(claim, "undecided", 0.5, likelihood(0.5), reason, notes, road)
