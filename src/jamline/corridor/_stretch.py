"""What turns file values into brightness: one stretch for all images of a kind, found from the corridor alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from jamline.corridor._quantile import quantile

Pixels = npt.NDArray[np.float32]

_DARKEST, _BRIGHTEST = 0.005, 0.995
"""Quantiles of the corridor's pixels that become 0 and 1."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """What turns file values into brightness between 0 and 1: an offset for each band, one scale for all."""

    low: Pixels
    high: float

    def __call__(self, pixels: Pixels) -> Pixels:
        """Stretch pixels of shape (bands, ...) to about 0 to 1."""
        low = self.low.reshape(-1, *(1,) * (pixels.ndim - 1))
        stretched: Pixels = np.subtract(pixels, low, dtype=np.float32)
        stretched /= np.float32(self.high)
        return np.clip(stretched, -0.2, 2.0, out=stretched)


class Samples:
    """Values of the corridor's seen pixels, gathered by image group, for the stretch."""

    def __init__(self, images: int, bands: int, thin: int) -> None:
        self._values: list[list[Pixels]] = [[] for _ in range(images)]
        self._bands = bands
        self._thin = thin

    @classmethod
    def joined(cls, parts: Sequence[Samples]) -> Samples:
        """Put the samples of successive stretches of a road together."""
        whole = cls(len(parts[0]._values), parts[0]._bands, parts[0]._thin)
        whole._values = [list(chain.from_iterable(each)) for each in zip(*(p._values for p in parts), strict=True)]
        return whole

    def add(self, values: Pixels, source: npt.NDArray[np.int16], first: int) -> None:
        """Take a thinned sample of a strip that begins at column ``first``.

        Which pixels are taken depends on their place alone, so that tiles give the same stretch as one image.
        """
        rows, columns = np.ogrid[: source.shape[0], first : first + source.shape[1]]
        taken = (columns + 5 * rows) % self._thin == 0
        numbers = source[taken]
        # Band by band: taken from all at once, the bands of a pixel would lie side by side, and no band in one piece.
        sample = np.stack([band[taken] for band in values])
        # Nearly every strip is of one image.
        if len(numbers) and (numbers == numbers[0]).all() and numbers[0] >= 0:
            self._values[numbers[0]].append(sample)
            return
        for number in np.unique(numbers[numbers >= 0]):
            self._values[number].append(sample[:, numbers == number])

    def most(self) -> int:
        """Return the image that shows most of the corridor."""
        return int(np.argmax([sum(v.shape[1] for v in part) for part in self._values]))

    def stretches(self) -> tuple[Stretch, ...]:
        """Return each image's stretch. All images together give one, so that seams of tiles do not show.

        Images of another depth (8 against 16 bit) are a world of their own: brightness differs by orders.
        """
        sums = [np.concatenate(part, axis=1) if part else None for part in self._values]
        # One image is like itself, whatever it shows.
        level = [float(np.median(s)) if len(sums) > 1 and s is not None and s.size else 0.0 for s in sums]
        found: list[Stretch] = []
        for s, mine in zip(sums, level, strict=True):
            if s is None or not s.size:
                found.append(Stretch(np.zeros(self._bands, np.float32), 1.0))
                continue
            alike = [
                other
                for other, theirs in zip(sums, level, strict=True)
                if other is not None and other.size and 1 / 3 <= (theirs + 1e-9) / (mine + 1e-9) <= 3
            ]
            together = np.concatenate(alike, axis=1)
            # One offset for all bands keeps the colours as they were made.
            low = np.full(self._bands, quantile(together, _DARKEST).min(), np.float32)
            high = float(np.max(quantile(together, _BRIGHTEST) - low))
            found.append(Stretch(low, max(high, 1e-6)))
        return tuple(found)
