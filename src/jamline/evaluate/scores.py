"""What an evaluation says, for people and as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Score:
    """How well vehicles of one kind were found.

    Parameters
    ----------
    kind : str
        ``"all"``, ``"car"`` or ``"truck"``, by each table's own length.
    truth, found : int
        Vehicles that count.
    truth_matched, found_matched : int
        Those of them with a partner, of whatever kind.
    """

    kind: str
    truth: int
    found: int
    truth_matched: int
    found_matched: int

    @property
    def precision(self) -> float:
        """Share of the vehicles found that are true, NaN where none was found."""
        return self.found_matched / self.found if self.found else math.nan

    @property
    def recall(self) -> float:
        """Share of the true vehicles that were found, NaN where there is none."""
        return self.truth_matched / self.truth if self.truth else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, NaN where there is nothing to find and nothing found."""
        both = self.found + self.truth
        return (self.found_matched + self.truth_matched) / both if both else math.nan

    @property
    def count_error(self) -> int:
        """Vehicles found less true ones."""
        return self.found - self.truth

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it, NaN as null."""
        return {
            "truth": self.truth,
            "found": self.found,
            "precision": _finite(self.precision),
            "recall": _finite(self.recall),
            "f1": _finite(self.f1),
            "count_error": self.count_error,
        }


@dataclass(frozen=True, slots=True)
class QueueScore:
    """One queue that was found, beside the true one it overlaps most.

    Parameters
    ----------
    side : str
        The found queue's.
    truth_km, found_km : float
        Length of what the imagery shows of it.
    low_km, high_km : float
        The interval; infinite where it is open.
    whole_km : float
        True length of the whole queue, which the interval must hold.
    truth_vehicles, found_vehicles : float
        In what the imagery shows of it.
    vehicles_low, vehicles_high : float
        The interval.
    """

    side: str
    truth_km: float
    found_km: float
    low_km: float
    high_km: float
    whole_km: float
    truth_vehicles: float
    found_vehicles: float
    vehicles_low: float
    vehicles_high: float

    @property
    def error_km(self) -> float:
        """Length found less true length, both as far as the imagery shows the queue."""
        return self.found_km - self.truth_km

    @property
    def hit(self) -> bool:
        """Whether the interval holds the true length."""
        return self.low_km <= self.whole_km <= self.high_km

    @property
    def vehicles_hit(self) -> bool:
        """Whether the interval of the count holds the true count."""
        return self.vehicles_low <= self.truth_vehicles <= self.vehicles_high

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it, infinity as null."""
        return {
            "side": self.side,
            "truth_km": round(self.truth_km, 5),
            "found_km": round(self.found_km, 5),
            "error_km": round(self.error_km, 5),
            "interval_km": [_finite(self.low_km), _finite(self.high_km)],
            "whole_km": round(self.whole_km, 5),
            "hit": self.hit,
            "truth_vehicles": _finite(self.truth_vehicles),
            "found_vehicles": _finite(self.found_vehicles),
            "vehicles_hit": self.vehicles_hit if math.isfinite(self.truth_vehicles) else None,
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A result held against the truth.

    Parameters
    ----------
    vehicles : tuple of Score
        For all vehicles, cars and trucks.
    ignored_truth, ignored_found : int
        Vehicles that count neither way: not seen, cut, or outside the corridor.
    distance_m : float
        Median distance between the centres of partners, NaN where there are none.
    queues : tuple of QueueScore
        Queues that were found and are true.
    missed_queues, false_queues : int
        True ones that were not found, found ones that are not true.
    """

    vehicles: tuple[Score, ...]
    ignored_truth: int
    ignored_found: int
    distance_m: float
    queues: tuple[QueueScore, ...]
    missed_queues: int
    false_queues: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "vehicles": {score.kind: score.to_json() for score in self.vehicles},
            "ignored_truth": self.ignored_truth,
            "ignored_found": self.ignored_found,
            "distance_m": _finite(self.distance_m),
            "queues": [queue.to_json() for queue in self.queues],
            "missed_queues": self.missed_queues,
            "false_queues": self.false_queues,
        }

    def __str__(self) -> str:
        lines = [f"{'vehicles':<9}{'truth':>8}{'found':>8}{'precision':>11}{'recall':>8}{'F1':>8}"]
        lines += [
            f"{s.kind:<9}{s.truth:>8}{s.found:>8}{s.precision:>11.3f}{s.recall:>8.3f}{s.f1:>8.3f}"
            for s in self.vehicles
        ]
        lines.append(
            f"count error {self.vehicles[0].count_error:+d}, centres {self.distance_m:.2f} m apart, "
            f"not counted: {self.ignored_truth} true, {self.ignored_found} found"
        )
        if self.queues:
            lines.append(f"{'queue':<9}{'truth km':>10}{'found km':>10}{'error m':>9}{'interval km':>20}  hit")
        for q in self.queues:
            high = f"{q.high_km:.3f}" if math.isfinite(q.high_km) else "open"
            interval = f"{q.low_km:.3f} to {high}"
            lines.append(
                f"{q.side:<9}{q.truth_km:>10.3f}{q.found_km:>10.3f}{1000 * q.error_km:>+9.1f}{interval:>20}  "
                + ("yes" if q.hit else "no")
            )
        lines.append(f"queues missed {self.missed_queues}, false {self.false_queues}")
        return "\n".join(lines)


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
