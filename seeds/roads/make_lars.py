"""Draw seeds/roads/lars.geojson: a plausible valley road through the published positions of A-161.

The positions are published to about 0.3 km; between them the line is made up, its bends sized so that each
stretch is as long as the published distances say. Nobody surveyed it, and it is not taken from any map.

    python seeds/roads/make_lars.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyproj import Transformer
from scipy.interpolate import PchipInterpolator

Array = npt.NDArray[np.float64]

# Name, latitude, longitude, km of road from the Russian checkpoint.
PLACES = (
    ("georgian post", 42.7403, 44.6270, -3.6),
    ("border", 42.7470, 44.6229, -2.8),
    ("checkpoint", 42.7690, 44.6310, 0.0),
    ("nizhny lars", 42.7959, 44.6350, 3.2),
    ("police post", 42.8444, 44.6379, 8.9),
    ("chmi", 42.8516, 44.6379, 9.8),
    ("balta", 42.9174, 44.6311, 17.4),
    ("redant", 42.9701, 44.6666, 24.3),
)
STATUS = "not surveyed: through positions published to +-0.3 km, made up between them"
SEED = 161
STEP_M = 5.0


def main() -> None:
    """Write the file."""
    to_map = Transformer.from_crs("EPSG:4326", "EPSG:32638", always_xy=True)
    xy = np.column_stack(to_map.transform([p[2] for p in PLACES], [p[1] for p in PLACES]))
    km = np.array([p[3] for p in PLACES])
    rng = np.random.default_rng(SEED)
    base = PchipInterpolator(km, xy)
    parts = [stretch(base, km[i], km[i + 1], rng) for i in range(len(PLACES) - 1)]
    line = np.vstack([*(part[:-1] for part in parts), xy[-1:]])
    lon, lat = to_map.transform(line[::5, 0], line[::5, 1], direction="INVERSE")
    road = np.round(np.column_stack([lon, lat]), 6).tolist()
    road.append([PLACES[-1][2], PLACES[-1][1]])
    tags = {"name": "A-161", "lanes": 2, "oneway": "no", "status": STATUS}
    features = [feature({"type": "LineString", "coordinates": road}, tags)]
    for name, latitude, longitude, _ in PLACES:
        point = {"type": "Point", "coordinates": [longitude, latitude]}
        features.append(feature(point, {"name": name, "status": "published to +-0.3 km"}))
    text = json.dumps({"type": "FeatureCollection", "features": features})
    path = Path(__file__).with_name("lars.geojson")
    path.write_text(text.replace('{"type": "Feature"', '\n{"type": "Feature"') + "\n", encoding="utf-8")


def stretch(base: PchipInterpolator, start_km: float, end_km: float, rng: np.random.Generator) -> Array:
    """Bend the smooth curve between two places until it is as long as published, shape (n, 2)."""
    length = (end_km - start_km) * 1000.0
    t = np.linspace(0.0, 1.0, round(length / STEP_M) + 1)
    curve = base(start_km + t * (end_km - start_km))
    ahead = np.gradient(curve, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    left = np.column_stack([-ahead[:, 1], ahead[:, 0]])
    wave = np.zeros_like(t)
    for mean_m, weight in ((1500.0, 1.6), (760.0, 1.0), (380.0, 0.28)):
        phase = rng.uniform(0, 2 * np.pi) + t * length / (mean_m * rng.uniform(0.85, 1.15)) * 2 * np.pi
        wave += weight * np.sin(phase + 0.7 * np.sin(phase * 0.37 + rng.uniform(0, 6)))
    # Rest at both ends, so that the bends of neighbours join smoothly.
    taper = np.clip(np.minimum(t, 1.0 - t) * length / min(500.0, length / 3), 0.0, 1.0)
    wave *= taper * taper * (3.0 - 2.0 * taper)
    low, high = 0.0, 150.0
    for _ in range(40):
        middle = (low + high) / 2
        steps = np.diff(curve + middle * wave[:, None] * left, axis=0)
        low, high = (low, middle) if np.hypot(*steps.T).sum() > length else (middle, high)
    return np.asarray(curve + low * wave[:, None] * left, dtype=float)


def feature(geometry: dict[str, object], tags: dict[str, object]) -> dict[str, object]:
    """Return a GeoJSON feature."""
    return {"type": "Feature", "properties": tags, "geometry": geometry}


if __name__ == "__main__":
    main()
