"""Stretches along a road, and numbers that say how sure they are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jamline.cards import card


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of stations, ``start_m <= end_m``.

    Parameters
    ----------
    start_m, end_m : float
        Stations in metres.

    Examples
    --------
    >>> Span(10.0, 25.0).length_m
    15.0
    """

    start_m: float
    end_m: float

    def __post_init__(self) -> None:
        if not self.end_m >= self.start_m:
            raise ValueError(f"Invalid span '{self.start_m}, {self.end_m}'. Must not end before it starts.")

    @property
    def length_m(self) -> float:
        """Length in metres."""
        return self.end_m - self.start_m


def merge(spans: Iterable[Span], *, gap_m: float = 0.0) -> list[Span]:
    """Join spans that overlap or lie at most ``gap_m`` apart.

    Parameters
    ----------
    spans : iterable of Span
        In any order.
    gap_m : float
        The widest gap in metres that is closed.

    Returns
    -------
    list of Span
        Disjoint, in order of station.

    Examples
    --------
    >>> merge([Span(0, 5), Span(20, 30), Span(4, 9)], gap_m=2)
    [Span(start_m=0, end_m=9), Span(start_m=20, end_m=30)]
    """
    every = list(spans)
    return merged_over([span.start_m for span in every], [span.end_m for span in every], gap_m=gap_m)


def merged_over(start_m: npt.ArrayLike, end_m: npt.ArrayLike, *, gap_m: float = 0.0) -> list[Span]:
    """Join spans as `merge` does, given by their ends, as the many bins of a long road are.

    Parameters
    ----------
    start_m, end_m : array, shape (n,)
    gap_m : float
        The widest gap in metres that is closed.

    Returns
    -------
    list of Span
        Disjoint, in order of station.

    Examples
    --------
    >>> merged_over([0.0, 20.0, 4.0], [5.0, 30.0, 9.0])
    [Span(start_m=0.0, end_m=9.0), Span(start_m=20.0, end_m=30.0)]
    """
    start, end = np.asarray(start_m), np.asarray(end_m)
    if not len(start):
        return []
    order = np.argsort(start, kind="stable")
    start, reach = start[order], np.maximum.accumulate(end[order])
    first = np.append(True, ~(start[1:] - reach[:-1] <= gap_m))
    last = np.append(first[1:], True)
    return [Span(*ends) for ends in zip(start[first].tolist(), reach[last].tolist(), strict=True)]


def intersect(spans: Iterable[Span], within: Span) -> list[Span]:
    """Cut spans to what lies within one span; what is left with no length is dropped.

    Examples
    --------
    >>> intersect([Span(0, 5), Span(8, 30)], Span(4, 10))
    [Span(start_m=4, end_m=5), Span(start_m=8, end_m=10)]
    """
    cut = []
    for span in spans:
        start_m, end_m = max(span.start_m, within.start_m), min(span.end_m, within.end_m)
        if end_m > start_m:
            cut.append(Span(start_m, end_m))
    return cut


def subtract(whole: Span, spans: Iterable[Span]) -> list[Span]:
    """Return what of ``whole`` no span covers.

    Examples
    --------
    >>> subtract(Span(0, 10), [Span(2, 3), Span(9, 12)])
    [Span(start_m=0, end_m=2), Span(start_m=3, end_m=9)]
    """
    left, at_m = [], whole.start_m
    for span in merge(intersect(spans, whole)):
        if span.start_m > at_m:
            left.append(Span(at_m, span.start_m))
        at_m = span.end_m
    if at_m < whole.end_m:
        left.append(Span(at_m, whole.end_m))
    return left


def total_m(spans: Iterable[Span]) -> float:
    """Sum of the lengths in metres, every place counted once.

    Examples
    --------
    >>> total_m([Span(0, 5), Span(4, 9)])
    9
    """
    return sum(span.length_m for span in merge(spans))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the interval that holds it.

    Parameters
    ----------
    value : float
        The best single answer.
    low, high : float or None
        Ends of the interval; ``None`` where nothing bounds that side.
    level : float
        Probability that the interval holds the truth.
    unit : str
        What is counted or measured, for people: ``"km"``, ``"vehicles"``.
    open : tuple of str
        Ends (``"start"``, ``"end"``) at which the thing measured leaves what was seen.

    Examples
    --------
    >>> print(Estimate(15.73, 15.70, None, unit="km", open=("end",)))
    at least 15.70 km (open at its end)
    >>> print(Estimate(2.31, 2.28, 2.35, unit="km"))
    2.31 km (90 %: 2.28 to 2.35)
    """

    value: float
    low: float | None
    high: float | None
    level: float = 0.9
    unit: str = ""
    open: tuple[str, ...] = ()

    def to_json(self, *, digits: int = 3) -> dict[str, Any]:
        """Return the object that `run.json` holds.

        Parameters
        ----------
        digits : int
            Decimal places kept.
        """
        return {
            "value": _rounded(self.value, digits),
            "low": _rounded(self.low, digits),
            "high": _rounded(self.high, digits),
            "level": self.level,
            "open": list(self.open),
        }

    def __str__(self) -> str:
        digits = 2 if self.unit == "km" else 1 if self.unit == "m" else 0
        unit = f" {self.unit}" if self.unit else ""
        if self.high is None:
            ends = " and ".join(self.open)
            low = self.value if self.low is None else self.low
            return f"at least {low:.{digits}f}{unit}" + (f" (open at its {ends})" if ends else "")
        low = self.value if self.low is None else self.low
        percent = f"{100 * self.level:.0f} %"
        return f"{self.value:.{digits}f}{unit} ({percent}: {low:.{digits}f} to {self.high:.{digits}f})"

    def _repr_html_(self) -> str:
        return card("Estimate", [("value", self), ("level", f"{100 * self.level:.0f} %")])


def _rounded(number: float | None, digits: int) -> float | None:
    """Round for JSON, which knows neither NaN nor infinity."""
    if number is None or not math.isfinite(number):
        return None
    return round(float(number), digits)


def round_m(most_m: float, *, least_m: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20... metres that is no longer, but at least so many.

    Parameters
    ----------
    most_m, least_m : float
        Metres; the least is a power of ten.

    Examples
    --------
    >>> round_m(3490.0, least_m=10.0), round_m(760.0, least_m=10.0), round_m(0.2, least_m=1.0)
    (2000.0, 500.0, 1.0)
    """
    most_m = max(most_m, least_m)
    power = 10.0 ** math.floor(math.log10(most_m))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= most_m)
