"""Imagery: small rasters whose answers one can work out by hand."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine

from jamline.errors import ImageryError, InputError, NothingToMeasureError, UsageError
from jamline.imagery import Image, open_scene

UTM38 = "EPSG:32638"


def at(x: float, y: float, size_x: float, size_y: float, *, turn_deg: float = 0.0) -> Affine:
    """Return the transform of a raster whose first corner is (x, y)."""
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    return Affine(cos * size_x, -sin * size_y, x, sin * size_x, cos * size_y, y)


HERE = at(470_000, 4_735_000, 0.5, -0.5)
RGB = ("red", "green", "blue")
RGBN = {"red": 1, "green": 2, "blue": 3, "nir": 4}
BGRN = {"blue": 1, "green": 2, "red": 3, "nir": 4}
RGB_COLOURS = [ColorInterp.red, ColorInterp.green, ColorInterp.blue]


def write(path: Path, pixels: np.ndarray, *, crs=UTM38, transform=HERE, **given) -> Path:
    """Write an array (bands, rows, cols); what `after` lists is set afterwards."""
    after = {
        key: given.pop(key, None)
        for key in (
            "colours",
            "labels",
            "tags",
            "mask",
            "colormap",
            "scales",
            "offsets",
            "overviews",
            "units",
        )
    }
    count, height, width = pixels.shape
    profile = {
        "driver": given.pop("driver", "GTiff"),
        "count": count,
        "height": height,
        "width": width,
        "dtype": pixels.dtype,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", crs=crs, transform=transform, **profile, **given) as dataset:
            # The GeoTIFF driver fixes the kind of each band with the first pixels.
            if after["colours"]:
                dataset.colorinterp = after["colours"]
            dataset.write(pixels)
            if after["labels"]:
                dataset.descriptions = after["labels"]
            if after["tags"]:
                dataset.update_tags(**after["tags"])
            if after["mask"] is not None:
                dataset.write_mask(after["mask"])
            if after["colormap"]:
                dataset.write_colormap(1, after["colormap"])
            if after["scales"]:
                dataset.scales, dataset.offsets = after["scales"], after["offsets"]
            if after["units"]:
                dataset.units = after["units"]
            if after["overviews"]:
                dataset.build_overviews(after["overviews"], Resampling.average)
    return path


def image_of(path: Path, **given) -> Image:
    return open_scene(path, **given).images[0]


def counted(bands: int, height: int = 4, width: int = 6, dtype="uint8") -> np.ndarray:
    """Every value another one: band * 50 + row * 6 + column + 1."""
    return (np.arange(bands)[:, None, None] * 50 + np.arange(height * width).reshape(height, width) + 1).astype(dtype)


# ---------- bands by role


@pytest.mark.parametrize(
    ("count", "dtype", "colours", "labels", "expected"),
    [
        (1, "uint8", None, None, {"pan": 1}),
        (1, "uint16", None, ["B04"], {"pan": 1}),
        (2, "uint8", [ColorInterp.gray, ColorInterp.alpha], None, {"pan": 1, "alpha": 2}),
        (3, "uint8", RGB_COLOURS, None, {"red": 1, "green": 2, "blue": 3}),
        (3, "uint16", None, None, {"red": 1, "green": 2, "blue": 3}),
        (3, "uint8", RGB_COLOURS[::-1], None, {"blue": 1, "green": 2, "red": 3}),
        (4, "uint8", [*RGB_COLOURS, ColorInterp.alpha], None, {"red": 1, "green": 2, "blue": 3, "alpha": 4}),
        (4, "uint8", [*RGB_COLOURS, ColorInterp.undefined], None, RGBN),
        (4, "uint8", None, None, RGBN),
        (4, "uint16", None, None, BGRN),
        (4, "float32", None, None, RGBN),
        (4, "uint8", None, ["Blue", "Green", "Red", "Near-Infrared"], BGRN),
        (4, "uint16", None, ["BAND_B", "BAND_G", "BAND_R", "BAND_N"], BGRN),
        (4, "uint16", None, ["B02", "B03", "B04", "B08"], BGRN),
        (4, "uint16", None, ["B8", "B4", "B3", "B2"], {"nir": 1, "red": 2, "green": 3, "blue": 4}),
        # Numbers alone name nothing: 16-bit order, in which B4 is not red.
        (4, "uint16", None, ["B1", "B2", "B3", "B4"], BGRN),
        (3, "uint8", None, ["1 (Blue)", "2 (Green)", "3 (Red)"], {"blue": 1, "green": 2, "red": 3}),
        (5, "uint16", None, None, {"blue": 1, "green": 2, "red": 3, "nir": 5}),
        (8, "uint16", None, None, {"blue": 2, "green": 3, "red": 5, "nir": 7}),
        (
            8,
            "uint16",
            None,
            ["coastal_blue", "blue", "green_i", "green", "yellow", "red", "rededge", "nir"],
            {"blue": 2, "green": 4, "red": 6, "nir": 8},
        ),
        (
            8,
            "uint16",
            None,
            ["Coastal", "Blue", "Green", "Yellow", "Red", "Red Edge", "NIR1", "NIR2"],
            {"blue": 2, "green": 3, "red": 5, "nir": 7},
        ),
    ],
)  # fmt: skip
def test_bands_get_their_roles(tmp_path, count, dtype, colours, labels, expected):
    given_profile = {} if colours else {"photometric": "MINISBLACK"}
    path = write(tmp_path / "a.tif", counted(count, dtype=dtype), colours=colours, labels=labels, **given_profile)
    assert dict(image_of(path).bands) == expected


def test_eight_bands_at_three_metres_are_superdove(tmp_path):
    coarse = at(470_000, 4_735_000, 3, -3)
    path = write(tmp_path / "a.tif", counted(8, dtype="uint16"), transform=coarse, photometric="MINISBLACK")
    assert image_of(path).bands == {"blue": 2, "green": 4, "red": 6, "nir": 8}


def test_given_bands_win_over_labels(tmp_path):
    path = write(tmp_path / "a.tif", counted(3), labels=["red", "green", "blue"])
    image = image_of(path, bands={"red": 3, "green": 2, "blue": 1})
    pixels, _ = image.read(0, 0, 1, 1, roles=RGB)
    assert pixels[:, 0, 0].tolist() == [101, 51, 1]


def test_labels_may_come_from_a_stac_item(tmp_path):
    path = write(tmp_path / "id7-ms.tif", counted(4), photometric="MINISBLACK")
    bands = [{"name": f"BAND_{letter}"} for letter in "NRGB"]
    item = {"properties": {}, "assets": {"ms": {"href": "https://x.org/a/id7-ms.tif", "eo:bands": bands}}}
    (tmp_path / "id7.json").write_text(json.dumps(item))
    assert image_of(path).bands == {"red": 2, "green": 3, "blue": 4, "nir": 1}


@pytest.mark.parametrize(
    ("bands", "error", "says"),
    [
        ({"red": 4, "green": 2, "blue": 1}, ImageryError, "Must be a number from 1 to 3"),
        ({"red": 0, "green": 2, "blue": 1}, ImageryError, "Must be a number from 1 to 3"),
        ({"rot": 1}, UsageError, "Must be one of red, green"),
        ({"red": 1}, UsageError, "Must name red, green and blue, or pan"),
        ({}, UsageError, "Must name red, green and blue, or pan"),
    ],
)
def test_given_bands_fail(tmp_path, bands, error, says):
    path = write(tmp_path / "a.tif", counted(3))
    with pytest.raises(error, match=says):
        open_scene(path, bands=bands)


def test_unknown_band_counts_ask_for_names(tmp_path):
    path = write(tmp_path / "seven.tif", counted(7, dtype="uint16"), photometric="MINISBLACK")
    with pytest.raises(ImageryError, match=r"seven\.tif.*which of its 7 bands"):
        open_scene(path)
    assert open_scene(path, bands={"pan": 6}).roles == ("pan",)


def test_scene_has_the_roles_that_all_images_share(tmp_path):
    rgb = write(tmp_path / "rgb.tif", counted(3))
    rgbn = write(tmp_path / "rgbn.tif", counted(4), colours=[*RGB_COLOURS, ColorInterp.undefined])
    pan = write(tmp_path / "pan.tif", counted(1))
    assert open_scene(rgbn).roles == (*RGB, "nir")
    assert open_scene([rgbn, rgb]).roles == RGB
    assert open_scene([rgbn, rgb, pan]).roles == ("pan",)


# ---------- pixels


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "float32", "float64"])
def test_pixels_keep_their_values(tmp_path, dtype):
    values = counted(3, dtype=dtype)
    pixels, valid = image_of(write(tmp_path / "a.tif", values)).read(1, 1, 4, 2, roles=("blue", "red"))
    assert pixels.dtype == np.float32
    assert valid.dtype == bool
    np.testing.assert_array_equal(pixels, values[[2, 0], 1:3, 1:5])
    assert valid.all()


def test_windows_may_stick_out(tmp_path):
    values = counted(1)
    image = image_of(write(tmp_path / "a.tif", values))
    pixels, valid = image.read(-2, -1, 10, 6, roles=("pan",))
    expected = np.zeros((6, 10), bool)
    expected[1:5, 2:8] = True
    np.testing.assert_array_equal(valid, expected)
    np.testing.assert_array_equal(pixels[0, 1:5, 2:8], values[0])
    assert pixels[0][~valid].sum() == 0
    assert not image.read(100, 100, 3, 3, roles=("pan",))[1].any()
    assert not image.read(-3, 0, 3, 3, roles=("pan",), shape=(1, 1))[1].any()


def test_colour_gives_luminance(tmp_path):
    values = np.full((3, 2, 2), 100, np.uint8)
    values[:, 0, 0] = [200, 100, 50]
    pixels, _ = image_of(write(tmp_path / "a.tif", values)).read(0, 0, 2, 2, roles=("pan",))
    # 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    np.testing.assert_allclose(pixels[0], [[124.2, 100], [100, 100]], rtol=1e-6)


def test_palette_becomes_colour(tmp_path):
    numbers = np.array([[[0, 1], [2, 1]]], np.uint8)
    colormap = {0: (10, 20, 30, 255), 1: (40, 50, 60, 255), 2: (9, 9, 9, 0)}
    image = image_of(write(tmp_path / "a.img", numbers, colormap=colormap, driver="HFA"))
    pixels, valid = image.read(0, 0, 2, 2, roles=RGB)
    assert pixels[:, 0, 0].tolist() == [10, 20, 30]
    assert pixels[:, 0, 1].tolist() == [40, 50, 60]
    assert valid.tolist() == [[True, True], [False, True]]
    # Colours are averaged, not their numbers.
    assert image.read(0, 0, 2, 1, roles=("green",), shape=(1, 1))[0].item() == 35


def test_scale_and_offset_are_applied_after_nodata(tmp_path):
    values = np.array([[[0, 1000], [2000, 3000]]], np.uint16)
    path = write(tmp_path / "a.tif", values, nodata=0, scales=[0.0001], offsets=[-0.1])
    pixels, valid = image_of(path).read(0, 0, 2, 2, roles=("pan",))
    np.testing.assert_allclose(pixels[0], [[0, 0], [0.1, 0.2]], atol=1e-7)
    assert valid.tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize(
    ("size", "shape", "says"),
    [
        ((0, 3), None, "window"),
        ((3, -1), None, "window"),
        ((3, 3), (4, 3), "shape"),
        ((3, 3), (0, 3), "shape"),
    ],
)
def test_windows_fail(tmp_path, size, shape, says):
    image = image_of(write(tmp_path / "a.tif", counted(1)))
    with pytest.raises(ValueError, match=f"Invalid {says}"):
        image.read(0, 0, *size, roles=("pan",), shape=shape)


def test_roles_that_are_not_there_fail(tmp_path):
    image = image_of(write(tmp_path / "a.tif", counted(1)))
    with pytest.raises(ImageryError, match=r"Invalid role 'red' for '.*a\.tif'. Must be one of pan"):
        image.read(0, 0, 1, 1, roles=("red",))


# ---------- validity


def test_nodata_needs_all_bands(tmp_path):
    values = counted(3)
    values[:, 0, 0] = 0
    values[0, 0, 1] = 0
    image = image_of(write(tmp_path / "a.tif", values, nodata=0))
    assert image.read(0, 0, 3, 1, roles=RGB)[1].tolist() == [[False, True, True]]
    assert image.read(0, 0, 3, 1, roles=("pan",))[1].tolist() == [[False, True, True]]
    assert image.read(0, 0, 3, 1, roles=("red",))[1].tolist() == [[False, False, True]]


@pytest.mark.parametrize("nodata", [-9999.0, float("nan"), -3.4028234663852886e38])
def test_float_nodata_and_nan(tmp_path, nodata):
    values = counted(1, dtype="float32")
    values[0, 0, 0] = nodata
    values[0, 1, 1] = np.nan
    values[0, 2, 2] = np.inf
    pixels, valid = image_of(write(tmp_path / "a.tif", values, nodata=nodata)).read(0, 0, 6, 4, roles=("pan",))
    assert np.argwhere(~valid).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert np.isfinite(pixels).all()


def test_alpha_says_what_was_seen(tmp_path):
    values = counted(4)
    values[3] = 255
    values[3, 1, 2] = 0
    values[:3, 3, 3] = 0
    path = write(tmp_path / "a.tif", values, colours=[*RGB_COLOURS, ColorInterp.alpha])
    assert np.argwhere(~image_of(path).read(0, 0, 6, 4, roles=RGB)[1]).tolist() == [[1, 2]]
    # Who says that the band is near infrared gets it as such.
    given = image_of(path, bands={"red": 1, "green": 2, "blue": 3, "nir": 4})
    assert given.read(0, 0, 6, 4, roles=("nir",))[0][0, 0, 0] == 255
    assert given.read(0, 0, 6, 4, roles=RGB)[1].all()


@pytest.mark.parametrize("internal", [True, False])
def test_mask_bands_say_what_was_seen(tmp_path, internal):
    mask = np.full((4, 6), 255, np.uint8)
    mask[2:, :3] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal):
        path = write(tmp_path / "a.tif", counted(3), mask=mask)
    assert (tmp_path / "a.tif.msk").exists() is not internal
    np.testing.assert_array_equal(image_of(path).read(0, 0, 6, 4, roles=RGB)[1], mask > 0)


def test_undeclared_fill_is_not_seen_but_dark_paint_is(tmp_path):
    values = np.full((3, 60, 80), 90, np.uint8)
    values[:, :, :20] = 0  # the collar
    values[:, 30:34, 50:59] = 0  # a black car, 2 m by 4.5 m
    values[:, 10, 40] = 0
    values[0, 40:60, 60:80] = 0  # no red, but not black
    image = image_of(write(tmp_path / "a.tif", values))
    valid = image.read(0, 0, 80, 60, roles=RGB)[1]
    expected = np.ones((60, 80), bool)
    expected[:, :20] = False
    np.testing.assert_array_equal(valid, expected)


def test_declared_nodata_leaves_zeros_alone(tmp_path):
    values = np.full((3, 40, 40), 90, np.uint8)
    values[:, :20] = 0
    assert image_of(write(tmp_path / "a.tif", values, nodata=255)).read(0, 0, 40, 40, roles=RGB)[1].all()


def test_impossible_nodata_declares_nothing(tmp_path):
    values = np.full((1, 40, 40), 90, np.uint8)
    values[:, :20] = 0
    path = write(tmp_path / "a.tif", values)
    text = (
        '<VRTDataset rasterXSize="40" rasterYSize="40"><SRS>EPSG:32638</SRS>'
        "<GeoTransform>470000, 0.5, 0, 4735000, 0, -0.5</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><NoDataValue>-9999</NoDataValue>'
        f'<SimpleSource><SourceFilename relativeToVRT="1">{path.name}</SourceFilename>'
        "<SourceBand>1</SourceBand>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    (tmp_path / "b.vrt").write_text(text)
    valid = image_of(tmp_path / "b.vrt").read(0, 0, 40, 40, roles=("pan",))[1]
    assert not valid[:20].any()
    assert valid[20:].all()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 50),
    col=st.integers(-10, 60),
    row=st.integers(-10, 40),
    width=st.integers(1, 50),
    height=st.integers(1, 40),
)
def test_windows_agree_with_the_whole(tmp_path, seed, col, row, width, height):
    """What is seen of a pixel does not depend on where the window is cut."""
    path = tmp_path / f"{seed}.tif"
    if not path.exists():
        rng = np.random.default_rng(seed)
        blobs = np.kron(rng.random((6, 8)) < 0.5, np.ones((7, 9))).astype(bool)[:40, :60]
        write(path, np.where(blobs & (rng.random((40, 60)) < 0.999), 0, 77).astype(np.uint8)[None])
    image = image_of(path)
    whole, seen = (np.pad(layer, 60) for layer in (image.read(0, 0, 60, 40, roles=("pan",))[0][0],
                                                   image.read(0, 0, 60, 40, roles=("pan",))[1]))  # fmt: skip
    pixels, valid = image.read(col, row, width, height, roles=("pan",))
    here = (slice(row + 60, row + 60 + height), slice(col + 60, col + 60 + width))
    np.testing.assert_array_equal(valid, seen[here])
    np.testing.assert_array_equal(pixels[0], whole[here])


# ---------- reducing


@pytest.mark.parametrize("how", ["nodata", "nan", "alpha", "mask"])
def test_means_leave_out_what_was_not_seen(tmp_path, how):
    values = np.array([[[10, 20, 7, 7], [30, 40, 7, 7], [1, 2, 5, 6], [3, 4, 7, 8]]], np.float32)
    hidden = np.zeros((4, 4), bool)
    hidden[0, 0] = True
    hidden[0:2, 2:4] = True
    mask = np.where(hidden, 0, 255).astype(np.uint8)
    path = tmp_path / "a.tif"
    if how == "nodata":
        write(path, np.where(hidden, 255, values).astype(np.uint8), nodata=255)
    elif how == "nan":
        write(path, np.where(hidden, np.nan, values).astype(np.float32))
    elif how == "alpha":
        write(
            path,
            np.concatenate([values, mask[None]]).astype(np.uint8),
            colours=[ColorInterp.gray, ColorInterp.alpha],
        )
    else:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            write(path, values.astype(np.uint8), mask=mask)
    pixels, valid = image_of(path).read(0, 0, 4, 4, roles=("pan",), shape=(2, 2))
    np.testing.assert_allclose(pixels[0], [[30, 0], [2.5, 6.5]], rtol=1e-6)
    assert valid.tolist() == [[True, False], [True, True]]


def test_means_weigh_parts_of_pixels(tmp_path):
    values = np.array([[[10, 20, 60]]], np.uint8)
    image = image_of(write(tmp_path / "a.tif", values))
    pixels, _ = image.read(0, 0, 3, 1, roles=("pan",), shape=(1, 2))
    # The middle pixel counts half on either side.
    np.testing.assert_allclose(pixels[0, 0], [(10 + 0.5 * 20) / 1.5, (0.5 * 20 + 60) / 1.5], rtol=1e-6)
    # A window that sticks out averages only what there is.
    pixels, valid = image.read(-2, 0, 8, 1, roles=("pan",), shape=(1, 2))
    np.testing.assert_allclose(pixels[0, 0], [15, 60])
    assert valid.all()


@pytest.mark.parametrize(("rows", "cols"), [(6, 4), (4, 12), (5, 7), (12, 1), (9, 8)])
def test_means_over_whole_pixels_are_those_over_parts(tmp_path, rows, cols):
    values = np.random.default_rng(3).integers(1, 255, (3, 12, 24)).astype(np.uint8)
    image = image_of(write(tmp_path / "a.tif", values))
    pixels, valid = image.read(0, 0, 24, 12, roles=("red", "green", "blue"), shape=(rows, cols))
    # Every pixel cut into so many that larger ones begin between them, whatever the ratio.
    fine = np.kron(values, np.ones((rows, cols))).reshape(3, rows, 12, cols, 24)
    np.testing.assert_allclose(pixels, fine.mean(axis=(2, 4)), rtol=1e-6)
    assert valid.all()


def test_overviews_are_used(tmp_path):
    values = np.kron(np.arange(1, 65).reshape(8, 8), np.ones((64, 64)))[None].astype(np.uint8)
    path = write(tmp_path / "a.tif", values, overviews=[2, 4, 8], tiled=True, blockxsize=128, blockysize=128)
    # Spoil the full resolution only: who still gets the old values has read an overview.
    with rasterio.open(path, "r+") as dataset:
        dataset.write(np.full((1, 512, 512), 200, np.uint8))
    pixels, valid = image_of(path).read(0, 0, 512, 512, roles=("pan",), shape=(8, 8))
    np.testing.assert_allclose(pixels[0], np.arange(1, 65).reshape(8, 8))
    assert valid.all()
    assert image_of(path).read(0, 0, 512, 512, roles=("pan",), shape=(400, 400))[0].max() == 200


def test_large_windows_are_reduced_in_parts(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    image = image_of(write(tmp_path / "a.tif", rng.integers(1, 255, (1, 97, 83), np.uint8)))
    whole = image.read(-5, -5, 100, 110, roles=("pan",), shape=(13, 17))
    monkeypatch.setattr("jamline.imagery._image._CHUNK_PX", 1000)
    parts = image.read(-5, -5, 100, 110, roles=("pan",), shape=(13, 17))
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-6)
    np.testing.assert_array_equal(parts[1], whole[1])


# ---------- geometry

PLACES = {
    "north-up": (UTM38, HERE),
    "rotated": (
        UTM38,
        at(470_000, 4_735_000, 0.5, -0.4, turn_deg=33),
    ),
    "south-up": (UTM38, at(470_000, 4_735_000, 0.5, 0.5)),
    "degrees": ("EPSG:4326", at(44.63, 42.77, 6e-6, -4.5e-6)),
    "web": ("EPSG:3857", at(4_968_000, 5_279_000, 0.6, -0.6)),
    "feet": ("EPSG:2263", at(987_000, 212_000, 1.5, -1.5)),
    "east-up": (UTM38, Affine(0, 0.5, 470_000, 0.5, 0, 4_735_000)),
    "antimeridian": ("EPSG:32601", at(262_500, 5_500_000, 1000, -1000)),
    "0 to 360": ("EPSG:4326", at(190, 60, 1e-5, -1e-5)),
}


@pytest.mark.parametrize("place", PLACES)
def test_pixels_are_where_they_say(tmp_path, place):
    """The pixels hold their own coordinates, taken from rasterio and pyproj."""
    crs, transform = PLACES[place]
    rows, cols = np.mgrid[:20, :30]
    path = write(tmp_path / "a.tif", np.stack([cols, rows, cols]).astype(np.float32), crs=crs, transform=transform)
    with rasterio.open(path) as dataset:
        x, y = dataset.xy(rows.ravel(), cols.ravel())
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    image = image_of(path)
    col, row = image.to_pixel(lon, lat)
    pixels, _ = image.read(0, 0, 30, 20, roles=RGB)
    np.testing.assert_allclose(col, pixels[0].ravel(), atol=1e-4)
    np.testing.assert_allclose(row, pixels[1].ravel(), atol=1e-4)
    back_lon, back_lat = image.to_lonlat(col, row)
    np.testing.assert_allclose((back_lon - lon + 180) % 360 - 180, 0, atol=1e-9)
    np.testing.assert_allclose(back_lat, lat, atol=1e-9)
    # A turn of the globe more or less is the same place.
    np.testing.assert_allclose(image.to_pixel(np.asarray(lon) + 360, lat)[0], col, atol=1e-4)


def test_places_out_of_reach_are_nan(tmp_path):
    half_globe = "+proj=ortho +lat_0=42 +lon_0=44"
    image = image_of(write(tmp_path / "a.tif", counted(1), crs=half_globe, transform=at(0, 0, 1, -1)))
    col, row = image.to_pixel([-136.0, 44.0], [-42.0, 42.0])
    assert np.isnan([col[0], row[0]]).all()
    assert np.isfinite([col[1], row[1]]).all()


@pytest.mark.parametrize("place", ["north-up", "rotated", "south-up", "degrees", "web", "feet", "east-up"])
def test_pixel_sizes_are_those_on_the_ground(tmp_path, place):
    crs, transform = PLACES[place]
    path = write(tmp_path / "a.tif", np.ones((1, 200, 300), np.uint8), crs=crs, transform=transform)
    image = image_of(path)
    corners = np.array([(0, 0), (300, 0), (300, 200), (0, 200), (0, 0)], float)
    x, y = rasterio.transform.xy(transform, corners[:, 1], corners[:, 0], offset="ul")
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    geod = Geod(ellps="WGS84")
    area, _ = geod.polygon_area_perimeter(lon, lat)
    sides = geod.line_lengths(lon, lat)
    assert image.pixel_m == pytest.approx(np.sqrt(abs(area) / 60_000), rel=1e-4)
    assert image.gsd_m == pytest.approx(max(sides[0] / 300, sides[1] / 200), rel=1e-4)
    outline = shapely.Polygon(np.column_stack([lon, lat]))
    assert image.footprint.symmetric_difference(outline).area < 1e-3 * outline.area
    assert image.footprint.exterior.is_ccw


def test_web_mercator_pixels_shrink_with_latitude(tmp_path):
    crs, transform = PLACES["web"]
    image = image_of(write(tmp_path / "a.tif", counted(1), crs=crs, transform=transform))
    lat = image.to_lonlat(0, 0)[1]
    assert image.pixel_m == pytest.approx(0.6 * np.cos(np.radians(lat)), rel=4e-3)


def test_point_rasters_are_not_shifted(tmp_path):
    """AREA_OR_POINT=Point is how the file counts, not where the picture lies."""
    area = image_of(write(tmp_path / "a.tif", counted(1), tags={"AREA_OR_POINT": "Area"}))
    point = image_of(write(tmp_path / "b.tif", counted(1), tags={"AREA_OR_POINT": "Point"}))
    np.testing.assert_allclose(point.to_lonlat(0, 0), area.to_lonlat(0, 0), atol=1e-12)


def test_footprints_hold_together_across_the_antimeridian(tmp_path):
    crs, transform = PLACES["antimeridian"]
    image = image_of(write(tmp_path / "a.tif", np.ones((1, 20, 30), np.uint8), crs=crs, transform=transform))
    west, _, east, _ = image.footprint.bounds
    assert 0 < east - west < 1


# ---------- metadata


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"TIFFTAG_DATETIME": "2022:09:25 08:03:00"}, "2022-09-25T08:03:00Z"),
        ({"ACQUISITION_DATETIME": "2022-09-25T11:03:00.5+03:00"}, "2022-09-25T08:03:00Z"),
        ({"NITF_IDATIM": "20220925080300"}, "2022-09-25T08:03:00Z"),
        ({"acquired": "2022-09-25"}, "2022-09-25"),
        (
            {"acquired": "2022-09-25T08:03Z", "TIFFTAG_DATETIME": "2023:01:01 00:00:00"},
            "2022-09-25T08:03:00Z",
        ),
        ({"TIFFTAG_DATETIME": "0000:00:00 00:00:00"}, None),
        ({"acquired": "2022-13-45"}, None),
        ({"acquired": "last week"}, None),
        ({}, None),
    ],
)
def test_acquisition_times_are_read(tmp_path, tags, expected):
    scene = open_scene(write(tmp_path / "a.tif", counted(1), tags=tags))
    assert scene.acquired == scene.images[0].acquired == expected


def test_stac_items_are_believed_first(tmp_path):
    path = write(tmp_path / "a.tif", counted(1), tags={"TIFFTAG_DATETIME": "2023:01:01 00:00:00", "GSD": "3"})
    item = {"type": "Feature", "properties": {"datetime": "2022-09-25T08:03:00Z", "gsd": 0.7}}
    (tmp_path / "a.json").write_text(json.dumps(item))
    image = image_of(path)
    assert (image.acquired, image.gsd_m) == ("2022-09-25T08:03:00Z", 0.7)


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "{", '{"properties": 3}', '{"properties": {"gsd": "fine", "datetime": null}}']
)
def test_other_json_beside_the_image_is_passed_over(tmp_path, text):
    path = write(tmp_path / "a.tif", counted(1))
    (tmp_path / "a.json").write_text(text)
    assert image_of(path).gsd_m == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("tags", "gsd_m", "expected"),
    [
        ({}, None, 0.5),
        ({"GSD": "0.8"}, None, 0.8),
        ({"JAMLINE_GSD_M": "0.52", "GSD": "9"}, None, 0.52),
        ({"GSD": "0.7 m"}, None, 0.7),
        ({"GSD": "0.1"}, None, 0.5),  # finer than its own grid, as the gsd of the pan band in an item
        ({"GSD": "nan"}, None, 0.5),
        ({"GSD": "0.8"}, 0.3, 0.3),
    ],
)
def test_resolution_is_argument_then_metadata_then_pixel(tmp_path, tags, gsd_m, expected):
    image = image_of(write(tmp_path / "a.tif", counted(1), tags=tags), gsd_m=gsd_m)
    assert image.gsd_m == pytest.approx(expected, rel=1e-3)
    assert image.pixel_m == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("gsd_m", [0, -1, float("nan"), float("inf")])
def test_resolution_fails(tmp_path, gsd_m):
    with pytest.raises(UsageError, match="Invalid gsd"):
        open_scene(write(tmp_path / "a.tif", counted(1)), gsd_m=gsd_m)


def test_hash_is_that_of_the_file(tmp_path):
    path = write(tmp_path / "a.tif", counted(1))
    assert image_of(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


# ---------- sources


def test_sources_of_every_kind(tmp_path):
    for name in ("t10.tif", "t9.TIFF", "t1_udm2.tif", ".hidden.tif"):
        write(tmp_path / name, counted(1))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "t9.tif.aux.xml").write_text("<PAMDataset/>")
    (tmp_path / "folder.tif").mkdir()

    def names(source):
        return [Path(image.path).name for image in open_scene(source).images]

    assert names(tmp_path) == ["t9.TIFF", "t10.tif"]
    assert names(str(tmp_path / "t*")) == ["t9.TIFF", "t10.tif"]
    assert names(tmp_path / "t10.tif") == ["t10.tif"]
    assert names([tmp_path / "t10.tif", str(tmp_path / "t*.tif")]) == ["t10.tif"]
    assert names(f"/vsisubfile/0,{tmp_path / 't10.tif'}") == ["t10.tif"]


def test_a_name_with_brackets_is_a_file_first(tmp_path):
    path = write(tmp_path / "a[1].tif", counted(1))
    assert image_of(path).path == str(path)


def test_best_image_comes_first(tmp_path):
    def tile(name, size_m, time):
        tags = {"acquired": time} if time else {}
        where = at(470_000, 4_735_000, size_m, -size_m)
        write(tmp_path / name, counted(1), transform=where, tags=tags)

    tile("a.tif", 0.5, "2022-09-25T08:00:00Z")
    tile("b.tif", 0.3, None)
    tile("t10.tif", 0.302, "2022-09-25T08:00:00Z")
    tile("t9.tif", 0.301, "2022-09-25T08:00:00Z")
    tile("d.tif", 0.303, "2022-09-26T08:00:00Z")
    tile("e.tif", 10.0, "2023-01-01")
    scene = open_scene(tmp_path)
    # 0.30 to 0.303 m is one resolution: the newest goes first.
    assert [Path(image.path).name for image in scene.images] == [
        "d.tif",
        "t9.tif",
        "t10.tif",
        "b.tif",
        "a.tif",
        "e.tif",
    ]
    assert scene.gsd_m == scene.images[0].gsd_m
    assert scene.acquired == "2022-09-26T08:00:00Z"


# ---------- errors


def _gcp_only(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8") as dataset:
            dataset.write(np.ones((1, 4, 4), np.uint8))
            points = [
                GroundControlPoint(0, 0, 44, 42),
                GroundControlPoint(0, 4, 45, 42),
                GroundControlPoint(4, 0, 44, 41),
            ]
            dataset.gcps = (points, rasterio.crs.CRS.from_epsg(4326))


def _truncated(path):
    write(path, np.random.default_rng(0).integers(0, 255, (3, 64, 64), np.uint8))
    path.write_bytes(path.read_bytes()[:100])


BROKEN = {
    "missing": (lambda path: None, r"Must be a file that exists\."),
    "empty": (lambda path: path.write_bytes(b""), r"Must be a raster that GDAL can read"),
    "text": (lambda path: path.write_text("hello"), r"Must be a raster that GDAL can read"),
    "truncated": (_truncated, r"Must be a raster that GDAL can read"),
    "press": (lambda path: write(path, counted(3), crs=None, transform=None), r"press, cannot be verified\."),
    "no transform": (lambda path: write(path, counted(3), transform=None), r"Must be georeferenced;"),
    "control points": (_gcp_only, r"only control points: warp it first"),
    "no crs": (lambda path: write(path, counted(3), crs=None), r"Must have a coordinate reference system;"),
    "engineering crs": (
        lambda path: write(path, counted(3), crs='LOCAL_CS["site",UNIT["metre",1]]'),
        r"Must have a coordinate reference system on Earth",
    ),
    "off the map": (
        lambda path: write(path, counted(3), crs="EPSG:4326", transform=at(0, 400, 1, -1)),
        r"Must lie where",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, kind):
    make, says = BROKEN[kind]
    path = tmp_path / "bad.tif"
    make(path)
    with pytest.raises(ImageryError, match=says) as caught:
        open_scene(path)
    message = str(caught.value)
    assert re.match(r"Invalid image '.*bad\.tif'\. Must .*\.$", message)
    assert "\n" not in message
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ([], "Must name at least one image"),
        ("", "Must name at least one image"),
        ("{dir}/*.tif", "Must match at least one raster"),
        ("{dir}", "Must hold at least one raster"),
        ("http://127.0.0.1:9/scene.tif?sig=SECRET", "address at which GDAL can read"),
    ],
)
def test_sources_fail(tmp_path, source, says):
    source = source.replace("{dir}", str(tmp_path)) if isinstance(source, str) else source
    with rasterio.Env(GDAL_HTTP_MAX_RETRY=0), pytest.raises(ImageryError, match=says) as caught:
        open_scene(source)
    assert "SECRET" not in str(caught.value)


def test_one_bad_image_among_good_ones_is_named(tmp_path):
    write(tmp_path / "good.tif", counted(1))
    (tmp_path / "bad.tif").write_text("hello")
    with pytest.raises(ImageryError, match=r"'.*bad\.tif'"):
        open_scene(tmp_path)


@pytest.mark.parametrize(
    ("name", "given", "item"),
    [
        ("a.tif", {"dtype": "complex64"}, None),
        ("a.tif", {"dtype": "complex_int16"}, None),
        ("a.tif", {"labels": ["VV"]}, None),
        ("a.tif", {"labels": ["Sigma0_VH_db"]}, None),
        ("a.tif", {"units": ["metre"]}, None),
        ("2023-01-01-02-03-04_UMBRA-05_GEC.tif", {}, None),
        ("a.tif", {}, {"properties": {"sar:instrument_mode": "SPOTLIGHT"}}),
    ],
)
def test_what_is_no_optical_image_is_refused(tmp_path, name, given, item):
    dtype = given.pop("dtype", "float32")
    path = tmp_path / name
    if dtype.startswith("complex"):
        profile = {"driver": "GTiff", "width": 6, "height": 4, "count": 1, "dtype": dtype}
        with rasterio.open(path, "w", crs=UTM38, transform=HERE, **profile):
            pass
    else:
        write(path, counted(1, dtype=dtype), **given)
    if item:
        path.with_suffix(".json").write_text(json.dumps(item))
    with pytest.raises(NothingToMeasureError, match=r"Must be an optical image; its .*\.$") as caught:
        open_scene(path)
    assert not isinstance(caught.value, InputError)
    assert name in str(caught.value)


def test_damage_found_while_reading_is_named(tmp_path):
    rng = np.random.default_rng(0)
    path = write(tmp_path / "a.tif", rng.integers(1, 255, (1, 256, 256), np.uint8), compress="deflate", blockysize=16)
    image = image_of(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = b"\xff" * 2000
    path.write_bytes(data)
    fresh = pickle.loads(pickle.dumps(image))  # noqa: S301 -- has nothing open
    with pytest.raises(ImageryError, match=r"'.*a\.tif'. Must be a raster that GDAL can read, whole and undamaged"):
        fresh.read(0, 0, 256, 256, roles=("pan",))


def test_gdal_keeps_quiet(tmp_path):
    """Neither warnings nor GDAL's own messages reach a person's terminal."""
    BROKEN["press"][0](tmp_path / "press.tif")
    BROKEN["truncated"][0](tmp_path / "cut.tif")
    code = (
        "import sys\nfrom jamline.imagery import open_scene\nfrom jamline.errors import ImageryError\n"
        "for path in sys.argv[1:]:\n    try:\n        open_scene(path)\n"
        "    except ImageryError:\n        print('refused')\n"
    )
    paths = [str(tmp_path / name) for name in ("press.tif", "cut.tif", "none.tif")]
    run = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["refused"] * 3
    assert run.stderr == ""
    assert logging.getLogger("rasterio").level == logging.NOTSET


# ---------- handles


def test_scenes_travel_in_pickles(tmp_path):
    scene = open_scene(write(tmp_path / "a.tif", counted(3), nodata=7))
    before = scene.images[0].read(0, 0, 6, 4, roles=RGB)
    copy = pickle.loads(pickle.dumps(scene))  # noqa: S301
    assert repr(copy) == repr(scene)
    for one, other in zip(before, copy.images[0].read(0, 0, 6, 4, roles=RGB), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(copy.images[0].to_pixel(44.6, 42.7), scene.images[0].to_pixel(44.6, 42.7))


def test_threads_read_the_same(tmp_path):
    values = np.random.default_rng(2).integers(1, 255, (3, 300, 300), np.uint8)
    image = image_of(write(tmp_path / "a.tif", values, tiled=True, blockxsize=64, blockysize=64, compress="deflate"))

    def piece(at):
        return image.read(at, at, 100, 100, roles=RGB)[0]

    with ThreadPoolExecutor(4) as pool:
        for at, pixels in zip(range(0, 200, 5), pool.map(piece, range(0, 200, 5)), strict=True):
            np.testing.assert_array_equal(pixels, values[:, at : at + 100, at : at + 100])


def test_closed_scenes_hold_no_file_and_can_be_read_again(tmp_path):
    paths = [write(tmp_path / f"{k}.tif", counted(1)) for k in range(40)]
    with open_scene(paths) as scene:
        for image in scene.images:
            image.read(0, 0, 2, 2, roles=("pan",))
        assert 0 < len(scene._handles._idle) <= 32
    assert not scene._handles._idle
    assert scene.images[0].read(0, 0, 1, 1, roles=("pan",))[0].item() == 1


def test_reprs_tell_what_it_is(tmp_path):
    scene = open_scene(write(tmp_path / "a.tif", counted(3), tags={"acquired": "2022-09-25T08:03:00Z"}))
    assert repr(scene) == "<Scene of 1 image, red+green+blue, 0.5 m, 2022-09-25T08:03:00Z>"
    assert re.fullmatch(
        r"<Image '.*a\.tif', 6 x 4 px, 0\.5 m, red\+green\+blue, 2022-09-25T08:03:00Z>", repr(scene.images[0])
    )
