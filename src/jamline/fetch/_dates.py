"""When: ranges of days as people write them, and times as items have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jamline.errors import UsageError

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Dates:
    """A range of time; an end that is ``None`` is open.

    Parameters
    ----------
    start, end : datetime or None
        First and last moment, in UTC.
    """

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def read(cls, text: str | None) -> Dates:
        """Read a day, or two of them.

        Parameters
        ----------
        text : str or None
            ``A``, ``A/B``, ``A/`` or ``/B``: days or times in ISO 8601, both included.

        Raises
        ------
        UsageError
            If it is none of these.

        Examples
        --------
        >>> Dates.read("2022-09-24/2022-09-26").interval
        '2022-09-24T00:00:00Z/2022-09-26T23:59:59Z'
        >>> Dates.read("2022-09-25/").interval
        '2022-09-25T00:00:00Z/..'
        """
        if text is None:
            return cls()
        first, slash, last = (part.strip() for part in text.partition("/"))
        last = last if slash else first
        try:
            start, end = (_moment(first), _moment(last))
        except ValueError:
            start = end = None
        if (start is None and end is None) or "/" in last:
            raise UsageError(
                f"Invalid dates '{text}'. Must be a day, or two parted by a slash, as 2022-09-24/2022-09-26."
            )
        if end is not None and len(last) <= len("2022-09-25"):
            end += _DAY - timedelta(seconds=1)
        if start is not None and end is not None and end < start:
            raise UsageError(f"Invalid dates '{text}'. Must begin before they end.")
        return cls(start, end)

    @property
    def interval(self) -> str | None:
        """The range as STAC APIs read it, ``None`` where it is open to both sides."""
        if self.start is None and self.end is None:
            return None
        return "/".join(".." if each is None else f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (self.start, self.end))

    def meet(self, start: datetime | None, end: datetime | None) -> bool:
        """Tell whether another range has anything in common with this one."""
        late = self.end is not None and start is not None and start > self.end
        early = self.start is not None and end is not None and end < self.start
        return not (late or early)


def times_of(properties: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Return when an item was taken, from and to; ``None`` where it does not tell."""
    at = _told(properties.get("datetime"))
    return _told(properties.get("start_datetime")) or at, _told(properties.get("end_datetime")) or at


def _told(text: Any) -> datetime | None:
    """Read a time that others wrote."""
    try:
        return _moment(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """Read a time in ISO 8601; nothing, or two dots, is an open end."""
    if text in ("", ".."):
        return None
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
