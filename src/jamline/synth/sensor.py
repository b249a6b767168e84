"""From radiance to the numbers in a file: optics, air, colour bands, noise, tone."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.canvas import Canvas, Field, Stage
from jamline.synth.config import SensorSpec
from jamline.synth.noise import Noise, Window

_SUN = np.array([1.02, 1.0, 0.96], dtype=np.float32)
_SKY = np.array([0.86, 0.98, 1.16], dtype=np.float32)
"""Colour of the sun's and of the sky's light against grey."""

_HAZE = np.array([0.86, 0.98, 1.14], dtype=np.float32)
_PAN = np.array([0.36, 0.38, 0.26], dtype=np.float32)
"""Weights of red, green and blue in the panchromatic band."""

PAD_PX = 14
"""Pixels around a window that blur and sharpening reach into."""


def radiance(stage: Stage, canvas: Canvas, cloud: Field | None) -> Field:
    """Return what leaves the scene upwards, in reflectance under an open sky, shape (h, w, 3)."""
    sky = stage.spec.light.sky
    direct, diffuse = _SUN / np.float32(1.0 + sky), _SKY * np.float32(sky / (1.0 + sky))
    light = np.empty_like(canvas.colour)
    for band in range(3):
        light[..., band] = (canvas.sun * direct[band] + diffuse[band]) * canvas.colour[..., band]
    if cloud is not None:
        light += (np.float32(0.72) - light) * cloud[..., None]
    return np.asarray(light, dtype=np.float32)


def through_optics(image: Field, sensor: SensorSpec, px_m: float) -> Field:
    """Blur with the system's point spread: a Gaussian with the asked contrast at the Nyquist frequency."""
    sigma_m = sensor.gsd_m * np.sqrt(2.0 * np.log(1.0 / sensor.mtf_nyquist)) / np.pi
    return np.asarray(cv2.GaussianBlur(image, (0, 0), float(sigma_m / px_m)), dtype=np.float32)


def expose(image: Field, sensor: SensorSpec, haze: float, noise: Noise, pixels: Window) -> npt.NDArray[np.uint16]:
    """Turn radiance at the pixels into digital numbers.

    Parameters
    ----------
    image : array, float32, shape (h, w, 3)
        Radiance at the pixels, padded by `PAD_PX` on every side.
    sensor : SensorSpec
        The camera and its ground processing.
    haze : float
        Path radiance in reflectance.
    noise : Noise
        Random tables.
    pixels : Window
        The padded pixels' place in the grid of all tiles, so that tiles agree where they overlap.

    Returns
    -------
    array, uint16, shape (bands, h - 2 PAD_PX, w - 2 PAD_PX)
        Never 0, which means nodata.
    """
    image = image * np.float32(1.0 - 1.5 * haze) + _HAZE * np.float32(haze)
    if sensor.cast != (1.0, 1.0, 1.0):
        image = image * np.array(sensor.cast, dtype=np.float32)
    if sensor.smear_px > 0:
        image = _smeared(image, sensor.smear_px)
    pan = image @ _PAN
    pan += _noise(pan, sensor, noise.grain(pixels, 1))
    ratio = max(1.0, sensor.gsd_m / max(sensor.pixel_m, 1e-9)) if sensor.pixel_m > 0 else 1.0
    if sensor.sharpen > 0:
        soft = cv2.GaussianBlur(pan, (0, 0), 1.1 * ratio)
        sharp = pan + np.float32(sensor.sharpen) * (pan - soft)
    else:
        sharp = pan
    if sensor.halo > 0:
        sharp = sharp + np.float32(sensor.halo) * (pan - cv2.GaussianBlur(pan, (0, 0), 2.6 * ratio))
    if sensor.fringe_px > 0:
        image = _fringed(image, sensor.fringe_px)
    if sensor.bands == "pan":
        bands = np.maximum(sharp, 0.0)[..., None]
    elif sensor.pansharpened:
        coarse = cv2.GaussianBlur(image, (0, 0), 1.7 * ratio)
        bands = coarse * (np.maximum(sharp, 1e-4) / np.maximum(coarse @ _PAN, 1e-4))[..., None]
    else:
        grains = np.dstack([noise.grain(pixels, 2 + band) for band in range(3)])
        bands = image + 0.6 * _noise(image, sensor, grains) + (sharp - image @ _PAN)[..., None]
    inner = bands[PAD_PX:-PAD_PX, PAD_PX:-PAD_PX]
    share = (inner - np.float32(sensor.black)) / np.float32(sensor.white - sensor.black)
    if sensor.bits == 8:
        number = 1.0 + 254.0 * np.clip(share, 0.0, 1.0) ** np.float32(1.0 / sensor.gamma)
    else:
        number = np.clip(55.0 + 1250.0 * share, 1.0, 2047.0)
    return np.asarray(np.round(np.moveaxis(number, -1, 0)), dtype=np.uint16)


def _smeared(image: Field, length_px: float) -> Field:
    """Blur down the columns of the file, the way that a scanner flies."""
    reach = int(np.ceil(length_px / 2))
    cells = np.arange(-reach, reach + 1)
    kernel = np.clip((length_px + 1.0) / 2 - np.abs(cells), 0.0, 1.0)
    return np.asarray(cv2.sepFilter2D(image, -1, np.ones(1), kernel / kernel.sum()), dtype=np.float32)


def _fringed(image: Field, apart_px: float) -> Field:
    """Shift red and blue against each other, half the way each."""
    out = image.copy()
    for band, way in ((0, 0.5), (2, -0.5)):
        matrix = np.array([[1.0, 0.0, way * apart_px * 0.6], [0.0, 1.0, way * apart_px * 0.8]])
        size = (image.shape[1], image.shape[0])
        plane = np.ascontiguousarray(image[..., band])
        out[..., band] = cv2.warpAffine(plane, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out


def _noise(level: Field, sensor: SensorSpec, grain: Field) -> Field:
    """Return noise that grows with the root of the light, over a constant of reading."""
    sigma = np.float32(0.2 / sensor.snr) * np.sqrt(np.clip(level, 0.0, None) * np.float32(0.6 / 0.2) + np.float32(0.4))
    return np.asarray(sigma * grain, dtype=np.float32)
