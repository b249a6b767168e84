"""What was measured: one queue, and all queues of a road."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from jamline import tables
from jamline.cards import card, grid
from jamline.evidence import Evidence
from jamline.spans import Estimate

Array = npt.NDArray[np.float64]


_UNTOLD = Estimate(math.nan, None, None)


@dataclass(frozen=True, slots=True)
class Bridge:
    """An unseen stretch within a queue, of which vehicles were seen on both sides of it.

    Parameters
    ----------
    start_m, end_m : float
        Stations between which nobody saw.
    probability : float
        That the queue goes on through it.
    """

    start_m: float
    end_m: float
    probability: float

    def to_json(self) -> dict[str, float]:
        """Return the object that `run.json` holds."""
        return {
            "start_m": round(self.start_m, 1),
            "end_m": round(self.end_m, 1),
            "probability": round(self.probability, 3),
        }


@dataclass(frozen=True, slots=True)
class Motion:
    """Whether a queue stands, by what bands taken at different instants show.

    Parameters
    ----------
    state : str
        ``standing``, ``moving`` or ``unknown``.
    speed_kmh : Estimate or None
        Along the road, either way.
    lag_s : float
        Seconds between the bands; 0 where that is not known.
    reason : str
        Why it is not known; empty where it is.
    """

    state: str = "unknown"
    speed_kmh: Estimate | None = None
    lag_s: float = 0.0
    reason: str = "the bands' times are not known"

    def to_json(self) -> dict[str, Any]:
        """Return the object that `run.json` holds."""
        return {
            "state": self.state,
            "speed_kmh": None if self.speed_kmh is None else self.speed_kmh.to_json(digits=1),
            "lag_s": round(self.lag_s, 3),
            "reason": self.reason,
        }


@dataclass(frozen=True, eq=False)
class Queue:
    """One queue on one side of one road.

    Parameters
    ----------
    road, side : str
        Where.
    start_m, end_m : float
        Stations of the near end of its first and the far end of its last vehicle.
    length_km, occupied_km, vehicles : Estimate
        Length, length without gaps, count corrected for what is missed.
    trucks : float
        Share of vehicles over 7 m, 0 to 1.
    lanes : float
        Mean rows abreast where occupied.
    density_per_km_lane : float
        Vehicles per km and row where occupied.
    packing : str
        ``packed`` or ``dense``.
    sensitivity_km : mapping of str to float
        Length in km if gaps over 20, 50 or 100 m broke a queue.
    length_samples_km, count_samples : array, shape (draws,)
        Posterior draws of the seen length and of the count; 0 in draws without this queue.
    start, end, rows : Estimate
        `start_m`, `end_m` and `lanes` with their intervals.
    bridged : tuple of Bridge
        Unseen stretches within it.
    unbroken : float
        Probability that it runs on through all of them.
    motion : Motion
        Whether it stands.
    """

    road: str
    side: str
    start_m: float
    end_m: float
    length_km: Estimate
    occupied_km: Estimate
    vehicles: Estimate
    trucks: float
    lanes: float
    density_per_km_lane: float
    packing: str
    sensitivity_km: Mapping[str, float]
    length_samples_km: Array = field(repr=False)
    count_samples: Array = field(repr=False)
    start: Estimate = _UNTOLD
    end: Estimate = _UNTOLD
    rows: Estimate = _UNTOLD
    bridged: tuple[Bridge, ...] = ()
    unbroken: float = 1.0
    motion: Motion = Motion()

    def to_json(self) -> dict[str, Any]:
        """Return the object that `run.json` holds."""
        return {
            "side": self.side,
            "start_m": round(self.start_m, 1),
            "end_m": round(self.end_m, 1),
            "length_km": self.length_km.to_json(digits=4),
            "occupied_km": self.occupied_km.to_json(digits=4),
            "vehicles": self.vehicles.to_json(digits=0),
            "trucks": round(self.trucks, 3),
            "lanes": round(self.lanes, 2),
            "density_per_km_lane": round(self.density_per_km_lane, 1),
            "packing": self.packing,
            "sensitivity_km": {key: round(value, 4) for key, value in self.sensitivity_km.items()},
            "bridged": [bridge.to_json() for bridge in self.bridged],
            "unbroken": round(self.unbroken, 3),
            "motion": self.motion.to_json(),
        }

    def head_and_tail(self, origin_station_m: float) -> tuple[tuple[str, float], tuple[str, float]]:
        """Return both ends, the one nearer to an origin first.

        Parameters
        ----------
        origin_station_m : float
            Station of the origin.

        Returns
        -------
        tuple of (str, float)
            Head, then tail: ``"start"`` or ``"end"``, and its station.
        """
        near, far = ("start", self.start_m), ("end", self.end_m)
        return (near, far) if abs(near[1] - origin_station_m) <= abs(far[1] - origin_station_m) else (far, near)

    def __repr__(self) -> str:
        return f"<Queue on '{self.road}', {self.side}: {self.length_km}, {self.vehicles}, {self.packing}>"

    def _repr_html_(self) -> str:
        rows = [
            ("length", self.length_km),
            ("without gaps", self.occupied_km),
            ("vehicles", self.vehicles),
            ("stations", f"{self.start_m:.0f} to {self.end_m:.0f} m"),
            ("density", f"{self.density_per_km_lane:.0f} per km and row, {self.packing}, in {self.lanes:.1f} rows"),
            ("motion", self.motion.state),
        ]
        return card(f"Queue on {self.road}, {self.side}", rows)

    def __str__(self) -> str:
        return f"{self.road}, {self.side}: {self.length_km}, {self.vehicles.value:.0f} vehicles, {self.packing}"


@dataclass(frozen=True, eq=False)
class Queues(Sequence[Queue]):
    """The queues of one road, the longest first, with the evidence that they rest on.

    Parameters
    ----------
    evidence : Evidence
        What they were measured from.
    items : tuple of Queue
        May be empty.
    vehicles : GeoDataFrame
        The evidence's vehicles with `state` told: queued, flowing or parked.
    settings : mapping
        ``gap_m``, ``break_m``, ``level``, ``seed``.
    doubtful : tuple of Queue
        Queues that are likelier than not, but not likely enough to be reported. They are no items; but a claim is not
        refuted by what may be there.
    """

    evidence: Evidence
    items: tuple[Queue, ...]
    vehicles: Any = field(repr=False)
    settings: Mapping[str, float]
    doubtful: tuple[Queue, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Queue: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Queue]: ...
    def __getitem__(self, index: int | slice) -> Queue | Sequence[Queue]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Queue]:
        return iter(self.items)

    def __repr__(self) -> str:
        lines = [f"<Queues on '{self.evidence.road.name}': {len(self)}>", *(f"  {queue}" for queue in self)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = ("side", "stations, m", "length", "vehicles", "packing")
        rows = [(q.side, f"{q.start_m:.0f} to {q.end_m:.0f}", q.length_km, q.vehicles, q.packing) for q in self]
        return grid(
            f"Queues on {self.evidence.road.name}" if rows else f"no queue on {self.evidence.road.name}", head, rows
        )

    def to_frame(self) -> Any:
        """Return the queues as a GeoDataFrame, schema `tables.QUEUES`."""
        if not self.items:
            return tables.empty(tables.QUEUES)
        rows: dict[str, list[Any]] = {name: [] for name in tables.QUEUES.names}
        for queue in self.items:
            for name, value in _row(queue).items():
                rows[name].append(value)
        lines = [
            self.evidence.road.line(queue.start_m, queue.end_m, offset_m=self._offset_m(queue)) for queue in self.items
        ]
        return tables.table(tables.QUEUES, rows, geometry=lines)

    def _offset_m(self, queue: Queue) -> float:
        """Return where the queue's line is drawn: over its vehicles."""
        rows = self.vehicles[(self.vehicles["side"] == queue.side) & (self.vehicles["state"] == "queued")]
        return float(rows["offset_m"].median()) if len(rows) else 0.0


def _row(queue: Queue) -> dict[str, Any]:
    """Return one row of the table of queues."""
    row: dict[str, Any] = {
        "road": queue.road,
        "side": queue.side,
        "start_m": queue.start_m,
        "end_m": queue.end_m,
        "level": queue.length_km.level,
        "open": ",".join(queue.length_km.open),
        "lanes": queue.lanes,
        "density_per_km_lane": queue.density_per_km_lane,
        "packing": queue.packing,
        "motion": queue.motion.state,
        "speed_kmh": np.nan if queue.motion.speed_kmh is None else queue.motion.speed_kmh.value,
        "label": f"≥ {queue.length_km.low:.2f} km" if queue.length_km.open else f"{queue.length_km.value:.2f} km",
    }
    for name, estimate in (
        ("length", queue.length_km),
        ("occupied", queue.occupied_km),
        ("vehicles", queue.vehicles),
    ):
        unit = "" if name == "vehicles" else "_km"
        row[f"{name}{unit}"] = estimate.value
        row[f"{name}_low{unit}"] = np.nan if estimate.low is None else estimate.low
        row[f"{name}_high{unit}"] = np.nan if estimate.high is None else estimate.high
    for key, length_km in queue.sensitivity_km.items():
        row[f"length_{key}_km"] = length_km
    return row
