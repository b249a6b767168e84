"""How many bytes a survey asks of a web server, beside those of the blocks that the corridor needs; prints a table.

python benchmarks/remote.py ROAD IMAGE...

Each image, a COG on disk, is served by nginx on loopback, and the bytes are those of nginx's own log. It needs nginx
(Debian: nginx-light).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click
import rasterio

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from speed import HALF_WIDTH_M, blocks

import jamline as jl
from web_servers import nginx


def packed(image: Path, road: Path) -> tuple[int, int]:
    """Return how many blocks the corridor touches, and their bytes as the file has them."""
    with jl.open_scene(image) as scene:
        (windows,) = blocks(scene, jl.read_road(road)).values()
    with rasterio.open(image) as file:
        high, wide = file.block_shapes[0]
        names = [f"BLOCK_SIZE_{w.col_off // wide}_{w.row_off // high}" for w in windows]
        return len(names), sum(int(file.get_tag_item(name, dm="TIFF", bidx=1) or 0) for name in names)


@click.command()
@click.argument("road", type=click.Path(exists=True, path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def main(road: Path, images: tuple[Path, ...]) -> None:
    """Print the table of docs/performance.md."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    print("| image | road km | blocks needed | their MB | MB served | served over needed | requests |")
    print("|---|---|---|---|---|---|---|")
    for image in images:
        with tempfile.TemporaryDirectory() as folder, nginx(image.resolve().parent, Path(folder)) as server:
            found = jl.survey(f"{server.url}/{image.name}", road, half_width_m=HALF_WIDTH_M)
            gets = [size for method, _, size in server.requests() if method == "GET"]
        count, needed = packed(image, road)
        km = found.queues[0].evidence.road.length_m / 1000
        print(
            f"| {image.name} | {km:.2f} | {count} | {needed / 1e6:.2f} | {sum(gets) / 1e6:.2f} | "
            f"{sum(gets) / needed:.2f} | {len(gets)} |"
        )


if __name__ == "__main__":
    main()
