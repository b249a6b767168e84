"""What turns file values into brightness: one stretch for all images of a kind, found from the corridor alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Stretch:
    """What turns file values into brightness between 0 and 1: an offset for each band, one scale for all."""

    low: Pixels
    high: float

    def __call__(self, pixels: Pixels) -> Pixels:
        """Stretch pixels of shape (bands, ...) to about 0 to 1."""
        low = self.low.reshape(-1, *(1,) * (pixels.ndim - 1))
        stretched: Pixels = np.clip((pixels - low) / self.high, -0.2, 2.0).astype(np.float32)
        return stretched


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
        for number in np.unique(source[source >= 0]):
            self._values[number].append(values[:, taken & (source == number)])

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
            darkest, brightest = np.percentile(together, (0.5, 99.5), axis=1)
            low = np.full(self._bands, darkest.min(), np.float32)
            high = float(np.max(brightest - low))
            found.append(Stretch(low, max(high, 1e-6)))
        return tuple(found)
