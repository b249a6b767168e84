"""Crops of three real frames with vehicles, turned so that a vehicle lies along x.

The frames are of KIT AIS (CC-BY 3.0); they are read where they lie and never copied. Their boxes stand upright, so a
turned vehicle's length and heading are worked out from its box and a car's width; which way it leans was seen by eye.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio

from training.detector.samples import UNTOLD, Sample

LEANS = {
    "kit_mos74": "+++++----++-+------++++++",
    "kit_mos80": "+++----+--+-++-----+++++++",
    "kit_mos93": "++---+-+-++++-----++++++",
}
"""For each vehicle, in the order of the file, whether it rises (+) or falls to the right of the picture."""

_RESOLUTIONS = ("013cm", "030cm", "050cm")
_FINEST_M = 0.25
_CAR_M = 1.85
_CUTS = 50
"""Strips cut from each picture."""

_HALF_WIDTH_M, _LENGTH_M = 18.0, 110.0
_RIM_M = 2.5
"""So close to the picture's edge vehicles were not marked."""

Array = npt.NDArray[np.float64]


def real_samples(folder: Path, *, seed: int = 0) -> list[Sample]:
    """Cut strips out of the frames in a folder.

    Parameters
    ----------
    folder : Path
        Of real frames, one folder each.
    seed : int
        Seed of where.
    """
    rng = np.random.default_rng(seed)
    return [
        cut
        for name, leans in LEANS.items()
        for resolution in _RESOLUTIONS
        for cut in _cuts(folder / name / f"{name}_{resolution}.tif", leans, rng)
    ]


def _cuts(path: Path, leans: str, rng: np.random.Generator) -> list[Sample]:
    with rasterio.open(path) as raster:
        image = np.moveaxis(raster.read([1, 2, 3]), 0, -1).astype(np.float32)
        own_m, inverse, crs = float(raster.res[0]), ~raster.transform, raster.crs
    low = float(np.percentile(image, 0.5, axis=(0, 1)).min())
    image = (image - low) / float((np.percentile(image, 99.5, axis=(0, 1)) - low).max())
    pixel_m = max(own_m, _FINEST_M)
    if pixel_m > own_m:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 * pixel_m / own_m)
    middle, size, heading = _vehicles(path, leans, inverse, crs, own_m)
    shape = (round(2 * _HALF_WIDTH_M / pixel_m), round(_LENGTH_M / pixel_m))
    inner = np.zeros(image.shape[:2], np.float32)
    rim = round(_RIM_M / own_m)
    inner[rim:-rim, rim:-rim] = 1.0
    cuts = []
    for _ in range(_CUTS):
        one = int(rng.integers(len(middle)))
        turn = heading[one] + rng.normal(0.0, 0.02) + np.pi * rng.integers(2)
        ahead = np.array([np.cos(turn), -np.sin(turn)])  # in columns and rows, which count down
        right = np.array([-ahead[1], ahead[0]])
        at = middle[one] + (ahead * rng.uniform(-30, 30) + right * rng.uniform(-8, 8)) / own_m
        step = pixel_m / own_m
        to_image = np.column_stack([ahead * step, right * step, at])
        to_image[:, 2] -= to_image[:, :2] @ (np.array([shape[1] - 1, shape[0] - 1]) / 2)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        pixels = cv2.warpAffine(image, to_image, shape[::-1], flags=flags)
        seen = cv2.warpAffine(inner, to_image, shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) > 0.99
        place = (middle - to_image[:, 2]) @ np.linalg.inv(to_image[:, :2]).T
        lean = heading - turn
        along, across = np.abs(np.cos(lean)), np.abs(np.sin(lean))
        boxes = np.column_stack(
            [place, size[:, 0] * along + size[:, 1] * across, size[:, 0] * across + size[:, 1] * along]
        )
        planes = np.moveaxis(pixels, -1, 0).astype(np.float16)
        shows = np.ones(len(boxes), np.float32)
        parked = np.full(len(boxes), UNTOLD, np.float32)
        cuts.append(Sample(planes, seen, boxes.astype(np.float32), pixel_m, own_m, shows, parked))
    return cuts


def _vehicles(
    path: Path, leans: str, inverse: rasterio.Affine, crs: object, own_m: float
) -> tuple[Array, Array, Array]:
    """Return middles in pixels, sizes in metres and headings, anticlockwise from the right, of a frame's vehicles."""
    frame = gpd.read_file(path.parent / "vehicles.geojson").to_crs(crs)
    box = frame.bounds.to_numpy()
    column, row = inverse * (box[:, [0, 2]].mean(axis=1), box[:, [1, 3]].mean(axis=1))
    middle = np.column_stack([column, row]) - 0.5
    if len(leans) != len(box):
        raise ValueError(f"Invalid frame '{path}'. Must have {len(leans)} vehicles.")
    length, angle = np.array(
        [_turned(*sides) for sides in np.column_stack([np.diff(box[:, [0, 2]]), np.diff(box[:, [1, 3]])])]
    ).T
    size = np.column_stack([length, np.full(len(box), _CAR_M)])
    return middle, size, np.where(np.array(list(leans)) == "+", angle, -angle)


def _turned(wide: float, high: float) -> tuple[float, float]:
    """Return length and angle to the horizontal of the car whose upright box has these sides."""
    angle = np.linspace(0.0, np.pi / 2, 361)
    cos, sin = np.cos(angle), np.sin(angle)
    flat = cos > sin
    with np.errstate(divide="ignore"):
        length = np.where(flat, (wide - _CAR_M * sin) / cos, (high - _CAR_M * cos) / sin)
    off = np.where(flat, length * sin + _CAR_M * cos - high, length * cos + _CAR_M * sin - wide)
    best = int(np.argmin(np.abs(off)))
    return float(length[best]), float(angle[best])
