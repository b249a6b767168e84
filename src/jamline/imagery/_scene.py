"""One or many rasters seen as one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from jamline.cards import grid
from jamline.errors import UsageError
from jamline.imagery._bands import COLOUR
from jamline.imagery._blocks import Blocks
from jamline.imagery._delivery import Delivery, deliveries, deliveries_of
from jamline.imagery._handles import Handles
from jamline.imagery._image import Image
from jamline.imagery._items import Item
from jamline.imagery._opening import open_image
from jamline.imagery._sources import find, natural_key

_SAME_GSD = 1.1
"""Images whose resolutions differ by less are as good as one another, and the newer one goes first: the
ground size of one and the same pixel grid changes by some per mille across its map projection."""

_AROUND_DEG = 1e-4
"""Some 10 m: footprints are true to millimetres, and what lies at an edge must not be lost."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Images that show one place, best first.

    Parameters
    ----------
    images : tuple of Image
        Finest first; of equally fine ones the newest first; then by path. At least one.
    """

    images: tuple[Image, ...]
    _handles: Handles = field(default_factory=Handles, repr=False)
    _blocks: Blocks = field(default_factory=Blocks, repr=False)

    def __repr__(self) -> str:
        count = len(self.images)
        return (
            f"<Scene of {count} image{'s' * (count != 1)}, {'+'.join(self.roles)}, {self.gsd_m:.3g} m, "
            f"{self.acquired or 'undated'}>"
        )

    def _repr_html_(self) -> str:
        rows = [(each.path, f"{each.gsd_m:.2g} m", each.acquired or "undated") for each in self.images[:20]]
        left = len(self.images) - len(rows)
        more = [(f"and {left} more", "", "")] if left else []
        return grid("Scene, best image first", ("image", "resolution", "taken"), [*rows, *more])

    @property
    def roles(self) -> tuple[str, ...]:
        """Layers that every image can give: the colours, with nir if all have it; else ``pan``."""
        if not all(image.has_colour for image in self.images):
            return ("pan",)
        return (*COLOUR, "nir") if all("nir" in image.bands for image in self.images) else COLOUR

    @property
    def pixel_m(self) -> float:
        """Ground size in metres of a pixel of the best image."""
        return self.images[0].pixel_m

    @property
    def gsd_m(self) -> float:
        """Resolution in metres of the best image."""
        return self.images[0].gsd_m

    @property
    def acquired(self) -> str | None:
        """When the best dated image was taken, ISO 8601 in UTC."""
        return next((image.acquired for image in self.images if image.acquired), None)

    @property
    def mixed(self) -> bool:
        """Whether some image is packed so that its bands do not show places of their own."""
        return any(image.mixed for image in self.images)

    @property
    def band_times(self) -> dict[str, float]:
        """When the bands were taken, in seconds, by role; empty where images do not know, differ, or mix bands."""
        if self.mixed:
            return {}
        first, *others = (image.band_times for image in self.images)
        return dict(first) if all(dict(each) == dict(first) for each in others) else {}

    def near(self, west: float, south: float, east: float, north: float) -> tuple[int, ...]:
        """Return the numbers of the images that may show something of a box, best first.

        Parameters
        ----------
        west, south, east, north : float
            Its sides in degrees.
        """
        low, high = self._boxes
        # A road and an image may count the same meridian with a turn between them.
        turn = 360.0 * np.round(((low[:, 0] + high[:, 0]) - (west + east)) / 720.0)
        over = (low[:, 0] - turn <= east) & (high[:, 0] - turn >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
        return tuple(np.flatnonzero(over).tolist())

    @cached_property
    def _boxes(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Lower and upper corners of the images in longitude and latitude, shape (images, 2)."""
        bounds = np.array([image.footprint.bounds for image in self.images])
        return bounds[:, :2] - _AROUND_DEG, bounds[:, 2:] + _AROUND_DEG

    def close(self) -> None:
        """Close the files and forget their pixels; a later read opens them again."""
        self._handles.close()
        self._blocks.clear()

    def __enter__(self) -> Scene:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_scene(
    source: str | Path | Sequence[str | Path],
    *,
    bands: Mapping[str, int] | None = None,
    gsd_m: float | None = None,
) -> Scene:
    """Open imagery.

    Parameters
    ----------
    source : str, Path or a sequence of those
        File, folder, pattern such as ``tiles/*.tif``, or http(s), s3 or ``/vsi...`` address; or a STAC item, a
        collection of items, or a static catalogue, as a file or an http address, each item an image.
    bands : mapping, optional
        1-based band by role for every image, such as ``{"red": 3, "green": 2, "blue": 1}`` or ``{"pan": 1}``.
        Without it labels are asked first, then the colour interpretation, then the number of bands.
    gsd_m : float, optional
        Resolution of every image in metres. Without it the metadata's, else the longer side of a pixel.

    Returns
    -------
    Scene
        All images, best first.

    Raises
    ------
    ImageryError
        If anything named is missing, unreadable, not georeferenced, or of unknown bands.
    NothingToMeasureError
        If one of them is not an optical image.
    UsageError
        If ``bands`` or ``gsd_m`` make no sense.

    Notes
    -----
    A pixel counts as seen unless the file's nodata value (in all bands), mask, alpha band or a NaN say
    otherwise, or a mask that lies with it: Sentinel-2's scene classification, Planet's usable data mask, Vantor's
    polygons. In a file that declares none of these, squares of zeros at least 3 m and 8 pixels wide are
    taken for fill.
    """
    if gsd_m is not None and not 0 < gsd_m < math.inf:
        raise UsageError(f"Invalid gsd '{gsd_m}'. Must be a positive number of metres.")
    if bands is not None and not bands:
        raise UsageError("Invalid bands ''. Must name red, green and blue, or pan.")
    handles = Handles()
    every = (delivery for path in find(source) for delivery in deliveries(path, handles))
    return _scene_of(every, handles, bands=bands, gsd_m=gsd_m)


def open_items(items: Iterable[Item]) -> Scene:
    """Open STAC items that were read already, each an image.

    Parameters
    ----------
    items : iterable of Item

    Returns
    -------
    Scene

    Raises
    ------
    ImageryError, NothingToMeasureError
        As `open_scene`.
    """
    handles = Handles()
    return _scene_of(deliveries_of(items, handles), handles)


def _scene_of(
    every: Iterable[Delivery],
    handles: Handles,
    *,
    bands: Mapping[str, int] | None = None,
    gsd_m: float | None = None,
) -> Scene:
    blocks = Blocks()
    try:
        images = [open_image(each, bands=bands, gsd_m=gsd_m, handles=handles, blocks=blocks) for each in every]
    except BaseException:
        handles.close()
        raise
    return Scene(images=_best_first(images), _handles=handles, _blocks=blocks)


def _best_first(images: Iterable[Image]) -> tuple[Image, ...]:
    """Put the finest first, of equally fine ones the newest, then by path."""
    classes: list[list[Image]] = []
    for image in sorted(images, key=lambda image: image.gsd_m):
        if classes and image.gsd_m < _SAME_GSD * classes[-1][0].gsd_m:
            classes[-1].append(image)
        else:
            classes.append([image])
    for alike in classes:
        alike.sort(key=lambda image: natural_key(image.path))
        alike.sort(key=lambda image: image.acquired or "", reverse=True)
    return tuple(chain.from_iterable(classes))
