"""Stretches that a person has looked at whole: what was right and missed there, and what that says of the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special, stats

from jamline.evidence import Evidence
from jamline.review._edits import Edits
from jamline.spans import Estimate, Span, intersect, merge, subtract, total_m

Array = npt.NDArray[np.float64]
Places = Mapping[tuple[str, str], list[Span]]
"""Stretches by road and side."""

STRETCH_M = 50.0
"""Length of a stretch: what fits a window in which single vehicles can be told, and some seven cars of a row."""

_RECALL_SD, _FALSE_SD = 0.45, 0.7
"""By how much a detector's own figures may be off, in log odds and logarithm, as the queue model takes it."""

_LEVEL = 0.9


@dataclass(frozen=True)
class Looked:
    """What was counted where a person looked.

    Parameters
    ----------
    spans : mapping of (road, side) to list of Span
        The stretches.
    length_m : float
        Their length.
    found, right, missed : int
        Vehicles that the detector found there, those of them that are some, and those that were added.
    """

    spans: Places
    length_m: float
    found: int
    right: int
    missed: int

    @property
    def precision(self) -> Estimate | None:
        """Share of the found ones that are vehicles; ``None`` where nothing was found."""
        return _share(self.right, self.found)

    @property
    def recall(self) -> Estimate | None:
        """Share of the vehicles that were found; ``None`` where there are none."""
        return _share(self.right, self.right + self.missed)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `run.json` holds."""
        told = {name: None if each is None else each.to_json() for name, each in self._shares()}
        return {
            "stretches": [
                {"road": road, "side": side, "start_m": round(span.start_m, 1), "end_m": round(span.end_m, 1)}
                for (road, side), spans in sorted(self.spans.items())
                for span in spans
            ],
            "reviewed_m": round(self.length_m, 1),
            "found": self.found,
            "right": self.right,
            "missed": self.missed,
            **told,
        }

    def _shares(self) -> Sequence[tuple[str, Estimate | None]]:
        return ("precision", self.precision), ("recall", self.recall)


def all_marked(edits: Edits, evidence: Sequence[Evidence]) -> Places:
    """Return the stretches in which every vehicle bears a mark, and at least one does.

    One mark among others says nothing of the rest: somebody may have removed the one wrong box that caught the eye.
    """
    columns = ["road", "side", "station_m"]
    every = pd.concat([edits.found[[*columns, "marked"]], edits.added[columns].assign(marked=True)], ignore_index=True)
    every["number"] = np.floor(every["station_m"] / STRETCH_M)
    places: dict[tuple[str, str], list[Span]] = {}
    length_m = {each.road.name: each.road.length_m for each in evidence}
    for (road, side, number), marked in every.groupby(["road", "side", "number"])["marked"].all().items():
        if marked:
            start_m = float(number * STRETCH_M)
            span = Span(start_m, max(start_m, min(start_m + STRETCH_M, length_m[road])))
            places.setdefault((road, side), []).append(span)
    return joined(places)


def joined(*several: Places) -> Places:
    """Put stretches together, every place once."""
    keys = {key for places in several for key in places}
    return {key: merge(span for places in several for span in places.get(key, [])) for key in sorted(keys)}


def counted(places: Places, edits: Edits) -> Looked:
    """Count what a person found right and missing on some stretches."""
    found = edits.found[within(edits.found, places)]
    return Looked(
        spans=places,
        length_m=float(sum(total_m(spans) for spans in places.values())),
        found=len(found),
        right=int(found["right"].sum()),
        missed=int(within(edits.added, places).sum()),
    )


def within(vehicles: Any, places: Places) -> npt.NDArray[np.bool_]:
    """Tell which vehicles stand on some stretches, shape (n,)."""
    inside = np.zeros(len(vehicles), dtype=bool)
    station = vehicles["station_m"].to_numpy(float)
    for (road, side), spans in places.items():
        on_side = ((vehicles["road"] == road) & (vehicles["side"] == side)).to_numpy()
        for span in spans:
            inside |= on_side & (station >= span.start_m) & (station < span.end_m)
    return inside


def reseen(evidence: Evidence, looked: Places, drawn: Places, edits: Edits) -> pd.DataFrame:
    """Return how well each stretch was seen, now that a person has looked.

    Where somebody looked nothing is missed and nothing false. Elsewhere the detector's figures are moved by what was
    found on stretches drawn at random, as far as they may be off; stretches that somebody chose tell nothing of others.

    Parameters
    ----------
    evidence : Evidence
        Of one road, as the detector left it.
    looked, drawn : mapping
        All stretches looked at, and those of them that were drawn at random.
    edits : Edits
        The review.

    Returns
    -------
    DataFrame
        Schema `tables.SIGHT`.
    """
    sight = evidence.sight
    recall, false = _moved(sight, evidence.road.name, drawn, edits)
    rows = []
    for row in sight.assign(recall=recall, false_per_km=false).to_dict("records"):
        whole = Span(row["start_m"], row["end_m"])
        spans = looked.get((evidence.road.name, row["side"]), []) if row["seen"] else []
        inside = intersect(spans, whole)
        rows += [
            row | {"start_m": s.start_m, "end_m": s.end_m} for s in (subtract(whole, inside) if inside else [whole])
        ]
        rows += [row | {"start_m": s.start_m, "end_m": s.end_m, "recall": 1.0, "false_per_km": 0.0} for s in inside]
    frame = pd.DataFrame(rows, columns=list(sight.columns)).astype(dict(sight.dtypes))
    frame["order"] = pd.Categorical(frame["side"], evidence.road.sides).codes
    return frame.sort_values(["order", "start_m"], kind="stable").drop(columns="order").reset_index(drop=True)


def _moved(sight: pd.DataFrame, road: str, drawn: Places, edits: Edits) -> tuple[Array, Array]:
    """Return recall and false vehicles per km of each row, moved to the likeliest by what was drawn."""
    recall, false = sight["recall"].to_numpy(float), sight["false_per_km"].to_numpy(float)
    places = {key: spans for key, spans in drawn.items() if key[0] == road}
    if not places:
        return recall, false
    found = edits.found[within(edits.found, places)]
    added = edits.added[within(edits.added, places)]
    hits, misses = (_at(sight, each, recall) for each in (found[found["right"]], added))
    expected = sum(
        rate * total_m(intersect(places.get((road, side), []), Span(start, end))) / 1000.0
        for side, start, end, seen, rate in zip(
            sight["side"], sight["start_m"], sight["end_m"], sight["seen"], false, strict=True
        )
        if seen
    )
    wrong = int((~found["right"]).sum())

    def odds_loss(shift: float) -> float:
        known = special.log_expit(hits + shift).sum() + special.log_expit(-(misses + shift)).sum()
        return float(0.5 * (shift / _RECALL_SD) ** 2 - known)

    def false_loss(shift: float) -> float:
        return float(0.5 * (shift / _FALSE_SD) ** 2 - wrong * shift + expected * np.exp(shift))

    shift = optimize.minimize_scalar(odds_loss, bounds=(-3.0, 3.0), method="bounded").x
    factor = np.exp(optimize.minimize_scalar(false_loss, bounds=(-3.0, 3.0), method="bounded").x)
    seen = sight["seen"].to_numpy(bool)
    moved = special.expit(special.logit(np.clip(recall, 0.01, 0.99)) + shift)
    return np.where(seen, moved, recall), false * factor


def _at(sight: pd.DataFrame, vehicles: Any, recall: Array) -> Array:
    """Return the log odds with which the detector would find each vehicle, shape (n,)."""
    odds = np.zeros(len(vehicles))
    for side in set(vehicles["side"]):
        rows = np.flatnonzero(sight["side"] == side)
        here = np.flatnonzero(vehicles["side"] == side)
        place = np.searchsorted(sight["end_m"].to_numpy(float)[rows], vehicles["station_m"].to_numpy(float)[here])
        odds[here] = special.logit(np.clip(recall[rows[np.minimum(place, len(rows) - 1)]], 0.01, 0.99))
    return odds


def _share(part: int, whole: int) -> Estimate | None:
    """Return a share with the interval of Jeffreys' prior, ``None`` of nothing."""
    if not whole:
        return None
    low, high = stats.beta.ppf(((1 - _LEVEL) / 2, (1 + _LEVEL) / 2), part + 0.5, whole - part + 0.5)
    return Estimate(part / whole, 0.0 if part == 0 else float(low), 1.0 if part == whole else float(high), _LEVEL)
