"""Puts the report together and writes it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jinja2
from markupsafe import Markup
from pydantic import BaseModel

from jamline.errors import OutputError
from jamline.queues import BREAKDOWN_PER_KM_LANE, PACKED_PER_KM_LANE
from jamline.report import words
from jamline.report.command import command_of
from jamline.report.crops import crops_of, places_of
from jamline.report.overview import overview_of
from jamline.report.profile import profiles
from jamline.report.rows import ZOOM_M, Row, frames_of, row_of, rows_left
from jamline.report.strips import ROW_M, Frame, StripImage, pictures_of
from jamline.report.viewer import viewer_of

if TYPE_CHECKING:
    from jamline.claims import Finding
    from jamline.evidence import Evidence
    from jamline.queues import Queues

_MOST_ROADS = 12
"""Roads that get a map and close-ups: a page is for reading."""

_MOST_LINES = 150
"""Queues and unseen stretches that are listed of a road; `run.json` and the layers hold all of them."""


def write_report(
    path: str | Path,
    *,
    queues: Queues | Sequence[Queues],
    findings: Finding | Sequence[Finding] | None = None,
    strips: Iterable[StripImage] = (),
    run: BaseModel | Mapping[str, Any],
    evidence: Sequence[Evidence] | None = None,
    title: str | None = None,
) -> None:
    """Write the report: one HTML file that loads nothing from anywhere.

    Parameters
    ----------
    path : str or Path
        The file.
    queues : Queues or sequence of Queues
        One for each road.
    findings : Finding or sequence of Finding, optional
        Claims that were checked.
    strips : iterable of StripImage
        The roads laid flat, at about 1 m a pixel.
    run : RunRecord or mapping
        What `run.json` holds.
    evidence : sequence of Evidence, optional
        By default each road's own.
    title : str, optional
        By default the roads' names.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    page = render(queues=queues, findings=findings, strips=strips, run=run, evidence=evidence, title=title)
    try:
        Path(path).write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"Invalid report '{path}'. Must be a file that can be written.") from error


def render(
    *,
    queues: Queues | Sequence[Queues],
    findings: Finding | Sequence[Finding] | None,
    strips: Iterable[StripImage],
    run: BaseModel | Mapping[str, Any],
    evidence: Sequence[Evidence] | None,
    title: str | None,
) -> str:
    """Return the page; arguments as in `write_report`."""
    per_road = cast("list[Queues]", [queues] if hasattr(queues, "evidence") else list(queues))
    evidences = [each.evidence for each in per_road] if evidence is None else list(evidence)
    record = run.model_dump(mode="json", by_alias=True) if isinstance(run, BaseModel) else dict(run)
    names = ", ".join(each.road.name for each in evidences)
    script = _text("page.js")
    return _template().render(
        css=Markup(_text("page.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        title=title or f"Traffic jam on {names}",
        run=record,
        acquired=_acquired(record),
        review=words.reviewed(record.get("review")),
        command=command_of(record, evidences),
        findings=_findings(findings),
        together=words.together(_findings(findings)),
        roads=_roads(per_road, evidences, strips),
        unseen=words.unseen_sentence(evidences),
        instant=words.instant(per_road),
        words=words,
        row_m=ROW_M,
        zoom_m=ZOOM_M,
        most_lines=_MOST_LINES,
        breakdown=BREAKDOWN_PER_KM_LANE,
        packed=PACKED_PER_KM_LANE,
    )


def _roads(
    per_road: Sequence[Queues], evidences: Sequence[Evidence], strips: Iterable[StripImage]
) -> list[dict[str, Any]]:
    """Return what the page shows of each road."""
    layouts, close = [], []
    used = 0
    for index, (queues, evidence) in enumerate(zip(per_road, evidences, strict=True)):
        layout = frames_of(queues, evidence, room=rows_left(used))
        used += len(layout.frames)
        layouts.append(layout)
        close.append(places_of(queues, evidence) if index < _MOST_ROADS else [])
    frames: list[Frame] = [frame for layout in layouts for frame in layout.frames]
    frames += [place.frame for of_road in close for of_queue in of_road for place in of_queue.places]
    pictures = pictures_of(strips, frames)
    roads = []
    for index, (queues, evidence, layout) in enumerate(zip(per_road, evidences, layouts, strict=True)):
        rows: list[Row] = [row_of(frame, queues, evidence, pictures.get(frame, "")) for frame in layout.frames]
        roads.append(
            {
                "road": evidence.road,
                "evidence": evidence,
                "queues": queues,
                "headline": words.headline(queues),
                "details": words.details(queues),
                "overview": overview_of(queues, evidence) if index < _MOST_ROADS else None,
                "close": [(of, crops_of(of.places, queues, evidence, pictures)) for of in close[index]],
                "rows": rows,
                "viewer": viewer_of(layout.frames, queues, evidence),
                "left_out": layout.left_out,
                "unseen": layout.unseen,
                "profiles": profiles(queues, evidence),
            }
        )
    return roads


def _findings(findings: Finding | Sequence[Finding] | None) -> list[Finding]:
    if findings is None:
        return []
    return cast("list[Finding]", [findings] if hasattr(findings, "verdict") else list(findings))


def _acquired(record: Mapping[str, Any]) -> str:
    """Return when the images were taken, for people: one day, or the first and the last."""
    days = sorted({image["acquired"][:10] for image in record["imagery"] if image.get("acquired")})
    if not days:
        return "at a time that the files do not tell"
    if len(days) > 1:
        return f"between {days[0]} and {days[-1]}"
    times = sorted({image["acquired"] for image in record["imagery"] if image.get("acquired")})
    clock = f" at {times[0][11:16]} UTC" if len(times) == 1 and len(times[0]) >= 16 else ""
    return f"on {days[0]}{clock}"


def _template() -> jinja2.Template:
    """Return the page's template; file names and claims may hold anything, so all is escaped."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_text("page.html.j2"))


def _text(name: str) -> str:
    return (files("jamline.report") / name).read_text(encoding="utf-8")
