"""Where the numbers of a raster come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from jamline.imagery._blocks import Blocks, Lend
from jamline.imagery._handles import Handles
from jamline.imagery._remote import elsewhere
from jamline.imagery._tiles import Level


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the numbers of one raster come from.

    Parameters
    ----------
    blocks : Blocks
        Decoded blocks of the scene.
    lend : callable
        Lends an open dataset of the file.
    path : str
        What GDAL opens: a file, an address, or several joined.
    full_px, block_px : tuple of int
        Rows and columns of the file and of its blocks.
    dtypes : tuple of str
        Of the file's bands.
    """

    blocks: Blocks
    lend: Lend
    path: str
    full_px: tuple[int, int]
    block_px: tuple[int, int]
    dtypes: tuple[str, ...]

    @classmethod
    def of(cls, path: str, dataset: Any, handles: Handles, blocks: Blocks) -> Source:
        """Describe an open dataset."""
        return cls(
            blocks=blocks,
            lend=partial(handles.borrow, path),
            path=path,
            full_px=(dataset.height, dataset.width),
            block_px=dataset.block_shapes[0] if dataset.count else (1, 1),
            dtypes=dataset.dtypes,
        )

    @property
    def elsewhere(self) -> bool:
        """True if it is read from a server."""
        return elsewhere(self.path)

    def level(self, bands: tuple[int, ...], masked: bool, factor: int) -> Level:
        """Return some bands at one of the file's resolutions."""
        dtype = np.result_type(*(self.dtypes[band - 1] for band in bands))
        return Level(self.path, bands, masked, factor, self.full_px, self.block_px, dtype.name)
