"""Vehicles of a result held against the true ones, and the whole evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from jamline.errors import InputError
from jamline.evaluate.brightness import BRIGHTNESSES, brightness_class, contrasts
from jamline.evaluate.evaluation import Evaluation
from jamline.evaluate.files import read_json
from jamline.evaluate.footprints import Array, Footprints, Texts, read_footprints
from jamline.evaluate.marks import UNTOLD, marks
from jamline.evaluate.matching import Pairs, match_vehicles
from jamline.evaluate.queues import match_queues
from jamline.evaluate.sight import Bools, Coverage, Picture, Sight, coverage_of, roads_in
from jamline.imagery import Scene, open_scene

HALF_WIDTH_M = 15.0
"""Reach of a result that does not tell its own."""

_BESIDE_M = 5.0
"""Beyond the corridor in which vehicles count, so that the ones on its edge lie in the strip."""

_WIDEST_M = 200.0
"""What a corridor may have at most."""

Paths = str | Path | Sequence[str | Path]


def evaluate(
    outdir: str | Path,
    truth_dir: str | Path,
    *,
    match_m: float = 2.5,
    half_width_m: float | None = None,
    imagery: Paths | None = None,
) -> Evaluation:
    """Hold a result against the truth.

    Parameters
    ----------
    outdir : str or Path
        A result folder: `vehicles.geojson`, `coverage.geojson`, `run.json`, and `road.geojson` if there.
    truth_dir : str or Path
        At least `vehicles.geojson`, footprints in WGS 84. With `queues.json`, queues with stations on the
        road of `road.geojson`, queues are compared as well. A simulated scene's folder holds it as `truth`.
        A vehicle whose ``hidden`` is true is there, but nobody could see it: it counts neither way, and neither
        does what was found on it.
    match_m : float
        Centres of partners lie at most this far apart, for long vehicles half the true vehicle's length.
    half_width_m : float, optional
        Count every vehicle that the imagery shows within so far of a line in the truth's `roads.geojson` or
        `road.geojson`, else the result's own road. Without it those count that the result says it could see.
    imagery : str, Path or a sequence of those, optional
        The imagery that was measured. With it, brightness is measured where the truth has no column
        ``brightness``. Where only ``half_width_m`` needs it, it is what `run.json` names.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If a file is missing or cannot be read.
    """
    compared = compare(outdir, truth_dir, match_m=match_m, half_width_m=half_width_m, imagery=imagery)
    found, truth = compared.found, compared.truth
    bright_found, bright_truth = _brightness(compared, imagery)
    partner = compared.partner
    true_kind = np.where(partner >= 0, truth.kind[partner], "") if len(truth) else np.full(len(found), "")
    counted = marks(
        pd.DataFrame(
            {
                "score": found.score,
                "hit": partner >= 0,
                "kind": found.kind,
                "true_kind": true_kind,
                "brightness": bright_found,
            }
        )[compared.counts_found],
        pd.DataFrame({"hit": compared.hit_truth, "kind": truth.kind, "brightness": bright_truth})[
            compared.counts_truth
        ],
        gsd_m=compared.gsd_m,
    )
    queues, missed, false = match_queues(
        compared.out, compared.folder, compared.run, compared.coverage.seen, found.properties
    )
    return Evaluation.of(
        counted,
        distances_m=compared.distance_m.tolist(),
        ignored=(int((~compared.counts_truth).sum()), int((~compared.counts_found).sum())),
        queues=queues,
        missed_queues=missed,
        false_queues=false,
    )


@dataclass(frozen=True, eq=False)
class Compared:
    """Found and true vehicles, paired.

    Parameters
    ----------
    out, folder : Path
        Folders of the result and of the truth.
    run : mapping
        Content of `run.json`.
    coverage : Coverage
        What the result says it saw.
    found, truth : Footprints
        All vehicles.
    counts_found, counts_truth : array of bool
        Which of them count.
    pairs : array of int, shape (k, 2)
        Indices into found and truth.
    distance_m : array, shape (k,)
        Between the centres of partners.
    """

    out: Path
    folder: Path
    run: dict[str, Any] = field(repr=False)
    coverage: Coverage = field(repr=False)
    found: Footprints = field(repr=False)
    truth: Footprints = field(repr=False)
    counts_found: Bools = field(repr=False)
    counts_truth: Bools = field(repr=False)
    pairs: Pairs = field(repr=False)
    distance_m: Array = field(repr=False)

    @property
    def partner(self) -> npt.NDArray[np.int64]:
        """Index of each found vehicle's true one, -1 without, shape (n,)."""
        partner = np.full(len(self.found), -1)
        partner[self.pairs[:, 0]] = self.pairs[:, 1]
        return partner

    @property
    def hit_truth(self) -> Bools:
        """Which true vehicles were found, shape (m,)."""
        hit = np.zeros(len(self.truth), dtype=bool)
        hit[self.pairs[:, 1]] = True
        return hit

    @property
    def gsd_m(self) -> float:
        """Resolution of the finest image, NaN where `run.json` names none."""
        sizes = [image["gsd_m"] for image in self.run.get("imagery", []) if image.get("gsd_m")]
        return float(min(sizes, default=math.nan))

    @property
    def half_width_m(self) -> float:
        """How far the result looked to each side."""
        return float(self.run.get("settings", {}).get("half_width_m") or HALF_WIDTH_M)


def compare(
    outdir: str | Path,
    truth_dir: str | Path,
    *,
    match_m: float,
    half_width_m: float | None,
    imagery: Paths | None,
) -> Compared:
    """Pair the vehicles of a result with the true ones; parameters as in `evaluate`."""
    out, truth = Path(outdir), Path(truth_dir)
    if not (truth / "vehicles.geojson").exists() and (truth / "truth" / "vehicles.geojson").exists():
        truth = truth / "truth"
    run = read_json(out / "run.json")
    if not isinstance(run, dict) or not isinstance(run.get("roads"), list):
        raise InputError(f"Invalid file '{out / 'run.json'}'. Must be a run record with its roads.")
    found_vehicles = read_footprints(out / "vehicles.geojson")
    true_vehicles = read_footprints(truth / "vehicles.geojson")
    coverage = coverage_of(out)
    if half_width_m is None:
        counts_found, counts_true = _counts(coverage, found_vehicles, true_vehicles)
    else:
        lines = next((f for f in (truth / "roads.geojson", truth / "road.geojson") if f.exists()), out / "road.geojson")
        with scene_of(run, imagery, out) as scene:
            sight = Picture(tuple(roads_in(lines)), half_width_m, scene)
            counts_found, counts_true = _counts(sight, found_vehicles, true_vehicles)
    counts_true &= true_vehicles.told("hidden") == ""
    radius = np.maximum(match_m, true_vehicles.length_m / 2)

    pairs, distance = _matched(found_vehicles, true_vehicles, counts_found, counts_true, radius)
    spare = counts_found.copy()
    spare[pairs[:, 0]] = False
    # What was found on a vehicle that does not count is no false alarm either.
    lost, _ = _matched(found_vehicles, true_vehicles, spare, ~counts_true, radius)
    counts_found[lost[:, 0]] = False
    return Compared(
        out=out,
        folder=truth,
        run=run,
        coverage=coverage,
        found=found_vehicles,
        truth=true_vehicles,
        counts_found=counts_found,
        counts_truth=counts_true,
        pairs=pairs,
        distance_m=distance,
    )


def scene_of(run: dict[str, Any], imagery: Paths | None, out: Path) -> Scene:
    """Open the imagery given, else what `run.json` names, in the bands and the resolution of the run."""
    paths = imagery if imagery is not None else [image["path"] for image in run.get("imagery", [])]
    if not isinstance(paths, str | Path) and not paths:
        raise InputError(f"Invalid file '{out / 'run.json'}'. Must name the imagery, or it must be given.")
    settings = run.get("settings", {})
    return open_scene(paths, bands=settings.get("bands"), gsd_m=settings.get("gsd_m"))


def _counts(sight: Sight, found: Footprints, truth: Footprints) -> tuple[Bools, Bools]:
    return sight.shows(found), sight.shows(truth)


def _brightness(compared: Compared, imagery: Paths | None) -> tuple[Texts, Texts]:
    """Tell found and true vehicles apart by brightness; a found one is what its partner is."""
    found, truth = compared.found, compared.truth
    of_found = np.full(len(found), UNTOLD, dtype=object)
    of_truth = truth.told("brightness")
    of_truth[~np.isin(of_truth, BRIGHTNESSES)] = ""
    if imagery is not None:
        with scene_of(compared.run, imagery, compared.out) as scene:
            measured = contrasts(
                (found, truth),
                scene,
                roads_in(compared.out / "road.geojson"),
                half_width_m=min(compared.half_width_m + _BESIDE_M, _WIDEST_M),
            )
        of_found = brightness_class(measured[0])
        of_truth = np.where(of_truth == "", brightness_class(measured[1]), of_truth)
    of_found[compared.pairs[:, 0]] = of_truth[compared.pairs[:, 1]]
    return of_found, of_truth


def _matched(
    found: Footprints,
    truth: Footprints,
    of_found: Bools,
    of_truth: Bools,
    radius_m: Array,
) -> tuple[Pairs, Array]:
    """Match some of the vehicles; return pairs of indices into all of them, and distances."""
    a, b = np.flatnonzero(of_found), np.flatnonzero(of_truth)
    one, other = found.xyz_m[a], truth.xyz_m[b]
    pairs = match_vehicles(one, other, radius_m[b])
    distance = np.linalg.norm(one[pairs[:, 0]] - other[pairs[:, 1]], axis=1)
    return np.column_stack([a[pairs[:, 0]], b[pairs[:, 1]]]), distance
