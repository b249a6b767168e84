"""A result measured anew from what a person made of its vehicles, with the same queue model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jamline.claims import Claim, Finding, check_claims, read_claim
from jamline.errors import OutputError
from jamline.evidence import Evidence
from jamline.outputs import GEOPACKAGE, KEPT, Kept, RunRecord, Told, read_kept, read_run, result_folder, run_record
from jamline.queues import Motion, Queues, measure_queues
from jamline.review._edits import Edits, read_edits
from jamline.review._estimate import Count
from jamline.review._files import put_reviewed
from jamline.review._looked import Looked, all_marked, counted, joined, reseen
from jamline.review._spotcheck import drawn_stretches
from jamline.spans import Estimate


@dataclass(frozen=True, eq=False)
class Review:
    """What came of a review.

    Parameters
    ----------
    queues : tuple of Queues
        One for each road, measured on the reviewed evidence.
    findings : tuple of Finding
        The claims of the run, checked again.
    looked : Looked
        What was counted on the stretches that were looked at whole.
    accepted, rejected, added : int
        Vehicles that bear these marks; those deleted are among the rejected.
    count : Count or None
        Of the spot check, as far as there is one.
    run : RunRecord
        What `run.json` says now.
    """

    queues: tuple[Queues, ...]
    findings: tuple[Finding, ...]
    looked: Looked
    accepted: int
    rejected: int
    added: int
    count: Count | None
    run: RunRecord

    def sentences(self) -> list[str]:
        """Say what was reviewed, for people."""
        looked = self.looked
        marks = f"{self.accepted} accepted, {self.rejected} rejected, {self.added} added"
        said = [f"Reviewed: {marks}; {looked.length_m / 1000:.2f} km looked at whole"]
        for name, share in (("precision", looked.precision), ("recall", looked.recall)):
            if share is not None:
                said.append(f"  {name} there: {share.value:.3f} (90 %: {share.low:.3f} to {share.high:.3f})")
        return said + ([] if self.count is None else [f"  {self.count}"])


def remeasure(outdir: str | Path) -> Review:
    """Measure a result anew after its vehicles were reviewed, and rewrite it.

    Parameters
    ----------
    outdir : str or Path
        A result folder, of which `jam.gpkg` may be edited: vehicles marked in the column ``review``, added, moved,
        deleted, or given another ``state``; stretches of a spot check marked as ``reviewed``.

    Returns
    -------
    Review

    Raises
    ------
    ReviewError
        If the edited file is no longer a result; the folder is left as it is.
    OutputError
        If the folder is no result, or cannot be written.

    Notes
    -----
    The unedited run stays beside the new one in the folder ``unedited``. Edits are never taken back, and measuring
    twice gives the same result.
    """
    folder = Path(outdir)
    run = read_run(folder)
    kept = read_kept(folder / KEPT)
    path = folder / GEOPACKAGE
    edits = read_edits(path, kept)
    names = [each.road.name for each in kept.evidence]
    if [road.name for road in run.roads] != names:
        raise OutputError(f"Invalid evidence '{folder / KEPT}'. Must be of the roads of run.json, {', '.join(names)}.")
    drawn = drawn_stretches(path)
    checked = drawn.reviewed() if drawn else {}
    places = joined(all_marked(edits, kept.evidence), checked)
    queues = tuple(
        _measured(each, reseen(each, places, checked, edits), edits, run, index)
        for index, each in enumerate(kept.evidence)
    )
    days = sorted({image.acquired[:10] for image in run.imagery if image.acquired})
    findings = tuple(check_claims(_claims(run), queues, days=days))
    looked = counted(places, edits)
    review = Review(
        queues=queues,
        findings=findings,
        looked=looked,
        accepted=int((edits.vehicles["review"] == "accepted").sum()),
        rejected=int((~edits.found["right"]).sum()),
        added=len(edits.added),
        count=drawn.count(edits.vehicles) if drawn else None,
        run=run,
    )
    review = replace(review, run=_record(run, review))
    with result_folder(outdir, overwrite=True) as draft:
        put_reviewed(draft, folder, review, edits=edits, kept=kept, told=_told(queues, edits, kept))
    return review


def _measured(evidence: Evidence, sight: Any, edits: Edits, run: RunRecord, index: int) -> Queues:
    """Measure one road; what a person says flows or is parked takes no part in any queue."""
    every = edits.vehicles[edits.vehicles["road"] == evidence.road.name].reset_index(drop=True)
    aside = every["person"].isin(("flowing", "parked"))
    seen = replace(evidence, vehicles=every[~aside].reset_index(drop=True), sight=sight)
    rules = {key: run.settings[key] for key in ("gap_m", "break_m", "level", "seed") if key in run.settings}
    measured = measure_queues(seen, **rules)
    state = measured.vehicles.set_index("fid")["state"].reindex(every["fid"]).to_numpy()
    vehicles = every.assign(state=np.where(every["person"] != "", every["person"], state))
    return replace(
        measured,
        evidence=replace(seen, vehicles=every),
        vehicles=vehicles,
        items=tuple(replace(queue, motion=_motion(queue, run, index)) for queue in measured),
    )


def _motion(queue: Any, run: RunRecord, index: int) -> Motion:
    """Return what the bands had told of the queue that was there: no review moves a car."""
    best, motion = 0.0, Motion()
    for old in run.roads[index].queues:
        shared = min(old.end_m, queue.end_m) - max(old.start_m, queue.start_m)
        if old.side == queue.side and shared > best:
            speed = old.motion.speed_kmh
            told = (
                None
                if speed is None or speed.value is None
                else Estimate(speed.value, speed.low, speed.high, speed.level, "km/h")
            )
            best, motion = shared, Motion(old.motion.state, told, old.motion.lag_s, old.motion.reason)
    return motion


def _claims(run: RunRecord) -> list[Claim]:
    """Return the claims of a run as they were read."""
    findings = [finding for road in run.roads for finding in road.findings]
    return [Claim(**finding.read) if finding.read else read_claim(finding.claim) for finding in findings]


def _told(queues: Sequence[Queues], edits: Edits, kept: Kept) -> Mapping[int, Told]:
    """Return the state of each vehicle as it is written now; those left out keep what they had."""
    told = dict(kept.told)
    for each in queues:
        rows = zip(each.vehicles["fid"], each.vehicles["state"], each.vehicles["person"], strict=True)
        told |= {int(fid): Told(state, person != "") for fid, state, person in rows}
    return told


def _record(run: RunRecord, review: Review) -> RunRecord:
    """Return what `run.json` says after a review."""
    anew = run_record(review.queues, review.findings)
    told = {
        "accepted": review.accepted,
        "rejected": review.rejected,
        "added": review.added,
        **review.looked.to_json(),
        "spotcheck": None if review.count is None else review.count.to_json(),
    }
    return run.model_copy(update={"roads": anew.roads, "review": told})
