"""Pictures for people: packed as JPEG or PNG, with no place on the map."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.io import MemoryFile


def packed_picture(picture: npt.NDArray[np.uint8], driver: str, **creation: int) -> bytes:
    """Pack a picture.

    Parameters
    ----------
    picture : array of uint8, shape (h, w, 3)
        Red, green and blue.
    driver : str
        ``"JPEG"`` or ``"PNG"``.
    **creation : int
        Creation options of GDAL's driver, such as ``QUALITY``.

    Returns
    -------
    bytes
        Content of the file.
    """
    height, width = picture.shape[:2]
    with warnings.catch_warnings():
        # A picture on a page lies nowhere on the map, and needs no reminder of it.
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with MemoryFile() as memory:
            with memory.open(driver=driver, width=width, height=height, count=3, dtype="uint8", **creation) as file:
                file.write(np.moveaxis(picture, 2, 0))
            packed: bytes = memory.read()
    return packed


def unpacked_picture(packed: bytes) -> npt.NDArray[np.uint8]:
    """Unpack a picture.

    Parameters
    ----------
    packed : bytes
        Of `packed_picture`.

    Returns
    -------
    array of uint8, shape (h, w, 3)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with MemoryFile(packed) as memory, memory.open() as file:
            picture: npt.NDArray[np.uint8] = np.moveaxis(file.read(), 0, -1)
    return picture
