"""What every detector is: a section of flat road in, boxes in road space out."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Protocol

import numpy as np
import numpy.typing as npt

from jamline.corridor import Section

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Boxes:
    """Vehicles of one section, boxes along the road.

    Parameters
    ----------
    station_m, offset_m : array, shape (n,)
        Centres.
    length_m, width_m : array, shape (n,)
        Along and across the road.
    score : array, shape (n,)
        Probability that this is a vehicle.
    parked : array, shape (n,)
        Probability by its looks alone that it is parked beside the running lanes; 0.5 from a detector that cannot tell.
    """

    station_m: Array
    offset_m: Array
    length_m: Array
    width_m: Array
    score: Array
    parked: Array

    @classmethod
    def none(cls) -> Boxes:
        """Return no vehicle."""
        return cls(*(np.zeros(0) for _ in range(6)))

    def __len__(self) -> int:
        return len(self.station_m)

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Boxes:
        """Return some of the boxes."""
        return Boxes(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Found:
    """What a detector says of one section.

    Parameters
    ----------
    boxes : Boxes
        Vehicles, those in the overlap with the next section too.
    hidden : array of uint8, shape (rows, columns)
        The section's `Hidden` codes, with what the detector itself could not see through.
    recall : array, shape (columns,)
        Share of vehicles that it finds there, by its own estimate.
    false_per_km : array, shape (columns,)
        False vehicles per km that it expects there, over the carriageway.
    """

    boxes: Boxes
    hidden: npt.NDArray[np.uint8] = field(repr=False)
    recall: Array = field(repr=False)
    false_per_km: Array = field(repr=False)


@dataclass(frozen=True, slots=True)
class Usual:
    """What a detector finds on usual imagery of a resolution, said before there is any.

    Parameters
    ----------
    recall : float
        Share of the vehicles.
    false_per_km : float
        False vehicles per km, over the carriageway.
    """

    recall: float
    false_per_km: float


class Detector(Protocol):
    """Finds vehicles in a section. Sections are joined, and vehicles put on the map, by `find_vehicles`."""

    @property
    def name(self) -> str:
        """Name on the command line and in `run.json`."""
        ...

    @property
    def sha256(self) -> str | None:
        """Hash of the weights, ``None`` where there are none."""
        ...

    def find(self, section: Section, *, carriageway_m: float) -> Found:
        """Find the vehicles of a section.

        Parameters
        ----------
        section : Section
            Flat road with its overlap.
        carriageway_m : float
            Width of the running lanes.
        """
        ...


class Shipped(Detector, Protocol):
    """A detector that comes with the package, and so one to plan with."""

    def usual(self, gsd_m: float) -> Usual:
        """Say what it finds on usual imagery of a resolution in metres."""
        ...
