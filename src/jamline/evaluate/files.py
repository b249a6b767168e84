"""Reading the files of a result and of a truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from jamline.errors import InputError


def features(path: Path) -> tuple[npt.NDArray[np.object_], list[dict[str, Any]]]:
    """Read the geometries and properties of a GeoJSON file, which is in WGS 84 by its standard."""
    content = read_json(path)
    try:
        features = [f for f in content["features"] if f["geometry"] is not None]
        shapes = np.empty(len(features), dtype=object)
        shapes[:] = [shapely.from_geojson(json.dumps(f["geometry"])) for f in features]
        return shapes, [f.get("properties") or {} for f in features]
    except (KeyError, TypeError, shapely.GEOSException) as error:
        raise InputError(f"Invalid file '{path}'. Must be a GeoJSON FeatureCollection.") from error


def read_json(path: Path) -> Any:
    """Read a JSON file, or say which one is missing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Invalid file '{path}'. Must exist and be readable.") from error
    except ValueError as error:
        raise InputError(f"Invalid file '{path}'. Must be JSON.") from error
