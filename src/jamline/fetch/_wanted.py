"""What is wanted of a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jamline.errors import UsageError
from jamline.fetch._dates import Dates, times_of
from jamline.imagery import cloud_percent


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of a catalogue.

    Parameters
    ----------
    dates : Dates
        When it was taken.
    max_cloud : float or None
        Most cloud cover in percent. What does not tell its cloud cover is wanted.
    collections : tuple of str
        Where to look; empty for everywhere.
    items : frozenset of str
        Ids of the only items wanted; empty for all.
    """

    dates: Dates = field(default_factory=Dates)
    max_cloud: float | None = None
    collections: tuple[str, ...] = ()
    items: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        *,
        dates: str | None = None,
        max_cloud: float | None = None,
        collections: Iterable[str] = (),
        items: Iterable[str] = (),
    ) -> Wanted:
        """Read what a person wants.

        Raises
        ------
        UsageError
            If dates or cloud cover make no sense.
        """
        if max_cloud is not None and not 0 <= max_cloud <= 100:
            raise UsageError(f"Invalid cloud cover '{max_cloud}'. Must lie between 0 and 100 percent.")
        return cls(dates=Dates.read(dates), max_cloud=max_cloud, collections=tuple(collections), items=frozenset(items))

    def takes(self, properties: Mapping[str, Any]) -> bool:
        """Tell whether an item's properties are those of one that is wanted."""
        cloud = cloud_percent({"properties": properties})
        clear = self.max_cloud is None or cloud is None or cloud <= self.max_cloud
        return clear and self.dates.meet(*times_of(properties))
