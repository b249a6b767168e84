"""What makes a scene drawn at random hard: odds of every layer that is off by default."""

from __future__ import annotations

from typing import Any

import numpy as np

_PLAIN_SHARE = 0.08
"""Share of scenes left as plain as they are."""


def widen(rng: np.random.Generator, scene: dict[str, Any]) -> None:
    """Add to a scene what the world has besides a road and its traffic.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of these layers alone.
    scene : dict
        Written into; its road, terrain, light and sensor are there already.
    """
    if rng.random() < _PLAIN_SHARE:
        return
    road, town = scene["road"], scene["terrain"]["kind"] == "town"
    length = road["length_m"]
    straight = road["shape"] in ("straight", "gentle")
    scene["fleet"] = {"looks": "rich", "dull": float(rng.choice([0.0, rng.uniform(0.0, 1.0)], p=[0.6, 0.4]))}
    scene["shade"] = {
        "dapple": float(rng.uniform(0.0, 0.9)) if rng.random() < 0.6 else 0.0,
        "towers_per_km": float(rng.uniform(4.0, 20.0)) if town and rng.random() < 0.45 else 0.0,
        "soft_m": float(rng.uniform(0.04, 0.35)),
        "depth": float(rng.uniform(0.75, 1.0)),
    }
    scene["crossings"] = _crossings(rng, road, length, town) if straight else []
    scene["lots"] = _lots(rng, length, town) if straight else []
    scene["parked"] = [*scene["parked"], *_kerbside(rng, length, town)]
    _fill(rng, scene, town)
    _sense(rng, scene["sensor"])


def _crossings(rng: np.random.Generator, road: dict[str, Any], length: float, town: bool) -> list[dict[str, Any]]:
    made = []
    at = float(rng.uniform(40.0, 400.0))
    while at < length - 30.0 and rng.random() < (0.85 if town else 0.45):
        made.append(
            {
                "station_m": at,
                "skew_deg": float(np.clip(rng.normal(0.0, 8.0), -30.0, 30.0)),
                "lanes": int(rng.choice([1, 2, 4], p=[0.2, 0.55, 0.25])),
                "lane_width_m": float(rng.uniform(2.8, 3.6)),
                "arms": str(rng.choice(["left", "right", "both"])),
                "reach_m": float(rng.uniform(35.0, 90.0)),
                "waiting": int(rng.choice([0, 1, 2, 4, 8])),
                "per_km_lane": float(rng.uniform(0.0, 45.0)),
                "truck_share": float(rng.uniform(0.0, 0.2)),
            }
        )
        at += float(rng.uniform(110.0, 700.0))
    return made


def _lots(rng: np.random.Generator, length: float, town: bool) -> list[dict[str, Any]]:
    made = []
    for side in ("left", "right"):
        at = float(rng.uniform(10.0, 300.0))
        while at < length - 40.0 and rng.random() < (0.65 if town else 0.35):
            long = float(rng.uniform(30.0, 180.0))
            made.append(
                {
                    "side": side,
                    "start_m": at,
                    "end_m": min(at + long, length - 5.0),
                    "near_m": float(rng.uniform(3.0, 17.0)),
                    "rows": int(rng.choice([1, 2, 3, 4], p=[0.3, 0.3, 0.15, 0.25])),
                    "angle_deg": 90.0 if rng.random() < 0.6 else float(rng.uniform(45.0, 80.0)),
                    "pitch_m": float(rng.uniform(2.35, 2.9)),
                    "fill": float(rng.beta(2.0, 1.2)),
                    "paint": float(rng.choice([0.0, rng.uniform(0.2, 1.0)], p=[0.2, 0.8])),
                    "surface": str(rng.choice(["asphalt", "concrete", "gravel"], p=[0.7, 0.17, 0.13])),
                }
            )
            at += long + float(rng.uniform(30.0, 500.0))
    return made


def _kerbside(rng: np.random.Generator, length: float, town: bool) -> list[dict[str, Any]]:
    """Draw rows of parked cars along the kerb, nose to tail."""
    made = []
    for side in ("left", "right"):
        at = float(rng.uniform(5.0, 200.0))
        while at < length - 40.0 and rng.random() < (0.8 if town else 0.4):
            long = float(rng.uniform(30.0, 300.0))
            made.append(
                {
                    "side": side,
                    "start_m": at,
                    "end_m": at + long,
                    "where": str(rng.choice(["bay", "verge"], p=[0.8, 0.2])),
                    "fill": float(rng.beta(2.5, 1.0)),
                    "truck_share": 0.0 if rng.random() < 0.8 else float(rng.uniform(0.05, 0.5)),
                    "pitch_m": float(rng.uniform(5.0, 6.5)) if rng.random() < 0.5 else 0.0,
                    "marked": bool(rng.random() < 0.5),
                }
            )
            at += long + float(rng.uniform(10.0, 400.0))
    return made


def _fill(rng: np.random.Generator, scene: dict[str, Any], town: bool) -> None:
    """Draw wear, paint and clutter."""

    def some(odds: float, low: float, high: float) -> float:
        return float(rng.uniform(low, high)) if rng.random() < odds else 0.0

    arid = scene["terrain"]["kind"] in ("desert", "steppe")
    edge = "sand" if arid and rng.random() < 0.5 else "snow" if not arid and rng.random() < 0.05 else "none"
    scene["wear"] = {
        "patched": some(0.3, 0.05, 0.5),
        "resurfaced": some(0.35, 0.1, 0.6),
        "mixed": bool(rng.random() < 0.3),
        "seams": some(0.45, 0.1, 1.0),
        "tracks": some(0.5, -0.7, 0.7),
        "oil": some(0.45, 0.1, 1.0),
        "gloss": some(0.12, 0.2, 1.0),
        "edge": edge,
        "drift_m": float(rng.uniform(0.2, 2.0)),
    }
    many = 1.0 if town else 0.4
    scene["paint"] = {
        "arrows_per_km": some(0.5 * many + 0.1, 2.0, 40.0),
        "stops_per_km": some(0.5 * many, 1.0, 10.0),
        "zebras_per_km": some(0.5 * many, 1.0, 10.0),
        "hatched_per_km": some(0.4, 1.0, 10.0),
        "words_per_km": some(0.35, 2.0, 25.0),
        "worn": float(rng.uniform(0.0, 0.8)),
    }
    scene["clutter"] = {
        "people_per_km": some(0.6 * many, 5.0, 150.0),
        "cycles_per_km": some(0.6 * many + 0.1, 2.0, 50.0),
        "manholes_per_km": some(0.6, 5.0, 100.0),
        "puddles_per_km": some(0.15, 5.0, 80.0),
        "junk_per_km": some(0.6, 5.0, 200.0),
        "signs_per_km": some(0.6, 5.0, 60.0),
        "gantries_per_km": some(0.2, 0.5, 4.0),
        "rail_shadow": bool(rng.random() < 0.7),
    }


def _sense(rng: np.random.Generator, sensor: dict[str, Any]) -> None:
    """Draw a harder camera and what was done to its pictures."""
    aslant, way = float(rng.choice([0.0, rng.uniform(0.0, 0.45)], p=[0.3, 0.7])), float(rng.uniform(0.0, 2 * np.pi))
    sensor["view_east"], sensor["view_north"] = aslant * float(np.cos(way)), aslant * float(np.sin(way))
    if rng.random() < 0.25:
        sensor["pixel_m"] = sensor["gsd_m"] * float(rng.uniform(0.58, 0.9))
    sensor["mtf_nyquist"] = float(rng.uniform(0.05, 0.36))
    if rng.random() < 0.3:
        sensor["halo"] = float(rng.uniform(0.2, 1.6))
    if rng.random() < 0.3 and sensor["bands"] == "rgb":
        sensor["fringe_px"] = float(rng.uniform(0.2, 1.5))
    if rng.random() < 0.12:
        sensor["smear_px"] = float(rng.uniform(0.3, 1.6))
    if rng.random() < 0.5:
        sensor["cast"] = [float(np.exp(rng.normal(0.0, 0.10))) for _ in range(3)]
    if rng.random() < 0.2:
        sensor["snr"] = float(np.exp(rng.uniform(np.log(10.0), np.log(35.0))))
    dice = rng.random()
    if dice < 0.15:
        sensor["white"] = float(rng.uniform(0.18, 0.32))
    elif dice < 0.30:
        sensor["white"], sensor["black"] = float(rng.uniform(0.8, 1.3)), float(rng.uniform(-0.04, 0.0))
    if sensor["bits"] == 8 and rng.random() < 0.5:
        sensor["jpeg_quality"] = int(rng.integers(50, 96))
