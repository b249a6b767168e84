"""Write short.json: the tiles of the small sample as STAC items, to try `jamline fetch` on without a network.

python seeds/catalogues/make_short.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import shapely

from jamline import open_scene

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_tiles" / "short"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def main() -> None:
    """Write the items."""
    features = []
    with open_scene(SAMPLE) as scene:
        for image in sorted(scene.images, key=lambda image: image.path):
            outline = shapely.set_precision(image.footprint.simplify(1e-6), 1e-7)
            tile = Path(image.path)
            bands = [{"name": colour, "common_name": colour} for colour in ("red", "green", "blue")]
            asset = {"href": os.path.relpath(tile, HERE), "type": COG, "roles": ["data"], "eo:bands": bands}
            features.append(
                {
                    "type": "Feature",
                    "stac_version": "1.0.0",
                    "stac_extensions": [],
                    "id": tile.stem,
                    "collection": "short",
                    "geometry": json.loads(shapely.to_geojson(outline)),
                    "bbox": [round(number, 7) for number in image.footprint.bounds],
                    "properties": {"datetime": image.acquired, "gsd": 0.5, "eo:cloud_cover": 0},
                    "links": [],
                    "assets": {"visual": asset},
                }
            )
    text = json.dumps({"type": "FeatureCollection", "features": features}, indent=1)
    (HERE / "short.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
