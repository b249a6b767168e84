"""The search for the least imagery that decides a claim."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from jamline.claims import Claim, as_claim, check_claim
from jamline.detect import Shipped, detector_named
from jamline.errors import ClaimError, UsageError
from jamline.planning._sighting import HEAD_M, Traffic, extent, sighted
from jamline.queues import measure_queues

ENOUGH = 0.8
"""Share of the simulated cases that must be answered rightly."""

GSDS_M = (0.3, 0.5, 0.8, 1.2)
LOOKS = (1, 2, 3)
COVERAGES = (0.5, 1.0, 1.25, 1.5, 2.0)
"""Shares of the claimed length that images may cover, from before the head."""

_OFF = (0.15, 0.5)
"""A claim is simulated as right, or as off by between so much and so much: on the edge no image decides."""

_SHORT_M = (40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0)
"""Queues looked for when it is asked for the shortest that an image could have shown."""

Progress = Callable[[], Any]
"""Called with each simulated case."""


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """Imagery that one may get.

    Parameters
    ----------
    gsd_m : float
        Its resolution.
    covered_km : float
        How much road it covers, from the head of the queue on.
    looks : int
        Images of each place on the day.
    """

    gsd_m: float
    covered_km: float
    looks: int

    def __str__(self) -> str:
        looks = "one look" if self.looks == 1 else f"{self.looks} looks"
        return f"{self.gsd_m:g} m over {self.covered_km:.3g} km, {looks}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of simulated cases.

    Parameters
    ----------
    setting : Setting
        The imagery.
    right, wrong, open : int
        Cases answered rightly, answered the wrong way round, and left undecided.
    """

    setting: Setting
    right: int
    wrong: int
    open: int

    @property
    def share(self) -> float:
        """Share answered rightly."""
        return self.right / max(1, self.right + self.wrong + self.open)


@dataclass(frozen=True)
class Plan:
    """What imagery would decide a claim.

    Parameters
    ----------
    claim : Claim
        The claim.
    tried : tuple of Outcome
        In the order in which they were tried.
    choice : Setting or None
        The least that answers enough of the cases rightly; ``None`` where nothing tried does.
    shortest_m : mapping of float to float or None
        The shortest queue by resolution that an image would have shown; ``None`` where it shows none up to 1 km.
    """

    claim: Claim
    tried: tuple[Outcome, ...]
    choice: Setting | None
    shortest_m: dict[float, float | None] = field(default_factory=dict)

    def sentences(self) -> Iterator[str]:
        """Yield the plan for people."""
        if self.claim.quantity == "throughput":
            yield f"'{self.claim.text}': no image decides it; one shows how many vehicles stand, not how many pass."
            return
        if self.choice is None:
            yield f"'{self.claim.text}': nothing that was tried decides it in {100 * ENOUGH:.0f} of 100 cases."
        else:
            yield f"'{self.claim.text}': decided by {self.choice}, or better."
        for outcome in self.tried:
            count = outcome.right + outcome.wrong + outcome.open
            yield f"  {outcome.setting}: {outcome.right} of {count} right, {outcome.wrong} wrong, {outcome.open} open"
        for gsd_m, length_m in self.shortest_m.items():
            told = f"shows queues from {length_m:g} m up" if length_m else "shows no queue of up to 1 km"
            yield f"  an image of {gsd_m:g} m {told}"

    def to_json(self) -> dict[str, Any]:
        """Return the plan for programs."""
        return {
            "claim": self.claim.text,
            "choice": None if self.choice is None else asdict(self.choice),
            "tried": [
                {**asdict(each.setting), "right": each.right, "wrong": each.wrong, "open": each.open}
                for each in self.tried
            ],
            "shortest_m": {f"{gsd_m:g}": length_m for gsd_m, length_m in self.shortest_m.items()},
        }


def plan(
    claim: str | Claim,
    *,
    gsds_m: Sequence[float] = GSDS_M,
    looks: Sequence[int] = LOOKS,
    clouds: float = 0.2,
    traffic: Traffic | None = None,
    detector: str = "network",
    cases: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> Plan:
    """Say which resolution, coverage and number of looks would decide a claim.

    Parameters
    ----------
    claim : str or Claim
        About a length or a count; no image decides one about traffic that passes.
    gsds_m : sequence of float
        Resolutions to be had.
    looks : sequence of int
        Images to be had of one place on the day.
    clouds : float
        Share of the road that clouds hide in each, 0 to under 1.
    traffic : Traffic, optional
        How vehicles stand; by default in one row, one in ten a truck.
    detector : str
        What would find the vehicles; it says how many it usually misses and invents.
    cases : int
        Simulated cases for each setting.
    seed : int
        Equal seeds give equal plans.
    progress : callable, optional
        Called with each case.

    Returns
    -------
    Plan

    Raises
    ------
    ClaimError
        If the claim cannot be read, or is that there is no queue.
    UsageError
        If a number makes no sense, or there is no such detector.

    Notes
    -----
    Queues are made up for which the claim is right, or off by 15 to 50 %, and each is measured and judged by the code
    that measures images. First the coarsest resolution is found that decides with the widest coverage and all looks,
    then the least coverage with that, then the fewest looks.
    """
    claim = as_claim(claim)
    traffic = traffic or Traffic()
    _check(gsds_m, looks, clouds, traffic, cases)
    if claim.quantity == "throughput":
        return Plan(claim, (), None)
    if claim.value == 0:
        raise ClaimError(f"Invalid claim '{claim.text}'. Must be of some length or count to plan for it.")
    trial = _Trial(claim, traffic, detector_named(detector), clouds, cases, seed, progress or (lambda: None))
    covers = sorted(round(share * _top_km(claim, traffic), 3) for share in COVERAGES)
    tried: list[Outcome] = []

    def first(settings: Sequence[Setting]) -> Setting | None:
        """Return the first setting that decides, and keep what became of all that were tried."""
        for setting in settings:
            outcome = next((each for each in tried if each.setting == setting), None)
            if outcome is None:
                outcome = trial.outcome(setting)
                tried.append(outcome)
            if outcome.share >= ENOUGH:
                return setting
        return None

    choice = first([Setting(gsd_m, covers[-1], max(looks)) for gsd_m in sorted(gsds_m, reverse=True)])
    if choice is not None:
        choice = first([Setting(choice.gsd_m, cover, max(looks)) for cover in covers])
    if choice is not None:
        choice = first([Setting(choice.gsd_m, choice.covered_km, count) for count in sorted(looks)])
    shortest = {gsd_m: trial.shortest_m(gsd_m) for gsd_m in sorted(gsds_m)}
    return Plan(claim, tuple(tried), choice, shortest)


def _check(gsds_m: Sequence[float], looks: Sequence[int], clouds: float, traffic: Traffic, cases: int) -> None:
    """Refuse numbers that make no sense."""
    for name, values, good in (
        ("resolution", gsds_m, [math.isfinite(gsd_m) and gsd_m > 0 for gsd_m in gsds_m]),
        ("number of looks", looks, [count >= 1 for count in looks]),
        ("number of cases", [cases], [cases >= 1]),
        ("number of rows", [traffic.rows], [1 <= traffic.rows <= 5]),
    ):
        if not good or not all(good):
            told = ", ".join(f"{value:g}" for value in values)
            raise UsageError(f"Invalid {name} '{told}'. Must be over 0.")
    for name, share in (("share of clouds", clouds), ("share of trucks", traffic.trucks)):
        if not 0 <= share < 1:
            raise UsageError(f"Invalid {name} '{share:g}'. Must be at least 0 and under 1.")


def _top_km(claim: Claim, traffic: Traffic) -> float:
    """Return the length that a claim is about, for a count the one that it takes."""
    top = claim.value if claim.high is None else claim.high
    return top if claim.quantity == "length" else top / traffic.per_km


@dataclass(frozen=True)
class _Trial:
    """Simulated cases of one claim; the same queues for each setting."""

    claim: Claim
    traffic: Traffic
    detector: Shipped
    clouds: float
    cases: int
    seed: int
    progress: Progress

    def outcome(self, setting: Setting) -> Outcome:
        """Return what becomes of the cases; it ends early once too few can be right."""
        tally = {"right": 0, "wrong": 0, "open": 0}
        for number in range(self.cases):
            tally[self._answer(number, setting)] += 1
            self.progress()
            if tally["wrong"] + tally["open"] > (1 - ENOUGH) * self.cases + 1e-9:
                break
        return Outcome(setting, **tally)

    def _answer(self, number: int, setting: Setting) -> str:
        """Return what becomes of one case."""
        rng = np.random.default_rng([self.seed, number])
        vehicles = self.traffic.queue(1000 * self._length_km(number, rng), seed=int(rng.integers(2**31)))
        span, count = extent(vehicles)
        truth = span.length_m / 1000 if self.claim.quantity == "length" else count
        low, high = self.claim.bounds
        evidence = sighted(
            vehicles,
            self.detector.usual(setting.gsd_m),
            gsd_m=setting.gsd_m,
            covered_m=HEAD_M + 1000 * setting.covered_km,
            looks=setting.looks,
            clouds=self.clouds,
            rng=np.random.default_rng([self.seed, number, 1]),
        )
        verdict = check_claim(self.claim, measure_queues(evidence)).verdict
        if verdict == "undecided":
            return "open"
        return "right" if (verdict == "supported") == (low <= truth <= high) else "wrong"

    def _length_km(self, number: int, rng: np.random.Generator) -> float:
        """Return the length of a queue for which the claim is right, or well off, by turns."""
        low, high = self.claim.bounds
        shorter, longer = 1 - rng.uniform(*_OFF), 1 + rng.uniform(*_OFF)
        if low <= 0:
            truth = high * (shorter if number % 2 else longer)
        elif math.isinf(high):
            truth = low * (longer if number % 2 else shorter)
        else:
            truth = ((low + high) / 2, low * shorter, (low + high) / 2, high * longer)[number % 4]
        return truth if self.claim.quantity == "length" else truth / self.traffic.per_km

    def shortest_m(self, gsd_m: float) -> float | None:
        """Return the shortest queue that images of a resolution show in enough of the cases."""
        low, high = 0, len(_SHORT_M)
        while low < high:
            middle = (low + high) // 2
            if self._shown(_SHORT_M[middle], gsd_m):
                high = middle
            else:
                low = middle + 1
        return _SHORT_M[low] if low < len(_SHORT_M) else None

    def _shown(self, length_m: float, gsd_m: float) -> bool:
        """Tell whether enough images show a queue of a length where it stands."""
        missed = 0
        for number in range(self.cases):
            rng = np.random.default_rng([self.seed, number, 2])
            vehicles = self.traffic.queue(length_m, seed=int(rng.integers(2**31)))
            span, _ = extent(vehicles)
            evidence = sighted(
                vehicles, self.detector.usual(gsd_m), gsd_m=gsd_m, covered_m=1e9, looks=1, clouds=0.0, rng=rng
            )
            shared = (min(q.end_m, span.end_m) - max(q.start_m, span.start_m) for q in measure_queues(evidence))
            missed += max(shared, default=0.0) < span.length_m / 2
            self.progress()
            if missed > (1 - ENOUGH) * self.cases + 1e-9:
                return False
        return True
