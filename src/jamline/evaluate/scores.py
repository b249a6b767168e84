"""How well vehicles of one kind, and single queues, were found."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Score:
    """How well vehicles of one kind were found.

    Parameters
    ----------
    kind : str
        ``"all"``; ``"car"`` or ``"truck"``, by each table's own length; ``"dark"``, ``"like road"`` or
        ``"bright"``; a resolution.
    truth, found : int
        Vehicles that count.
    truth_matched, found_matched : int
        Those of them with a partner, of whatever kind.
    average_precision : float
        Area under the curve of precision over recall, NaN where there is none.
    false_told : bool
        False where nobody looked which of the false ones look like this kind; only recall is known then.
    """

    kind: str
    truth: int
    found: int
    truth_matched: int
    found_matched: int
    average_precision: float = math.nan
    false_told: bool = True

    @property
    def precision(self) -> float:
        """Share of the vehicles found that are true, NaN where none was found."""
        return self.found_matched / self.found if self.found and self.false_told else math.nan

    @property
    def recall(self) -> float:
        """Share of the true vehicles that were found, NaN where there is none."""
        return self.truth_matched / self.truth if self.truth else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, NaN where there is nothing to find and nothing found."""
        both = self.found + self.truth
        return (self.found_matched + self.truth_matched) / both if both and self.false_told else math.nan

    @property
    def count_error(self) -> int:
        """Vehicles found less true ones."""
        return self.found - self.truth

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it, NaN as null."""
        return {
            "truth": self.truth,
            "found": self.found if self.false_told else None,
            "precision": finite(self.precision),
            "recall": finite(self.recall),
            "f1": finite(self.f1),
            "count_error": self.count_error if self.false_told else None,
            "average_precision": finite(self.average_precision),
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
    counted_vehicles : int
        Queued vehicles in the result's table between the found queue's ends: the count without correction.
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
    counted_vehicles: int = 0

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
            "interval_km": [finite(self.low_km), finite(self.high_km)],
            "whole_km": round(self.whole_km, 5),
            "hit": self.hit,
            "truth_vehicles": finite(self.truth_vehicles),
            "found_vehicles": finite(self.found_vehicles),
            "counted_vehicles": self.counted_vehicles,
            "vehicles_hit": self.vehicles_hit if math.isfinite(self.truth_vehicles) else None,
        }


@dataclass(frozen=True, slots=True)
class CountError:
    """Vehicles over whole queues, beside the true number.

    Parameters
    ----------
    queues : int
        Queues that were found and are true, with a true count.
    total : float
        Vehicles in all of them together, less the true ones, over the true ones.
    median : float
        Of the queues' own errors without their sign.
    """

    queues: int
    total: float
    median: float

    @classmethod
    def of(cls, truth: Sequence[float], found: Sequence[float]) -> CountError:
        """Hold counts against true ones, queue by queue; NaN where there is none."""
        true = [(t, f) for t, f in zip(truth, found, strict=True) if math.isfinite(t) and math.isfinite(f) and t > 0]
        if not true:
            return cls(0, math.nan, math.nan)
        total = sum(f for _, f in true) / sum(t for t, _ in true) - 1.0
        return cls(len(true), total, statistics.median(abs(f / t - 1.0) for t, f in true))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it, NaN as null."""
        return {"queues": self.queues, "total": finite(self.total), "median": finite(self.median)}


def finite(value: float) -> float | None:
    """Return a number rounded for JSON, ``None`` for one that JSON does not know."""
    return round(value, 4) if math.isfinite(value) else None
