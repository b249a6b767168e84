"""What made detectors err on real frames and was missing in scenes drawn at random: odds of those layers."""

from __future__ import annotations

from typing import Any

import numpy as np

_SHARE = 0.55
"""Share of scenes that get any of it; the others stay what they were before there was any."""


def harden(rng: np.random.Generator, scene: dict[str, Any]) -> None:
    """Add planted strips, rows at the kerb, broad dashes, dark cars on dark road, stained bays and snow to a scene.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of these layers alone.
    scene : dict
        Written into; all that `widen` draws is there already, or nothing of it.
    """
    if rng.random() >= _SHARE:
        return
    road, town = scene["road"], scene["terrain"]["kind"] == "town"
    if "fleet" not in scene:
        return
    _kerb_rows(rng, scene, town)
    if road["shape"] in ("straight", "gentle"):
        scene["strips"] = _strips(rng, scene, town)
    if rng.random() < 0.5:
        road["line_m"] = float(rng.uniform(0.10, 0.34))
        dash = float(rng.uniform(1.2, 6.0))
        road["dashes_m"] = [dash, dash + float(rng.uniform(1.5, 9.0))]
    if rng.random() < 0.45:
        scene["paint"]["blocks_per_km"] = float(rng.uniform(1.0, 8.0))
    if rng.random() < 0.35:
        scene["fleet"]["dark"] = float(rng.uniform(0.2, 0.9))
        if road["surface"] != "concrete" and rng.random() < 0.6:
            road["brightness"] *= float(rng.uniform(0.5, 0.9))
    for lot in scene["lots"]:
        if rng.random() < 0.6:
            lot["stains"], lot["hatched"] = float(rng.uniform(0.1, 1.0)), float(rng.choice([0.0, rng.uniform(0, 0.2)]))
            lot["fill"] *= float(rng.choice([1.0, 0.4, 0.05], p=[0.5, 0.3, 0.2]))
    _cover(rng, scene, town)
    _beds(np.random.default_rng([scene["seed"], 1003]), scene.get("strips", []))


def _kerb_rows(rng: np.random.Generator, scene: dict[str, Any], town: bool) -> None:
    """Draw long rows of parked cars, nose to tail, without a bay; now and then marked bays that are empty."""
    length = scene["road"]["length_m"]
    odds = 0.75 if town else 0.5 if not scene["queues"] else 0.35
    rows = list(scene["parked"])
    for side in ("left", "right"):
        if rng.random() < odds:
            start = float(rng.uniform(-50.0, 0.6 * length))
            empty = bool(rng.random() < 0.15)
            rows.append(
                {
                    "side": side,
                    "start_m": start,
                    "end_m": start + float(rng.uniform(60.0, 450.0)),
                    "where": "bay" if empty else str(rng.choice(["kerb", "bay"], p=[0.7, 0.3])),
                    "fill": float(rng.uniform(0.0, 0.25)) if empty else float(rng.uniform(0.7, 1.0)),
                    "truck_share": 0.0 if rng.random() < 0.8 else float(rng.uniform(0.02, 0.3)),
                    "pitch_m": float(rng.uniform(5.0, 6.5)) if empty else 0.0,
                    "marked": empty,
                }
            )
    scene["parked"] = rows


def _strips(rng: np.random.Generator, scene: dict[str, Any], town: bool) -> list[dict[str, Any]]:
    """Draw strips behind rows of parked cars and along the road where there are none."""
    length = scene["road"]["length_m"]
    made = []
    for side in ("left", "right"):
        rows = [(row["start_m"], row["end_m"]) for row in scene["parked"] if row["side"] == side]
        at = float(rng.uniform(-20.0, 80.0))
        while at < length - 10.0 and rng.random() < (0.85 if town else 0.6):
            long = float(rng.uniform(20.0, 220.0))
            beside = any(a < at + long + 4.0 and at - 4.0 < b for a, b in rows)
            made.append(
                {
                    "side": side,
                    "start_m": at,
                    "end_m": at + long,
                    "near_m": float(rng.uniform(2.5, 3.1) if beside else rng.uniform(0.1, 1.0)),
                    "wide_m": float(rng.uniform(0.9, 4.0)),
                    "cover": str(rng.choice(["grass", "bark", "gravel"], p=[0.7, 0.2, 0.1])),
                    "shrubs": float(rng.uniform(0.1, 0.95)) if rng.random() < 0.5 else 0.0,
                    "hedge_m": float(rng.uniform(0.5, 2.0)) if rng.random() < 0.3 else 0.0,
                    "young_m": float(rng.uniform(4.0, 14.0)) if rng.random() < 0.6 else 0.0,
                    "path_m": float(rng.uniform(1.2, 4.0)) if rng.random() < 0.6 else 0.0,
                }
            )
            at += long + float(rng.choice([rng.uniform(0.0, 8.0), rng.uniform(10.0, 150.0)]))
    return made


def _beds(rng: np.random.Generator, strips: list[dict[str, Any]]) -> None:
    """Put trees in round beds into some strips; in others there is bare earth for a tree that is gone."""
    if rng.random() >= 0.5:
        return
    for strip in strips:
        if rng.random() < 0.6:
            strip["beds_m"] = float(rng.uniform(4.0, 16.0))
            strip["cover"], strip["shrubs"], strip["young_m"] = "grass", 0.0, 0.0


def _cover(rng: np.random.Generator, scene: dict[str, Any], town: bool) -> None:
    """Draw rows of small trees over the outer lane and the parked cars, and snow about a dark road."""
    terrain = scene["terrain"]
    if terrain["kind"] != "desert" and rng.random() < 0.22:
        terrain["tree_line"] = float(rng.uniform(0.2, 0.9))
        terrain["tree_radius_m"] = float(rng.uniform(1.2, 2.6))
        scene["shade"]["dapple"] = float(rng.uniform(0.3, 1.0))
    if terrain["kind"] not in ("desert", "steppe") and rng.random() < 0.10:
        scene["wear"]["edge"], scene["wear"]["drift_m"] = "snow", float(rng.uniform(0.3, 3.0))
        scene["strips"] = []
