"""What was seen along one road: vehicles in road space, and how well each stretch was seen.

Everything behind this door knows stations and offsets, but no pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from jamline import tables
from jamline.cards import card
from jamline.road import Road
from jamline.spans import Estimate, Span, merged_over


@dataclass(frozen=True, eq=False)
class Evidence:
    """Vehicles on one road, and the sight that they were found with.

    Parameters
    ----------
    road : Road
        The road as aligned to the imagery; stations and offsets refer to it.
    vehicles : GeoDataFrame
        Schema `tables.VEHICLES`, in order of station.
    sight : DataFrame
        Schema `tables.SIGHT`: for each side, stretches that tile the whole road.
    alignment_m : Estimate
        How far the drawn line lay from the road: the mean of the shift that was applied, left positive.
    half_width_m : float
        How far to each side of the road was looked.
    gsd_m : float
        Resolution of the imagery in metres.
    detector : str
        Name of the detector.
    """

    road: Road
    vehicles: Any = field(repr=False)
    sight: pd.DataFrame = field(repr=False)
    alignment_m: Estimate
    half_width_m: float
    gsd_m: float
    detector: str

    def __post_init__(self) -> None:
        tables.check(self.vehicles, tables.VEHICLES, source="evidence")
        tables.check(self.sight, tables.SIGHT, source="evidence")

    def __repr__(self) -> str:
        seen_km = sum(span.length_m for span in self.seen_by_any()) / 1000
        return (
            f"<Evidence on '{self.road.name}': {len(self.vehicles)} vehicles, "
            f"{seen_km:.2f} of {self.road.length_m / 1000:.2f} km seen>"
        )

    def _repr_html_(self) -> str:
        seen_km = sum(span.length_m for span in self.seen_by_any()) / 1000
        rows = [
            ("vehicles", len(self.vehicles)),
            ("seen", f"{seen_km:.2f} of {self.road.length_m / 1000:.2f} km"),
            ("resolution", f"{self.gsd_m:.2g} m"),
            ("alignment", self.alignment_m),
            ("detector", self.detector),
        ]
        return card(f"Evidence on {self.road.name}", rows)

    def seen(self, side: str) -> list[Span]:
        """Return the stretches of one side in which vehicles could have been seen.

        Parameters
        ----------
        side : str
            ``left``, ``right`` or ``all``, one of the road's sides.
        """
        return list(self._seen.get(side, ()))

    @cached_property
    def _seen(self) -> dict[str, list[Span]]:
        """The seen stretches by side. Each queue asks for them, and a long road has very many bins of sight."""
        rows = self.sight[self.sight["seen"]]
        return {side: merged_over(own["start_m"], own["end_m"]) for side, own in rows.groupby("side")}

    def seen_by_any(self) -> list[Span]:
        """Return the stretches seen on at least one side."""
        rows = self.sight[self.sight["seen"]]
        return merged_over(rows["start_m"], rows["end_m"])
