"""How often verdicts are right, on evidence that is simulated without pixels.

python benchmarks/verdicts.py --claims 1000 --first-seed 120000

Scenes and the made-up detector are those of intervals.py. To each scene with a queue four claims are made up: about its
length or its count, with a bare number or a bound, right, a little off, or far off. Then each scene that is seen whole
is cut off within its queue, and the claims that are true are checked again: imagery that ends must refute none.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import Any

import click
import numpy as np
from intervals import BY_GSD, Scene, simulate

from jamline.claims import Claim, Finding, check_claim, read_claim
from jamline.evidence import Evidence
from jamline.queues import measure_queues

FAR = 0.15
"""A claim that is off by more than this, or right, should be answered where the queue is seen whole."""

OF_SCENE = 4


@dataclass(frozen=True)
class Case:
    """A claim, whether it is true, and what was found."""

    claim: Claim
    true: bool
    clear: bool
    whole: bool
    cut: bool
    finding: Finding

    @property
    def wrong(self) -> bool:
        """Whether it was answered the wrong way round."""
        return self.finding.verdict == ("refuted" if self.true else "supported")


def make_up(length_km: float, vehicles: int, rng: np.random.Generator) -> tuple[Claim, bool, bool]:
    """Return a claim on a jam, whether it is true, and whether it is right or far off."""
    counted = rng.random() < 0.3
    truth = float(vehicles) if counted else length_km
    off = {
        "right": 1.0,
        "near": 1.0 + rng.choice([-1, 1]) * rng.uniform(0.02, FAR),
        "over": rng.uniform(1.0 + FAR, 2.5),
        "under": rng.uniform(0.3, 1.0 - FAR),
    }
    how = str(rng.choice(["right", "near", "over", "under"], p=[0.3, 0.1, 0.3, 0.3]))
    qualifier = str(rng.choice(["", "at least ", "at most "], p=[0.5, 0.3, 0.2]))
    if how == "right" and qualifier:
        # The truth itself as a bound lies on a knife's edge, and is neither right nor far off.
        how = "under" if qualifier == "at least " else "over"
    value = truth * off[how]
    claim = read_claim(f"{qualifier}{value:.0f} cars" if counted else f"{qualifier}{value:.3f} km")
    low, high = claim.bounds
    return claim, low <= truth <= high, how != "near"


def main_queue(scene: Scene) -> dict[str, Any] | None:
    """Return the longest true queue, ``None`` where none is seen well enough to be held against."""
    seen = [truth for truth in scene.truth if "seen_length_km" in truth and truth["seen_vehicles"] >= 4]
    return max(seen, key=lambda truth: truth["length_km"], default=None)


def is_whole(evidence: Evidence, truth: dict[str, Any]) -> bool:
    """Tell whether a queue is seen from before its head to behind its tail, but for gaps that cannot part it."""
    reach = (truth["start_m"] - 100.0, truth["end_m"] + 100.0)
    if truth["open"] or reach[0] < 0 or reach[1] > evidence.road.length_m:
        return False
    sight = evidence.sight[(evidence.sight["side"] == truth["side"]) & ~evidence.sight["seen"]]
    return not ((sight["end_m"] > reach[0]) & (sight["start_m"] < reach[1])).any()


def cut_off(evidence: Evidence, at_m: float) -> Evidence:
    """Return evidence that ends at a station."""
    edge_m = 10.0 * round(at_m / 10.0)
    sight = evidence.sight.copy()
    beyond = sight["start_m"] >= edge_m - 0.1
    sight.loc[beyond, ["seen", "reason", "recall"]] = [False, "outside imagery", 0.0]
    far_end = evidence.vehicles["station_m"] + evidence.vehicles["length_m"] / 2
    return replace(evidence, vehicles=evidence.vehicles[far_end <= edge_m].reset_index(drop=True), sight=sight)


def cases_of(seed: int, *, gsd_m: float) -> list[Case]:
    """Make up claims on one scene and check them."""
    scene = simulate(seed, gsd_m=gsd_m)
    truth = main_queue(scene)
    if truth is None:
        return []
    rng = np.random.default_rng([seed, 5])
    same_side = [other for other in scene.truth if other["side"] == truth["side"]]
    standing = sum(other["vehicles"] for other in same_side)
    queues = measure_queues(scene.evidence)
    whole = is_whole(scene.evidence, truth)
    made = [make_up(truth["length_km"], standing, rng) for _ in range(OF_SCENE)]
    cases = [Case(claim, true, clear, whole, False, check_claim(claim, queues)) for claim, true, clear in made]
    if whole:
        span = truth["end_m"] - truth["start_m"]
        cut = measure_queues(cut_off(scene.evidence, truth["start_m"] + rng.uniform(0.3, 0.8) * span))
        cases += [Case(claim, true, clear, False, True, check_claim(claim, cut)) for claim, true, clear in made if true]
    return cases


def show(title: str, cases: list[Case]) -> None:
    """Print one line: what became of a group of claims."""
    verdicts = Counter(case.finding.verdict for case in cases)
    answered = [case for case in cases if case.finding.verdict != "undecided"]
    wrong = sum(case.wrong for case in answered)
    share = 100 * len(answered) / len(cases) if cases else math.nan
    off = 100 * wrong / len(answered) if answered else math.nan
    print(
        f"| {title} | {len(cases)} | {verdicts['supported']} | {verdicts['refuted']} | {verdicts['undecided']} "
        f"| {share:.1f} | {wrong} | {off:.1f} |",
        flush=True,
    )


@click.command()
@click.option("--claims", default=1000, show_default=True)
@click.option("--first-seed", default=120000, show_default=True)
@click.option("--tell-wrong", is_flag=True, help="Print each wrong answer.")
def main(claims: int, first_seed: int, tell_wrong: bool) -> None:
    """Print what became of the claims, and of those that were true before the imagery was cut off."""
    cases: list[Case] = []
    seed = first_seed
    groups: dict[str, list[Case]] = defaultdict(list)
    while sum(not case.cut for case in cases) < claims:
        of_scene = cases_of(seed, gsd_m=list(BY_GSD)[seed % len(BY_GSD)])
        if tell_wrong:
            for case in of_scene:
                if case.wrong:
                    print(f"{seed}{', cut' if case.cut else ''}: {case.finding}", flush=True)
        cases += of_scene
        seed += 1
    for case in cases:
        if case.cut:
            groups["true, then cut off"].append(case)
            continue
        groups["all"].append(case)
        groups[f"about {case.claim.quantity}"].append(case)
        groups["seen whole" if case.whole else "not seen whole"].append(case)
        if case.whole and case.clear:
            groups["seen whole, right or far off"].append(case)
    print(f"\nSeeds {first_seed} to {seed - 1}")
    print("| claims | n | supported | refuted | undecided | answered, % | wrong | wrong of answered, % |")
    print("|---" * 8 + "|")
    for name, group in sorted(groups.items()):
        show(name, group)


if __name__ == "__main__":
    main()
