"""What an evaluation says, for people and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jamline.evaluate.marks import Marks
from jamline.evaluate.ranking import Calibration
from jamline.evaluate.scores import CountError, QueueScore, Score, finite


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A result held against the truth.

    Parameters
    ----------
    vehicles : tuple of Score
        For all vehicles, cars and trucks.
    brightness : tuple of Score
        For vehicles that are dark, like the road beside them, and bright; none where that is not known.
    gsd : tuple of Score
        By the resolution of the imagery.
    calibration : Calibration
        Whether scores hold as probabilities.
    ignored_truth, ignored_found : int
        Vehicles that count neither way: not seen, cut, or outside the corridor.
    distance_m : float
        Median distance between the centres of partners, NaN where there are none.
    queues : tuple of QueueScore
        Queues that were found and are true.
    missed_queues, false_queues : int
        True ones that were not found, found ones that are not true.
    marks : Marks
        The vehicles that count, one by one.
    distances_m : array
        Between the centres of partners.
    """

    vehicles: tuple[Score, ...]
    brightness: tuple[Score, ...]
    gsd: tuple[Score, ...]
    calibration: Calibration
    ignored_truth: int
    ignored_found: int
    distance_m: float
    queues: tuple[QueueScore, ...]
    missed_queues: int
    false_queues: int
    marks: Marks = field(repr=False, compare=False)
    distances_m: tuple[float, ...] = field(repr=False, compare=False)

    @classmethod
    def of(
        cls,
        marks: Marks,
        *,
        distances_m: Sequence[float],
        ignored: tuple[int, int],
        queues: Sequence[QueueScore],
        missed_queues: int,
        false_queues: int,
    ) -> Evaluation:
        """Work out all figures; ``ignored`` are true and found vehicles."""
        return cls(
            vehicles=marks.by_kind(),
            brightness=marks.by_brightness(),
            gsd=marks.by_gsd(),
            calibration=marks.calibration(),
            ignored_truth=ignored[0],
            ignored_found=ignored[1],
            distance_m=float(np.median(distances_m)) if len(distances_m) else math.nan,
            queues=tuple(queues),
            missed_queues=missed_queues,
            false_queues=false_queues,
            marks=marks,
            distances_m=tuple(float(d) for d in distances_m),
        )

    @property
    def counted(self) -> CountError:
        """Error of the count in whole queues, as the table of vehicles has it."""
        return CountError.of([q.truth_vehicles for q in self.queues], [q.counted_vehicles for q in self.queues])

    @property
    def corrected(self) -> CountError:
        """Error of the count in whole queues, as `run.json` corrects it."""
        return CountError.of([q.truth_vehicles for q in self.queues], [q.found_vehicles for q in self.queues])

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "vehicles": {score.kind: score.to_json() for score in self.vehicles},
            "brightness": {score.kind: score.to_json() for score in self.brightness},
            "gsd": {score.kind: score.to_json() for score in self.gsd},
            "calibration": self.calibration.to_json(),
            "ignored_truth": self.ignored_truth,
            "ignored_found": self.ignored_found,
            "distance_m": finite(self.distance_m),
            "queues": [queue.to_json() for queue in self.queues],
            "count_error": {"counted": self.counted.to_json(), "corrected": self.corrected.to_json()},
            "missed_queues": self.missed_queues,
            "false_queues": self.false_queues,
        }

    def __str__(self) -> str:
        return "\n".join([*self._of_vehicles(), *self._of_queues(), *self._of_counts(), *self._of_scores()])

    def _of_vehicles(self) -> Iterator[str]:
        yield f"{'vehicles':<9}{'truth':>8}{'found':>8}{'precision':>11}{'recall':>8}{'F1':>8}{'AP':>8}"
        for s in (*self.vehicles, *self.brightness, *(self.gsd if len(self.gsd) > 1 else ())):
            found = str(s.found) if s.false_told else "-"
            yield (
                f"{s.kind:<9}{s.truth:>8}{found:>8}{s.precision:>11.3f}{s.recall:>8.3f}{s.f1:>8.3f}"
                f"{s.average_precision:>8.3f}"
            )
        yield (
            f"count error {self.vehicles[0].count_error:+d}, centres {self.distance_m:.2f} m apart, "
            f"not counted: {self.ignored_truth} true, {self.ignored_found} found"
        )

    def _of_queues(self) -> Iterator[str]:
        if self.queues:
            yield f"{'queue':<9}{'truth km':>10}{'found km':>10}{'error m':>9}{'interval km':>20}  hit"
        for q in self.queues:
            high = f"{q.high_km:.3f}" if math.isfinite(q.high_km) else "open"
            interval = f"{q.low_km:.3f} to {high}"
            yield (
                f"{q.side:<9}{q.truth_km:>10.3f}{q.found_km:>10.3f}{1000 * q.error_km:>+9.1f}{interval:>20}  "
                + ("yes" if q.hit else "no")
            )
        yield f"queues missed {self.missed_queues}, false {self.false_queues}"

    def _of_counts(self) -> Iterator[str]:
        told = [q for q in self.queues if math.isfinite(q.truth_vehicles) and q.truth_vehicles > 0]
        if told:
            head = f"{'in queue':<9}{'truth':>8}{'counted':>9}{'error':>8}{'corrected':>11}{'error':>8}"
            yield f"{head}{'interval':>17}  hit"
        for q in told:
            errors = [f"{100 * (n / q.truth_vehicles - 1):+.1f}%" for n in (q.counted_vehicles, q.found_vehicles)]
            high = f"{q.vehicles_high:.0f}" if math.isfinite(q.vehicles_high) else "open"
            yield (
                f"{q.side:<9}{q.truth_vehicles:>8.0f}{q.counted_vehicles:>9}{errors[0]:>8}{q.found_vehicles:>11.0f}"
                f"{errors[1]:>8}{f'{q.vehicles_low:.0f} to {high}':>17}  " + ("yes" if q.vehicles_hit else "no")
            )

    def _of_scores(self) -> Iterator[str]:
        if not self.calibration.bins:
            return
        yield f"{'score':<15}{'vehicles':>8}{'mean':>8}{'true':>8}"
        for each in self.calibration.bins:
            span = f"{each.low:.3f} to {each.high:.3f}"
            yield f"{span:<15}{each.count:>8}{each.mean_score:>8.3f}{each.true_share:>8.3f}"
        yield (
            f"calibration error {self.calibration.error:.3f}, "
            f"by chance {self.calibration.error_by_chance:.3f} if scores held exactly"
        )


def pooled(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Take several evaluations as one: vehicles and queues of all of them together.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        At least one.
    """
    return Evaluation.of(
        Marks.joined(each.marks for each in evaluations),
        distances_m=[d for each in evaluations for d in each.distances_m],
        ignored=(sum(each.ignored_truth for each in evaluations), sum(each.ignored_found for each in evaluations)),
        queues=[queue for each in evaluations for queue in each.queues],
        missed_queues=sum(each.missed_queues for each in evaluations),
        false_queues=sum(each.false_queues for each in evaluations),
    )
