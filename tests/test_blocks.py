"""Blocks of files: each decoded once for both looks at a road, kept on disk, and never another pixel for it."""

from __future__ import annotations

import multiprocessing
import pickle
from collections import Counter

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine

from jamline import find_vehicles, open_scene
from jamline.corridor import _ahead, _corridor, _overview, lay_flat
from jamline.imagery import _blocks
from jamline.imagery._tiles import TILE_PX, tiles_near
from jamline.road import read_road
from jamline.synth import SceneSpec, simulate

BLOCK_BYTES = 3 * 256 * 256
PAN = ("pan",)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A slanting road of 1.2 km in one file, whose blocks have 256 pixels to a side."""
    spec = SceneSpec.model_validate(
        {
            "name": "slanting",
            "seed": 3,
            "road": {"length_m": 1200.0, "name": "R1", "heading_deg": 50.0},
            "queues": [{"side": "right", "start_m": 200.0, "end_m": 900.0}],
            "imagery": {"half_width_m": 80.0, "tile_px": 8192},
        }
    )
    return simulate(spec, tmp_path_factory.mktemp("blocks") / "scene")


@pytest.fixture
def decoded(monkeypatch):
    """How often each block is decoded."""
    count = Counter()
    decode = _blocks._decoded

    def counted(level, lend, places):
        count.update((level.factor, place) for place in places)
        return decode(level, lend, places)

    monkeypatch.setattr(_blocks, "_decoded", counted)
    return count


def looked_at(folder):
    """All that two looks at a road give: the strip, and the vehicles in it."""
    with open_scene(folder) as opened:
        corridor = lay_flat(opened, read_road(folder / "road.geojson"))
        strip = [section.pixels for section in corridor.sections(length_m=300.0)]
        return strip, find_vehicles(corridor).vehicles.drop(columns="geometry").to_csv()


def equal(one, other):
    assert one[1] == other[1]
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def usual(scene):
    return looked_at(scene)


@pytest.mark.parametrize("blocks_held", [1000, 6])
def test_each_block_is_decoded_once_however_few_are_held(scene, usual, decoded, monkeypatch, blocks_held):
    monkeypatch.setattr(_blocks, "_HELD_BYTES", blocks_held * BLOCK_BYTES)
    equal(looked_at(scene), usual)
    assert len(decoded) > 10
    assert set(decoded.values()) == {1}


def test_without_room_on_disk_blocks_are_decoded_again_to_the_same_pixels(scene, usual, decoded, monkeypatch):
    class Full:
        """A file on a disk without room, which takes less than it is given."""

        def seek(self, *_):
            pass

        def write(self, content):
            return len(content) // 2

        def close(self):
            pass

    monkeypatch.setattr(_blocks, "_HELD_BYTES", 6 * BLOCK_BYTES)
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    equal(looked_at(scene), usual)
    assert max(decoded.values()) > 1


def test_reading_ahead_changes_nothing(scene, usual, monkeypatch):
    monkeypatch.setattr(_corridor, "one_ahead", iter)
    monkeypatch.setattr(_overview, "one_ahead", iter)
    equal(looked_at(scene), usual)


def test_what_was_kept_is_gone_with_the_scene(scene):
    opened = open_scene(scene)
    (image,) = opened.images
    before, _ = image.read(300, 300, 200, 200, roles=PAN)
    assert opened._blocks._held
    opened.close()
    assert not opened._blocks._held
    np.testing.assert_array_equal(image.read(300, 300, 200, 200, roles=PAN)[0], before)


def test_pickles_and_forked_children_read_for_themselves(scene, monkeypatch):
    monkeypatch.setattr(_blocks, "_HELD_BYTES", BLOCK_BYTES)
    with open_scene(scene) as opened:
        (image,) = opened.images
        whole, _ = image.read(0, 0, image.width, image.height, roles=PAN)
        assert opened._blocks._file is not None
        with pickle.loads(pickle.dumps(opened)) as other:  # noqa: S301 (our own)
            assert not other._blocks._held
            np.testing.assert_array_equal(other.images[0].read(0, 0, 500, 500, roles=PAN)[0], whole[:, :500, :500])

        def child():
            np.testing.assert_array_equal(image.read(0, 0, image.width, image.height, roles=PAN)[0], whole)

        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join()
        assert process.exitcode == 0
        # What the child put on disk lies elsewhere.
        np.testing.assert_array_equal(image.read(0, 0, image.width, image.height, roles=PAN)[0], whole)


@pytest.mark.parametrize(
    ("shape", "creation"),
    [
        ((300, 500), {"tiled": True, "blockxsize": 128, "blockysize": 64}),
        ((300, 500), {"tiled": True, "blockxsize": 48, "blockysize": 80}),
        ((700, 300), {}),  # rows as wide as the file
        ((10, 10), {}),
    ],
)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("held_bytes", [1, 1 << 20])
def test_windows_are_those_of_rasterio(tmp_path, monkeypatch, shape, creation, masked, held_bytes):
    monkeypatch.setattr(_blocks, "_HELD_BYTES", held_bytes)
    rng = np.random.default_rng(1)
    values = rng.integers(1, 60_000, (1, *shape), np.uint16)
    mask = np.where(rng.random(shape) < 0.3, 0, 255).astype(np.uint8)
    profile = {"driver": "GTiff", "dtype": "uint16", "count": 1, "height": shape[0], "width": shape[1]}
    profile |= {"crs": "EPSG:32638", "transform": Affine(0.5, 0.0, 470_000.0, 0.0, -0.5, 4_735_000.0)}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(tmp_path / "a.tif", "w", **profile, **creation) as file,
    ):
        file.write(values)
        if masked:
            file.write_mask(mask)
    seen = mask > 0 if masked else np.ones(shape, bool)
    with open_scene(tmp_path / "a.tif") as opened:
        (image,) = opened.images
        for _ in range(12):
            top, left = (int(rng.integers(0, size)) for size in shape)
            high, wide = int(rng.integers(1, shape[0] - top + 1)), int(rng.integers(1, shape[1] - left + 1))
            here = slice(top, top + high), slice(left, left + wide)
            pixels, valid = image.read(left, top, wide, high, roles=PAN)
            np.testing.assert_array_equal(valid, seen[here])
            np.testing.assert_array_equal(pixels[0], np.where(seen[here], values[0][here], 0))


def test_far_from_the_places_asked_for_nothing_is_read(scene, decoded):
    with open_scene(scene) as opened:
        (image,) = opened.images
        near = np.array([700.0]), np.array([700.0])
        pixels, valid = image.read(300, 300, 900, 900, roles=PAN, near=near)
        assert set(decoded) == {(1, (2, 2))}
        assert valid[:100, :100].all()
        np.testing.assert_array_equal(
            pixels[:, 390:410, 390:410], image.read(690, 690, 20, 20, roles=PAN)[0]
        )  # fmt: skip
        assert not pixels[:, :100, :100].any()


@settings(max_examples=60, deadline=None)
@given(
    places=st.lists(st.tuples(st.floats(-50, 700), st.floats(-50, 700)), min_size=1, max_size=20),
    margin_px=st.floats(0.0, TILE_PX / 2),
    top=st.integers(0, 200),
    left=st.integers(0, 200),
)
def test_tiles_near_places_hold_every_pixel_near_them(places, margin_px, top, left):
    rows, cols = (top, top + 300), (left, left + 400)
    x, y = np.array(places).T
    near = tiles_near(x, y, margin_px=margin_px, rows=rows, cols=cols)
    row, col = np.mgrid[rows[0] : rows[1], cols[0] : cols[1]]
    close = np.zeros(row.shape, bool)
    for px, py in places:
        close |= (np.abs(col - px) <= margin_px) & (np.abs(row - py) <= margin_px)
    wanted = near[row // TILE_PX - rows[0] // TILE_PX, col // TILE_PX - cols[0] // TILE_PX]
    assert wanted[close].all()


def test_an_error_comes_where_its_item_would_have_come():
    def items():
        yield 1
        yield 2
        raise ValueError("third")

    ahead = _ahead.one_ahead(items())
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(ValueError, match="third"):
        next(ahead)


def test_who_stops_early_waits_for_one_item_only():
    made = []

    def items():
        for number in range(100):
            made.append(number)
            yield number

    ahead = _ahead.one_ahead(items())
    assert next(ahead) == 0
    ahead.close()
    assert len(made) <= 2
