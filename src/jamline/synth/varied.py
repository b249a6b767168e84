"""Scenes drawn at random, wider and harder than the world, for studies of accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np

from jamline.synth.config import SceneSpec
from jamline.synth.harden import harden
from jamline.synth.widen import widen

_SURFACES = {
    "desert": 0.3,
    "steppe": 0.35,
    "fields": 0.15,
    "grass": 0.15,
    "forest": 0.15,
    "rock": 0.25,
    "town": 0.45,
}


def varied(seed: int, *, gsd_m: float = 0.5, length_km: float | None = None) -> SceneSpec:
    """Draw a scene.

    Parameters
    ----------
    seed : int
        Equal seeds give equal scenes, at any ``gsd_m``.
    gsd_m : float
        Ground resolution.
    length_km : float, optional
        Of the road; 1 to 3 km where not given.

    Returns
    -------
    SceneSpec
        About one in six has no queue at all, one in three a queue that leaves the imagery.
    """
    rng = np.random.default_rng([seed, 1000])
    length = 1000.0 * (length_km if length_km is not None else float(rng.uniform(1.0, 3.0)))
    road = _road(rng, length)
    edges = {"start_m": -1e9, "end_m": 1e9}
    queues, flows, parked = _traffic(rng, road, length, edges)
    terrain = _terrain(rng)
    light, white = _light(rng)
    scene: dict[str, Any] = {
        "name": f"varied {seed}",
        "seed": seed,
        "longitude_deg": float(rng.uniform(-20.0, 110.0)),
        "latitude_deg": float(rng.uniform(-35.0, 60.0)),
        "road": road,
        "line": {
            "offset_m": float(np.clip(rng.normal(0.0, 3.0), -8.0, 8.0)),
            "drift_m": float(rng.uniform(0.0, 1.8)),
            "drift_length_m": float(rng.uniform(250.0, 1500.0)),
            "vertex_m": float(rng.uniform(8.0, 40.0)) if road["shape"] in ("straight", "gentle") else 8.0,
            "jitter_m": float(rng.uniform(0.0, 0.5)),
            "tags": bool(rng.random() < 0.7),
        },
        "queues": queues,
        "flows": flows,
        "parked": parked,
        "terrain": terrain,
        "light": light,
        "sensor": _sensor(rng, gsd_m, white),
        "imagery": {**edges, "half_width_m": 60.0, "tile_px": 1024, "overlap_px": 48},
    }
    widen(np.random.default_rng([seed, 1001]), scene)
    harden(np.random.default_rng([seed, 1002]), scene)
    return SceneSpec.model_validate(scene)


def _road(rng: np.random.Generator, length: float) -> dict[str, Any]:
    oneway = bool(rng.random() < 0.25)
    lanes = (
        int(rng.choice([1, 2, 3], p=[0.15, 0.5, 0.35])) if oneway else int(rng.choice([1, 2, 3], p=[0.62, 0.3, 0.08]))
    )
    shape = str(rng.choice(["straight", "gentle", "winding", "hairpins"], p=[0.2, 0.45, 0.25, 0.1]))
    surface = str(rng.choice(["asphalt", "worn", "concrete"], p=[0.5, 0.33, 0.17]))
    return {
        "name": "made-up road",
        "length_m": length,
        "heading_deg": float(rng.uniform(0.0, 360.0)),
        "shape": shape,
        "oneway": oneway,
        "lanes_right": lanes,
        "lanes_left": 0 if oneway else lanes if rng.random() < 0.85 else max(1, lanes - 1),
        "lane_width_m": float(rng.uniform(3.0, 3.75)),
        "shoulder_m": float(rng.choice([0.3, 0.6, 1.5, 2.5])),
        "verge_m": float(rng.uniform(0.5, 3.0)),
        "median_m": 0.0 if oneway or lanes == 1 else float(rng.choice([0.0, 1.0, 3.0, 6.0])),
        "surface": surface,
        "brightness": float(np.exp(rng.normal(0.0, 0.2))),
        "markings": float(np.clip(rng.normal(0.6, 0.3), 0.0, 1.0)),
        "kerb": bool(rng.random() < 0.25),
        "rails": bool(rng.random() < 0.3),
        "poles": bool(rng.random() < 0.35),
        "bridges_m": [float(rng.uniform(0.1, 0.9)) * length] if rng.random() < 0.1 else [],
        "origins": [{"name": "gate", "station_m": 0.0}],
    }


def _traffic(
    rng: np.random.Generator, road: dict[str, Any], length: float, edges: dict[str, float]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    sides = ["all"] if road["oneway"] else ["right", "left"]
    side = str(rng.choice(sides))
    lanes = road["lanes_left"] if side == "left" else road["lanes_right"]
    queues: list[dict[str, Any]] = []
    kind = rng.random()
    if kind >= 0.16:
        if kind < 0.66:
            long = float(rng.uniform(0.12, 0.8)) * length
            start = float(rng.uniform(20.0, max(21.0, length - long - 20.0)))
            end = min(length - 15.0, start + long)
        else:
            start, end = float(rng.uniform(0.0, 0.3)) * length, length
            if side == "left" or rng.random() < 0.5:
                edges["end_m"] = float(rng.uniform(0.65, 0.92)) * length
            else:
                start, end = 0.0, float(rng.uniform(0.7, 1.0)) * length
                edges["start_m"] = float(rng.uniform(0.08, 0.3)) * length
        rows = int(rng.integers(1, lanes + 1))
        room = lanes * road["lane_width_m"] + road["shoulder_m"] + 0.7 * road["verge_m"]
        extra = int(rng.random() < 0.45 and room / (rows + 1) > 2.65)
        queues.append(
            {
                "side": side,
                "start_m": start,
                "end_m": end,
                "rows": rows,
                "extra_rows": extra,
                "extra_m": float(rng.uniform(100.0, 500.0)) if extra else 0.0,
                "gap_car_m": float(rng.uniform(1.8, 4.5)),
                "gap_truck_m": float(rng.uniform(3.0, 8.0)),
                "gap_spread": float(rng.uniform(0.2, 0.6)),
                "truck_share": float(rng.choice([0.0, rng.uniform(0.0, 0.15), rng.uniform(0.1, 0.6)])),
                "creeping_share": float(rng.choice([0.0, rng.uniform(0.0, 0.5)])),
                "gaps_per_km": float(rng.choice([0.0, rng.uniform(0.5, 5.0)])),
            }
        )
    flows = [
        {
            "side": each,
            "per_km_lane": float(rng.uniform(1.0, 11.0)),
            "truck_share": float(rng.uniform(0.0, 0.35)),
        }
        for each in sides
        if not (each == side and queues and lanes <= queues[0]["rows"] and rng.random() < 0.7)
    ]
    parked = []
    if rng.random() < 0.3:
        start = float(rng.uniform(0.05, 0.6)) * length
        parked.append(
            {
                "side": str(rng.choice(["left", "right"])),
                "start_m": start,
                "end_m": start + float(rng.uniform(40.0, 250.0)),
                "where": str(rng.choice(["bay", "verge"])),
                "fill": float(rng.uniform(0.3, 0.95)),
                "truck_share": float(rng.choice([0.0, 0.0, 0.5])),
            }
        )
    return queues, flows, parked


def _terrain(rng: np.random.Generator) -> dict[str, Any]:
    kinds = list(_SURFACES)
    weights = np.array([_SURFACES[kind] for kind in kinds])
    kind = str(rng.choice(kinds, p=weights / weights.sum()))
    trees = {
        "desert": 0.01,
        "steppe": 0.05,
        "fields": 0.12,
        "grass": 0.25,
        "forest": 0.75,
        "rock": 0.15,
        "town": 0.22,
    }
    return {
        "kind": kind,
        "trees": float(np.clip(trees[kind] * rng.uniform(0.4, 1.6), 0.0, 0.95)),
        "tree_line": float(rng.uniform(0.05, 0.7)) if rng.random() < 0.25 and kind != "desert" else 0.0,
        "tree_radius_m": float(rng.uniform(1.8, 4.2)),
        "buildings_per_km": float(rng.uniform(25, 60)) if kind == "town" else float(rng.choice([0.0, 0.0, 6.0])),
        "relief": float(rng.uniform(0.0, 0.8)) if kind in ("rock", "steppe", "desert") else float(rng.uniform(0, 0.25)),
        "season": float(rng.random()),
    }


def _light(rng: np.random.Generator) -> tuple[dict[str, Any], float]:
    """Return the light, and the reflectance at which pixels are full."""
    overcast = rng.random() < 0.08
    light = {
        "sun_elevation_deg": float(rng.uniform(22.0, 72.0)),
        "sun_azimuth_deg": float(rng.uniform(0.0, 360.0)),
        "sky": float(rng.uniform(0.9, 1.8)) if overcast else float(rng.uniform(0.10, 0.30)),
        "haze": float(rng.choice([0.0, rng.uniform(0.0, 0.03), rng.uniform(0.02, 0.09)])),
        "valley_shadow": float(rng.uniform(0.1, 0.6)) if rng.random() < 0.15 else 0.0,
        "clouds": float(rng.uniform(0.02, 0.25)) if rng.random() < 0.06 else 0.0,
    }
    return light, float(rng.uniform(0.32, 0.85))


def _sensor(rng: np.random.Generator, gsd_m: float, white: float) -> dict[str, Any]:
    eleven = bool(rng.random() < 0.25)
    return {
        "gsd_m": gsd_m,
        "bands": "pan" if rng.random() < 0.2 else "rgb",
        "bits": 11 if eleven else 8,
        "mtf_nyquist": float(rng.uniform(0.08, 0.30)),
        "sharpen": float(rng.choice([0.0, rng.uniform(0.2, 1.2)])),
        "pansharpened": bool(rng.random() < 0.75),
        "snr": float(np.exp(rng.uniform(np.log(35.0), np.log(160.0)))),
        "black": float(rng.uniform(-0.005, 0.02)),
        "white": white,
        "gamma": float(rng.choice([1.0, 1.4, 1.8, 2.2])),
        "jpeg_quality": 0 if eleven else int(rng.choice([0, 0, 75, 85, 92])),
    }
