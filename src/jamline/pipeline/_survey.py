"""The straight line from imagery and a road to a result folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jamline import tables
from jamline.cards import card
from jamline.claims import Claim, Finding, as_claim, check_claims
from jamline.corridor import Corridor, Hidden, lay_flat
from jamline.detect import Detector, as_detector, find_vehicles
from jamline.errors import NothingToMeasureError, RoadError
from jamline.evidence import Evidence
from jamline.imagery import Scene, open_scene
from jamline.memory import give_back
from jamline.motion import measure_motion, times_of
from jamline.outputs import Picture, RunRecord, check_outdir, put_layers, result_folder, run_record
from jamline.pipeline._onlooker import Onlooker, Progress
from jamline.pipeline._pictures import pictures_of
from jamline.queues import Queues, measure_queues
from jamline.report import StripImage, Strips, write_report
from jamline.road import Road, read_roads
from jamline.spans import Estimate

REPORT = "report.html"


@dataclass(frozen=True, eq=False)
class Survey:
    """What was measured in one run, ready to be written.

    Parameters
    ----------
    scene : Scene
        The imagery.
    queues : tuple of Queues
        One for each road, in the order of the file; one that the imagery does not show is there too, unseen.
    findings : tuple of Finding
        In the order of the claims.
    strips : sequence of StripImage
        The roads laid flat, for the report.
    settings : mapping
        What was asked for.
    detector_sha256 : str or None
        Digest of the detector's weights.
    pictures : tuple of Picture
        The images that show the roads, for the QGIS project.
    """

    scene: Scene
    queues: tuple[Queues, ...]
    findings: tuple[Finding, ...]
    strips: Sequence[StripImage] = field(repr=False)
    settings: Mapping[str, Any]
    detector_sha256: str | None = None
    pictures: tuple[Picture, ...] = ()

    @cached_property
    def run(self) -> RunRecord:
        """What `run.json` says. The images' digests are taken here, which reads every byte of them."""
        return run_record(
            self.queues,
            self.findings,
            imagery=self.scene.images,
            settings=self.settings,
            detector_sha256=self.detector_sha256,
        )

    def __repr__(self) -> str:
        return (
            f"<Survey of {len(self.queues)} roads: {sum(map(len, self.queues))} queues, {len(self.findings)} findings>"
        )

    def _repr_html_(self) -> str:
        queues = [(f"{each.road}, {each.side}", each.length_km) for road in self.queues for each in road]
        return card("Survey", [*queues, *((each.claim.text, each.verdict) for each in self.findings)])

    def write(self, outdir: str | Path, *, overwrite: bool = False, title: str | None = None) -> Path:
        """Write the layers, `run.json` and the report.

        Parameters
        ----------
        outdir : str or Path
            The folder to make.
        overwrite : bool
            Replace the folder if it is empty or an earlier result.
        title : str, optional
            Title of the report, by default the roads' names.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OutputError
            If the folder exists and may not be replaced, or cannot be written; then nothing was written.
        """
        check_outdir(outdir, overwrite=overwrite)
        record = self.run.model_copy(update={"title": title})
        with result_folder(outdir, overwrite=overwrite) as folder:
            put_layers(
                folder,
                self.queues,
                findings=self.findings,
                run=record,
                strips=self.strips,
                pictures=self.pictures,
            )
            write_report(
                folder / REPORT,
                queues=self.queues,
                findings=self.findings,
                strips=self.strips,
                run=record,
                title=title,
            )
        return Path(outdir)


def survey(
    images: str | Path | Sequence[str | Path],
    roads: str | Path | Sequence[Road],
    *,
    origin: str | None = None,
    road_name: str | None = None,
    claims: Iterable[str | Claim] = (),
    gsd_m: float | None = None,
    half_width_m: float | None = None,
    bands: Mapping[str, int] | None = None,
    band_times: Mapping[str, float] | None = None,
    detector: str | Detector = "network",
    progress: Progress | None = None,
) -> Survey:
    """Measure the queues on every road of a file, and check claims about them.

    Parameters
    ----------
    images : str, Path or a sequence of those
        Files, folders, patterns or addresses of GeoTIFFs or STAC items.
    roads : str, Path or sequence of Road
        Anything OGR reads, each line a road; or roads already read.
    origin : str, optional
        Where claims count from: the name of a point in the road file, or ``"lon,lat"``.
    road_name : str, optional
        The one road of the file to measure; the others only keep their own vehicles.
    claims : iterable of str or Claim
        Such as ``"a traffic jam stretching 16 km"``.
    gsd_m : float, optional
        Resolution of the imagery in metres, over what its metadata say.
    half_width_m : float, optional
        How far to each side of a road to look.
    bands : mapping, optional
        1-based band by role, such as ``{"red": 3, "green": 2, "blue": 1}``.
    band_times : mapping, optional
        Seconds at which bands were taken, such as ``{"red": 0.0, "blue": 1.0}``, over what the images know.
    detector : str or Detector
        What finds the vehicles.
    progress : callable, optional
        Called now and then with the metres of road done and the metres there are.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        If an image, the road file or a claim cannot be used.
    NothingToMeasureError
        If the imagery shows none of the roads, or is not optical.
    UsageError
        If an option makes no sense.
    """
    wanted = [as_claim(claim) for claim in claims]
    chosen = as_detector(detector)
    every = read_roads(roads, origin=origin) if isinstance(roads, str | Path) else list(roads)
    measured = named(every, road_name, source=roads)
    with open_scene(images, bands=bands, gsd_m=gsd_m) as scene:
        corridors = _laid_flat(scene, measured, every, half_width_m)
        onlooker = Onlooker.of(chosen, [corridor for corridor in corridors if corridor], progress)
        evidence = [
            find_vehicles(corridor, detector=onlooker.of_road(road.name))
            if corridor
            else _unseen(road, next(filter(None, corridors)), chosen)
            for road, corridor in zip(measured, corridors, strict=True)
        ]
        strips, sha256 = onlooker.strips, onlooker.sha256
        # The network takes room that the queue model needs.
        del chosen, onlooker
        return concluded(
            scene,
            corridors,
            evidence,
            strips,
            detector_sha256=sha256,
            claims=wanted,
            band_times=band_times,
            settings={"origin": origin, "road_name": road_name, "gsd_m": gsd_m, "bands": bands},
        )


def concluded(
    scene: Scene,
    corridors: list[Corridor | None],
    evidence: Sequence[Evidence],
    strips: Strips,
    *,
    detector_sha256: str | None,
    claims: Sequence[Claim],
    band_times: Mapping[str, float] | None,
    settings: Mapping[str, Any],
) -> Survey:
    """Measure the queues in the evidence, and check claims about them; the imagery is still open.

    Where it does not tell how fast queues move, it is closed, and the corridors are taken from their list: no pixel is
    looked at any more, and the queue model needs the room.
    """
    times = times_of(scene, band_times)
    pictures = pictures_of(scene, [corridor for corridor in corridors if corridor])
    if not times:
        scene.close()
        corridors[:] = [None] * len(corridors)
        give_back(sum(each.road.length_m for each in evidence))
    queues = tuple(
        measure_motion(corridor, measured_on, times) if corridor else measured_on
        for corridor, measured_on in zip(corridors, map(measure_queues, evidence), strict=True)
    )
    bands = settings["bands"]
    return Survey(
        scene=scene,
        queues=queues,
        findings=tuple(check_claims(claims, queues, days=scene_days(scene))),
        strips=strips,
        settings={
            "origin": settings["origin"],
            "road_name": settings["road_name"],
            "gsd_m": settings["gsd_m"],
            "half_width_m": evidence[0].half_width_m,
            "bands": None if bands is None else dict(bands),
            "band_times": times or None,
        },
        detector_sha256=detector_sha256,
        pictures=pictures,
    )


def scene_days(scene: Scene) -> list[str]:
    """Return the days on which a scene's images were taken, as far as they tell."""
    return sorted({image.acquired[:10] for image in scene.images if image.acquired})


def named(roads: Sequence[Road], name: str | None, *, source: Any) -> list[Road]:
    """Return the road of a name, or all of them."""
    chosen = [road for road in roads if name in (None, road.name)]
    if not chosen:
        known = ", ".join(f"'{road.name}'" for road in roads) or "those given; there is none"
        where = f" in '{source}'" if isinstance(source, str | Path) else ""
        raise RoadError(f"Invalid road name '{name or ''}'{where}. Must be one of {known}.")
    return chosen


def _laid_flat(
    scene: Scene, roads: Sequence[Road], neighbours: Sequence[Road], half_width_m: float | None
) -> list[Corridor | None]:
    """Lay flat each road that the imagery shows; an error only where it shows none."""
    corridors: list[Corridor | None] = []
    for road in roads:
        others = [other for other in neighbours if other is not road]
        try:
            corridors.append(lay_flat(scene, road, half_width_m=half_width_m, neighbours=others))
        except NothingToMeasureError:
            if len(roads) == 1:
                raise
            corridors.append(None)
    if not any(corridors):
        raise NothingToMeasureError(
            f"Invalid roads in '{roads[0].source}'. Must run through the imagery; none of {len(roads)} does."
        )
    return corridors


def _unseen(road: Road, beside: Corridor, detector: Detector) -> Evidence:
    """Return what is known of a road that the imagery does not show: its length, all of it unseen."""
    line = road.line(0.0, road.length_m)
    within = any(image.footprint.intersects(line) for image in beside.scene.images)
    reason = Hidden.NODATA.reason if within else Hidden.OUTSIDE.reason
    sight = tables.table(
        tables.SIGHT,
        {
            "side": list(road.sides),
            "start_m": 0.0,
            "end_m": road.length_m,
            "seen": False,
            "reason": reason,
            "recall": 0.0,
            "false_per_km": 0.0,
        },
    )
    return Evidence(
        road=road,
        vehicles=tables.empty(tables.VEHICLES),
        sight=sight,
        alignment_m=Estimate(0.0, None, None, unit="m"),
        half_width_m=beside.half_width_m,
        gsd_m=beside.scene.gsd_m,
        detector=detector.name,
    )
