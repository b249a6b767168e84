"""Vehicles that count, one row each: what every figure about them is worked out from."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from jamline.evaluate.brightness import BRIGHTNESSES
from jamline.evaluate.ranking import Calibration, average_precision, calibration
from jamline.evaluate.scores import Score

Mask: TypeAlias = npt.NDArray[np.bool_] | pd.Series

UNTOLD = "untold"
"""Brightness of a false vehicle where no imagery was looked at."""

_FOUND = {"score": "float64", "hit": "bool", "kind": "object", "true_kind": "object", "brightness": "object"}
_TRUTH = {"hit": "bool", "kind": "object", "brightness": "object"}


@dataclass(frozen=True, eq=False)
class Marks:
    """Vehicles that count, with what they were found to be.

    Parameters
    ----------
    found : DataFrame
        ``score, hit, kind, true_kind, brightness, gsd_m``; ``true_kind`` is the partner's, empty without one,
        and so is ``brightness`` as far as there is one.
    truth : DataFrame
        ``hit, kind, brightness, gsd_m``.
    """

    found: pd.DataFrame = field(repr=False)
    truth: pd.DataFrame = field(repr=False)

    @classmethod
    def joined(cls, marks: Iterable[Marks]) -> Marks:
        """Put the vehicles of several evaluations together."""
        every = list(marks)
        return cls(
            pd.concat([each.found for each in every], ignore_index=True),
            pd.concat([each.truth for each in every], ignore_index=True),
        )

    def by_kind(self) -> tuple[Score, ...]:
        """Return the scores of all vehicles, of cars and of trucks."""
        found, truth = self.found, self.truth
        whole = self._score("all", np.ones(len(found), bool), np.ones(len(truth), bool))
        scores = [whole]
        for kind in ("car", "truck"):
            alike, of_kind = found["kind"] == kind, found["true_kind"] == kind
            # A car found on a truck is right as a vehicle, and no part of the ranking of cars (as COCO's area
            # ranges have it): it would add to a recall that it has no share in.
            ranked = of_kind | (alike & (found["true_kind"] == ""))
            scores.append(self._score(kind, alike, truth["kind"] == kind, ranked))
        return tuple(scores)

    def by_brightness(self) -> tuple[Score, ...]:
        """Return the scores of dark, inconspicuous and bright vehicles; none where nothing tells them apart."""
        found, truth = self.found["brightness"], self.truth["brightness"]
        known = [name for name in BRIGHTNESSES if (found == name).any() or (truth == name).any()]
        scores = (self._score(name, found == name, truth == name) for name in known)
        if not (found == UNTOLD).any():
            return tuple(scores)
        return tuple(replace(score, average_precision=math.nan, false_told=False) for score in scores)

    def by_gsd(self) -> tuple[Score, ...]:
        """Return the scores at each resolution, the finest first; none where no run tells it."""
        # Files of one product differ in the third digit.
        found, truth = self.found["gsd_m"].round(2), self.truth["gsd_m"].round(2)
        sizes = sorted(set(found.dropna()) | set(truth.dropna()))
        return tuple(self._score(f"{size:.2f} m", found == size, truth == size) for size in sizes)

    def calibration(self) -> Calibration:
        """Tell whether scores hold as probabilities."""
        return calibration(self.found["score"], self.found["hit"])

    def _score(self, kind: str, of_found: Mask, of_truth: Mask, ranked: Mask | None = None) -> Score:
        found, truth = self.found[of_found], self.truth[of_truth]
        in_order = found if ranked is None else self.found[ranked]
        return Score(
            kind,
            len(truth),
            len(found),
            int(truth["hit"].sum()),
            int(found["hit"].sum()),
            average_precision(in_order["score"], in_order["hit"], len(truth)),
        )


def marks(found: pd.DataFrame, truth: pd.DataFrame, *, gsd_m: float) -> Marks:
    """Make the marks of one run, with the columns in their types also where there is no row."""
    return Marks(
        found.astype(_FOUND).assign(gsd_m=float(gsd_m)),
        truth.astype(_TRUTH).assign(gsd_m=float(gsd_m)),
    )
