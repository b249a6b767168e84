"""Whatever is wrong with an input: its exit code, one line that names it, and nothing half-written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from pyproj import Transformer

from jamline.cli import main

UTM38N = "EPSG:32638"
WEST_M, NORTH_M, PIXEL_M, SIDE_PX = 470_000.0, 4_740_000.0, 0.5, 400


def line_from(x_m: float, y_m: float, length_m: float) -> dict:
    """A line to the east from a position in metres, as GeoJSON."""
    to_lonlat = Transformer.from_crs(UTM38N, "EPSG:4326", always_xy=True)
    ends = [to_lonlat.transform(x_m, y_m), to_lonlat.transform(x_m + length_m, y_m)]
    return {"type": "LineString", "coordinates": ends}


ROAD = line_from(WEST_M + 20, NORTH_M - 100, 160.0)
FAR_ROAD = line_from(WEST_M + 9000, NORTH_M, 500.0)


def write_image(path: Path, pixels=None, *, crs=UTM38N, transform=None, **profile) -> Path:
    """Write a picture of 200 m by 200 m; where nothing else is given, of an empty road 8 m wide."""
    if pixels is None:
        pixels = np.random.default_rng(5).integers(110, 130, (3, SIDE_PX, SIDE_PX)).astype("uint8")
        pixels[:, 192:208] = np.random.default_rng(6).integers(58, 62, (3, 16, SIDE_PX))
    transform = transform or Affine(PIXEL_M, 0, WEST_M, 0, -PIXEL_M, NORTH_M)
    shape = {"count": pixels.shape[0], "height": pixels.shape[1], "width": pixels.shape[2]}
    with rasterio.open(
        path, "w", driver="GTiff", dtype=pixels.dtype, crs=crs, transform=transform, **shape, **profile
    ) as file:
        file.write(pixels)
    return path


def write_damaged(path: Path) -> None:
    """Write a picture that opens, but has blocks that cannot be read."""
    write_image(path, compress="deflate", tiled=True, blockxsize=128, blockysize=128)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\xff" * 20_000
    path.write_bytes(content)


def write_road(path: Path, *geometries, names=()) -> Path:
    """Write a GeoJSON file."""
    features = [
        {"type": "Feature", "properties": {"name": name} if name else {}, "geometry": geometry}
        for geometry, name in zip(geometries, [*names, *[""] * len(geometries)], strict=False)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with a picture and a road through it, in which commands run."""
    write_image(tmp_path / "image.tif")
    write_road(tmp_path / "road.geojson", ROAD)
    (tmp_path / "job.toml").write_text('imagery = "image.tif"\nroad = "road.geojson"\nclaims = ["16 km"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(folder: Path, *args: str) -> tuple[int, str]:
    """Run a command that must fail; return its exit code and its one line."""
    before = sorted(folder.rglob("*"))
    result = CliRunner().invoke(main, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.stdout == ""
    assert sorted(folder.rglob("*")) == before
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return result.exit_code, line


def measure(image="image.tif", *more: str, road="road.geojson", out="out") -> list[str]:
    return ["measure", image, "--road", road, "-o", out, *more]


def test_the_inputs_themselves_are_fine(folder):
    result = CliRunner().invoke(main, measure())
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.startswith("road 1: 0.16 of 0.16 km seen at 0.5 m")
    assert result.stdout.splitlines()[-1] == f"Report: {Path('out', 'report.html')}"


class TestImagery:
    def test_missing(self, folder):
        assert refused(folder, *measure("nope.tif")) == (
            3,
            "Error: Invalid image 'nope.tif'. Must be a file that exists.",
        )

    def test_empty_pattern(self, folder):
        code, line = refused(folder, *measure("tiles/*.tif"))
        assert (code, "tiles/*.tif" in line) == (3, True)

    def test_no_raster(self, folder):
        (folder / "text.tif").write_text("this is no raster")
        code, line = refused(folder, *measure("text.tif"))
        assert (code, "text.tif" in line) == (3, True)

    def test_no_crs(self, folder):
        write_image(folder / "bare.tif", crs=None)
        code, line = refused(folder, *measure("bare.tif"))
        assert (code, "'bare.tif'. Must have a coordinate reference system" in line) == (3, True)

    @pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # the test's own file
    def test_no_georeference(self, folder):
        write_image(folder / "press.tif", crs=None, transform=Affine.identity())
        code, line = refused(folder, *measure("press.tif"))
        assert (code, "cannot be verified" in line) == (3, True)

    def test_truncated(self, folder):
        whole = (folder / "image.tif").read_bytes()
        (folder / "cut.tif").write_bytes(whole[: len(whole) // 3])
        code, line = refused(folder, *measure("cut.tif"))
        assert (code, "'cut.tif'" in line) == (3, True)

    def test_corrupt_block(self, folder):
        write_damaged(folder / "bad.tif")
        code, line = refused(folder, *measure("bad.tif"))
        assert (code, "'bad.tif'" in line) == (3, True)

    def test_all_nodata(self, folder):
        write_image(folder / "void.tif", np.zeros((3, SIDE_PX, SIDE_PX), "uint8"), nodata=0)
        code, line = refused(folder, *measure("void.tif"))
        assert (code, "valid pixel" in line) == (4, True)

    def test_radar(self, folder):
        write_image(folder / "slc.tif", np.ones((1, SIDE_PX, SIDE_PX), "complex64"))
        code, line = refused(folder, *measure("slc.tif"))
        assert (code, "'slc.tif'. Must be an optical image" in line) == (4, True)


class TestRoad:
    def test_missing(self, folder):
        assert refused(folder, *measure(road="nope.geojson")) == (
            3,
            "Error: Invalid road 'nope.geojson'. Must be a file that exists.",
        )

    def test_no_vector_file(self, folder):
        (folder / "text.geojson").write_text("no road")
        code, line = refused(folder, *measure(road="text.geojson"))
        assert (code, "'text.geojson'" in line) == (3, True)

    def test_points_only(self, folder):
        write_road(folder / "points.geojson", {"type": "Point", "coordinates": [44.63, 42.81]})
        code, line = refused(folder, *measure(road="points.geojson"))
        assert (code, "'points.geojson'. Must hold a line; it holds Point." in line) == (3, True)

    def test_zero_length(self, folder):
        write_road(folder / "dot.geojson", {"type": "LineString", "coordinates": [[44.634, 42.8123]] * 2})
        code, line = refused(folder, *measure(road="dot.geojson"))
        assert (code, "'dot.geojson'" in line) == (3, True)

    def test_no_feature(self, folder):
        write_road(folder / "empty.geojson")
        code, line = refused(folder, *measure(road="empty.geojson"))
        assert (code, "'empty.geojson'" in line) == (3, True)

    def test_outside_the_imagery(self, folder):
        write_road(folder / "far.geojson", FAR_ROAD)
        code, line = refused(folder, *measure(road="far.geojson"))
        assert (code, "'far.geojson'. Must run through the imagery" in line) == (4, True)

    def test_all_roads_outside_the_imagery(self, folder):
        write_road(folder / "far.geojson", FAR_ROAD, FAR_ROAD, names=("A", "B"))
        code, line = refused(folder, *measure(road="far.geojson"))
        assert (code, "none of 2 does" in line) == (4, True)

    def test_unknown_origin(self, folder):
        code, line = refused(folder, *measure("image.tif", "--origin", "Atlantis"))
        assert (code, "Invalid origin 'Atlantis'" in line) == (3, True)

    def test_unknown_name(self, folder):
        code, line = refused(folder, *measure("image.tif", "--road-name", "A-161"))
        assert (code, "Invalid road name 'A-161' in 'road.geojson'" in line) == (3, True)


class TestJob:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("imagery = [", "'bad.toml'. Must be TOML"),
            (b"imagery = '\xff'", "'bad.toml'. Must be TOML"),
            ('road = "road.geojson"', "key 'imagery' in job 'bad.toml'. Must be given"),
            ('imagery = "image.tif"', "key 'road' in job 'bad.toml'. Must be given"),
            (
                'imagery = "image.tif"\nroad = "road.geojson"\ncolour = 1',
                "key 'colour' in job 'bad.toml'. Must be one of",
            ),
            ("imagery = 3\nroad = 'road.geojson'", "key 'imagery' in job 'bad.toml'"),
            ("imagery = []\nroad = 'road.geojson'", "key 'imagery' in job 'bad.toml'"),
            ("imagery = 'image.tif'\nroad = 'road.geojson'\ngsd_m = 0", "key 'gsd_m' in job 'bad.toml'"),
            ("imagery = 'image.tif'\nroad = 'road.geojson'\nhalf_width_m = 1e4", "key 'half_width_m'"),
            ("imagery = 'image.tif'\nroad = 'road.geojson'\nbands = [1, 2]", "key 'bands'"),
            ("imagery = 'image.tif'\nroad = 'road.geojson'\nclaims = 16", "key 'claims' in job 'bad.toml'"),
            ("imagery = 'image.tif'\nroad = 'road.geojson'\nclaims = ['no number']", "'bad.toml'"),
            ("imagery = 'image.tif'\nroad = 'road.geojson'\nclaims = 'none.toml'", "'none.toml'"),
            (
                "imagery = 'image.tif'\nroad = 'road.geojson'\n[[claim]]\ntxt = '1 km'",
                "key 'txt' in 'bad.toml'",
            ),
        ],
    )
    def test_wrong(self, folder, text, words):
        (folder / "bad.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        code, line = refused(folder, "check", "bad.toml", "-o", "out")
        assert code == 3
        assert words in line

    def test_missing(self, folder):
        code, line = refused(folder, "check", "nope.toml", "-o", "out")
        assert (code, "'nope.toml'" in line) == (3, True)

    def test_a_folder_is_no_job(self, folder):
        (folder / "jobs").mkdir()
        code, line = refused(folder, "check", "jobs", "-o", "out")
        assert (code, "'jobs'" in line) == (3, True)

    def test_unknown_detector(self, folder):
        (folder / "bad.toml").write_text("imagery = 'image.tif'\nroad = 'road.geojson'\ndetector = 'magic'")
        code, line = refused(folder, "check", "bad.toml", "-o", "out")
        assert (code, "'magic'" in line) == (2, True)


class TestUsage:
    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (["--no-such-option"], "--no-such-option"),
            (["--gsd", "0"], "--gsd"),
            (["--gsd", "-1"], "--gsd"),
            (["--gsd", "nan"], "gsd 'nan'"),
            (["--gsd", "half"], "--gsd"),
            (["--half-width", "0"], "half width '0"),
            (["--half-width", "-5"], "half width '-5"),
            (["--half-width", "1e6"], "half width '1000000"),
            (["--half-width", "nan"], "half width 'nan'"),
            (["--bands", "1,2"], "--bands"),
            (["--bands", "red"], "--bands"),
            (["--detector", "magic"], "detector 'magic'. Must be one of contrast"),
        ],
    )
    def test_wrong_option(self, folder, more, words):
        code, line = refused(folder, *measure("image.tif", *more))
        assert code == 2
        assert words in line

    def test_no_image(self, folder):
        code, line = refused(folder, "measure", "--road", "road.geojson", "-o", "out")
        assert (code, "IMAGE" in line) == (2, True)

    def test_no_output(self, folder):
        code, line = refused(folder, "measure", "image.tif", "--road", "road.geojson")
        assert (code, "OUTDIR" in line or "--output" in line) == (2, True)

    def test_unknown_command(self, folder):
        code, line = refused(folder, "mesure")
        assert (code, "'mesure'" in line) == (2, True)

    def test_unknown_option_of_the_group(self, folder):
        code, line = refused(folder, "--colour")
        assert (code, "--colour" in line) == (2, True)


def test_a_claim_without_a_number(folder):
    code, line = refused(folder, *measure("image.tif", "--claim", "a huge jam"))
    assert (code, "'a huge jam'" in line) == (3, True)


class TestOutput:
    def test_exists(self, folder):
        (folder / "out").mkdir()
        (folder / "out" / "note.txt").write_text("mine")
        code, line = refused(folder, *measure())
        assert (code, "--overwrite" in line) == (3, True)

    def test_is_no_result(self, folder):
        (folder / "out").mkdir()
        (folder / "out" / "note.txt").write_text("mine")
        code, line = refused(folder, *measure("image.tif", "--overwrite"))
        assert (code, "'out'" in line) == (3, True)
        assert (folder / "out" / "note.txt").read_text() == "mine"

    def test_below_a_file(self, folder):
        code, line = refused(folder, *measure(out=os.path.join("image.tif", "out")))
        assert (code, "Must be writable" in line) == (3, True)

    def test_is_an_address(self, folder):
        code, line = refused(folder, *measure(out="s3://bucket/out"))
        assert (code, "'s3://bucket/out'" in line) == (3, True)

    def test_a_failed_run_leaves_the_earlier_result(self, folder):
        assert CliRunner().invoke(main, measure()).exit_code == 0
        earlier = (folder / "out" / "run.json").read_bytes()
        code, _ = refused(folder, *measure("nope.tif", "--overwrite"))
        assert code == 3
        assert (folder / "out" / "run.json").read_bytes() == earlier


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (measure("nope.tif"), 3),
        (measure("void.tif"), 4),
        (measure("cut.tif"), 3),
        (measure("bad.tif"), 3),
        (measure("image.tif", "--no-such-option"), 2),
    ],
)
def test_as_a_program(folder, args, code):
    """GDAL writes to the process's own stderr, past Python: only a real process shows that."""
    write_image(folder / "void.tif", np.zeros((3, SIDE_PX, SIDE_PX), "uint8"), nodata=0)
    whole = (folder / "image.tif").read_bytes()
    (folder / "cut.tif").write_bytes(whole[: len(whole) // 3])
    write_damaged(folder / "bad.tif")
    done = subprocess.run([sys.executable, "-m", "jamline", *args], capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "out").exists()
