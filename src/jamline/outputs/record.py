"""`run.json`: what was measured, from what, and with which settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jamline._version import __version__
from jamline.errors import OutputError
from jamline.outputs.layers import stretches
from jamline.spans import total_m

if TYPE_CHECKING:
    from jamline.claims import Finding
    from jamline.evidence import Evidence
    from jamline.queues import Queues

SCHEMA: Final = "jamline/run/1"


class ImageLike(Protocol):
    """What is put down of an image; `jamline.imagery.Image` has it."""

    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str | None: ...  # noqa: D102
    @property
    def gsd_m(self) -> float: ...  # noqa: D102
    @property
    def acquired(self) -> str | None: ...  # noqa: D102


class _Record(BaseModel):
    # A later version may add keys; a reader of this one passes them by.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class ImageRecord(_Record):
    """One input image."""

    path: str
    sha256: str | None = None
    gsd_m: float
    acquired: str | None = None


class DetectorRecord(_Record):
    """The detector, with the digest of its weights where it has any."""

    name: str
    sha256: str | None = None


class IntervalRecord(_Record):
    """A number and the interval that holds it."""

    value: float | None
    low: float | None
    high: float | None


class EstimateRecord(IntervalRecord):
    """An estimate as `Estimate.to_json` writes it."""

    level: float
    open: list[Literal["start", "end"]]


class UnseenRecord(_Record):
    """A stretch that was not seen; side ``all`` where it is the whole road."""

    start_m: float
    end_m: float
    reason: str
    side: str = "all"


class CoverageRecord(_Record):
    """How much of the road was seen, on at least one side."""

    seen_m: float
    unseen: list[UnseenRecord]


class BridgeRecord(_Record):
    """An unseen stretch within a queue, and the probability that the queue runs on through it."""

    start_m: float
    end_m: float
    probability: float


class MotionRecord(_Record):
    """Whether a queue stands, and its speed where that could be told."""

    state: Literal["standing", "moving", "unknown"] = "unknown"
    speed_kmh: EstimateRecord | None = None
    lag_s: float = 0.0
    reason: str = ""


class QueueRecord(_Record):
    """One queue."""

    side: str
    start_m: float
    end_m: float
    length_km: EstimateRecord
    occupied_km: EstimateRecord
    vehicles: EstimateRecord
    trucks: float | None = None
    lanes: float | None
    density_per_km_lane: float | None
    packing: str
    sensitivity_km: dict[str, float | None]
    bridged: list[BridgeRecord] = []
    unbroken: float = 1.0
    motion: MotionRecord = MotionRecord()


class FindingRecord(_Record):
    """The verdict on one claim."""

    claim: str
    verdict: Literal["supported", "refuted", "undecided"]
    probability: float | None
    likelihood: str
    reason: str
    notes: list[str] = []
    read: dict[str, Any] = {}
    """How the claim was read: the arguments of `jamline.claims.Claim`."""


class RoadRecord(_Record):
    """One road and what was measured on it."""

    name: str
    length_m: float
    origin: str = "start"
    origin_station_m: float
    alignment_m: IntervalRecord
    coverage: CoverageRecord
    queues: list[QueueRecord]
    findings: list[FindingRecord]


class RunRecord(_Record):
    """The whole of `run.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, serialize_by_alias=True)

    schema_: Literal["jamline/run/1"] = Field(default=SCHEMA, alias="schema")
    jamline: str = __version__
    imagery: list[ImageRecord] = []
    settings: dict[str, Any] = {}
    detector: DetectorRecord
    roads: list[RoadRecord]
    title: str | None = None
    review: dict[str, Any] | None = None
    """What a person looked at, and how many were right and missed there; ``None`` before a review."""

    def newest_image(self) -> str | None:
        """Return the time of the newest image, ``None`` where none is known."""
        return max((image.acquired for image in self.imagery if image.acquired), default=None)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `run.json` holds."""
        return self.model_dump(mode="json", by_alias=True)


def run_record(
    queues: Queues | Sequence[Queues],
    findings: Finding | Sequence[Finding] | None = None,
    *,
    evidence: Sequence[Evidence] | None = None,
    imagery: Iterable[ImageLike] = (),
    settings: Mapping[str, Any] | None = None,
    detector_sha256: str | None = None,
) -> RunRecord:
    """Put down a run.

    Parameters
    ----------
    queues : Queues or sequence of Queues
        One for each road; at least one.
    findings : Finding or sequence of Finding, optional
        Claims that were checked. Each stands with the road that it names, else with the longest queue's.
    evidence : sequence of Evidence, optional
        By default each road's own.
    imagery : iterable of Image
        The inputs. Their digests are taken here, which reads every byte of them.
    settings : mapping, optional
        What was asked for. The settings of the queue model are added under their own names.
    detector_sha256 : str, optional
        Digest of the detector's weights.

    Returns
    -------
    RunRecord

    Raises
    ------
    OutputError
        If there is no road, or a value has no place in JSON.
    """
    per_road = as_queues(queues)
    if not per_road:
        raise OutputError("Invalid run 'no roads'. Must hold the queues of at least one road, be they none.")
    evidences = [each.evidence for each in per_road] if evidence is None else list(evidence)
    told = _told(findings, per_road)
    try:
        return RunRecord(
            imagery=[
                ImageRecord(path=str(i.path), sha256=i.sha256, gsd_m=round(i.gsd_m, 4), acquired=i.acquired)
                for i in imagery
            ],
            settings=_settings(per_road[0].settings, settings or {}),
            detector=DetectorRecord(name=evidences[0].detector, sha256=detector_sha256),
            roads=[
                _road(each, seen, told[index])
                for index, (each, seen) in enumerate(zip(per_road, evidences, strict=True))
            ],
        )
    except (ValidationError, TypeError) as error:
        raise OutputError(f"Invalid run '{_first_line(error)}'. Must fit the schema {SCHEMA}.") from error


def as_queues(queues: Queues | Sequence[Queues]) -> list[Queues]:
    """Return a list with one `Queues` for each road."""
    # `Queues` is itself a sequence, of queues: only what it alone has tells it from a list of them.
    return cast("list[Queues]", [queues] if hasattr(queues, "evidence") else list(queues))


def as_findings(findings: Finding | Sequence[Finding] | None) -> list[Finding]:
    """Return a list of findings, empty where there is none."""
    if findings is None:
        return []
    return cast("list[Finding]", [findings] if hasattr(findings, "verdict") else list(findings))


def write_run(path: str | Path, record: RunRecord) -> None:
    """Write `run.json`, the same bytes for the same run."""
    text = json.dumps(record.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def read_run(path: str | Path) -> RunRecord:
    """Read a `run.json`, or the one in a result folder.

    Parameters
    ----------
    path : str or Path
        The file or its folder.

    Raises
    ------
    OutputError
        If it is missing, or not of this schema.
    """
    file = Path(path) / "run.json" if Path(path).is_dir() else Path(path)
    try:
        return RunRecord.model_validate_json(file.read_bytes())
    except OSError as error:
        raise OutputError(f"Invalid run record '{file}'. Must be a file that can be read.") from error
    except ValidationError as error:
        wrong = _first_line(error)
        raise OutputError(f"Invalid run record '{file}'. Must fit the schema {SCHEMA}: {wrong}.") from error


def _road(queues: Queues, evidence: Evidence, findings: Sequence[Finding]) -> RoadRecord:
    road, shift = evidence.road, evidence.alignment_m.to_json(digits=2)
    return RoadRecord(
        name=road.name,
        length_m=round(road.length_m, 1),
        origin=road.origin,
        origin_station_m=round(road.origin_station_m, 1),
        alignment_m=IntervalRecord(value=shift["value"], low=shift["low"], high=shift["high"]),
        coverage=CoverageRecord(
            seen_m=round(float(total_m(evidence.seen_by_any())), 1), unseen=unseen_records(evidence)
        ),
        queues=[QueueRecord.model_validate(queue.to_json()) for queue in queues],
        findings=[FindingRecord.model_validate(finding.to_json() | {"read": _read(finding)}) for finding in findings],
    )


def _read(finding: Finding) -> dict[str, Any]:
    """Return how a claim was read, without what it leaves out."""
    return {name: value for name, value in asdict(finding.claim).items() if value not in (None, "")}


def unseen_records(evidence: Evidence) -> list[UnseenRecord]:
    """Return the stretches that were not seen; one that all sides share is told once, as side ``all``."""
    sides: dict[tuple[float, float, str], list[str]] = {}
    for row in stretches(evidence.sight):
        if not row["seen"]:
            key = (round(row["start_m"], 1), round(row["end_m"], 1), row["reason"])
            sides.setdefault(key, []).append(row["side"])
    records: list[UnseenRecord] = []
    for (start_m, end_m, reason), where in sorted(sides.items()):
        named = ["all"] if set(where) >= set(evidence.road.sides) else where
        records += [UnseenRecord(start_m=start_m, end_m=end_m, reason=reason, side=side) for side in named]
    return records


def _told(findings: Finding | Sequence[Finding] | None, per_road: Sequence[Queues]) -> list[list[Finding]]:
    """Sort findings by road."""
    every = as_findings(findings)
    names = [queues.evidence.road.name for queues in per_road]
    lengths = [max((queue.length_km.value for queue in queues), default=0.0) for queues in per_road]
    longest = lengths.index(max(lengths))
    told: list[list[Finding]] = [[] for _ in names]
    for finding in every:
        road = getattr(finding, "road", None)
        told[names.index(road) if road in names else longest].append(finding)
    return told


def _settings(*settings: Mapping[str, Any]) -> dict[str, Any]:
    """Join settings, later ones first in rank, as JSON has them."""
    joined = {key: value for each in settings for key, value in each.items()}
    plain: dict[str, Any] = json.loads(json.dumps(joined, default=_plain))
    return plain


def _plain(value: Any) -> Any:
    """Turn a setting into what JSON has: arrays into lists, paths into text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"the setting {value!r} has no place in JSON")


def _first_line(error: Exception) -> str:
    """Return what a validation error says, on one line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
