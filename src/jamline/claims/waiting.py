"""How long a vehicle waits: the vehicles in line over the rate at which they leave (Little's law, 1961).

The law holds in a steady state only, where a queue neither grows nor shrinks, and every sentence says so.
"""

from __future__ import annotations

import math

from jamline.claims.claim import Claim
from jamline.spans import Estimate


def waiting_time(vehicles: Estimate, rate: Claim, *, both_ways: bool = False) -> Estimate:
    """Return how long a vehicle waits in a queue.

    Parameters
    ----------
    vehicles : Estimate
        Standing in line.
    rate : Claim
        Vehicles a day that leave, over zero.
    both_ways : bool
        Whether the rate counts both directions, half of it each.

    Returns
    -------
    Estimate
        In hours. The fewest vehicles go with the highest rate and the most with the lowest, so that it holds at
        least as often as the count and the rate do together. ``high`` is ``None`` where nothing bounds it.

    Examples
    --------
    >>> from jamline.claims.reading import read_claim
    >>> wait = waiting_time(Estimate(2500, 2400, 2600, unit="vehicles"), read_claim("37,000 cars a week"))
    >>> [round(hours, 1) for hours in (wait.low, wait.value, wait.high)]
    [9.9, 11.4, 13.1]
    """
    factor = 48.0 if both_ways else 24.0
    slow, fast = rate.bounds
    fewest = vehicles.value if vehicles.low is None else vehicles.low
    high = None if vehicles.high is None or slow <= 0 else factor * vehicles.high / slow
    low = 0.0 if math.isinf(fast) else factor * fewest / fast
    return Estimate(factor * vehicles.value / rate.value, low, high, vehicles.level, "hours", vehicles.open)


def claimed(count: Claim) -> Estimate:
    """Return the vehicles of a claim as a number with its interval."""
    low, high = count.bounds
    return Estimate(count.value, low, None if math.isinf(high) else high, unit="vehicles")


def waiting_sentence(vehicles: Estimate, rate: Claim, *, seen: bool) -> str:
    """Return the waiting time that a rate and a number of standing vehicles imply.

    Parameters
    ----------
    vehicles : Estimate
        Standing in line.
    rate : Claim
        Vehicles a day, over zero.
    seen : bool
        Whether the vehicles were seen, or are claimed.
    """
    whose = "seen in the queue" if seen else "as claimed"
    one, both = (waiting_time(vehicles, rate, both_ways=ways) for ways in (False, True))
    count = f"{vehicles.value:,.0f}" if vehicles.high is not None else f"At least {_least(vehicles):,.0f}"
    return (
        f"{count} vehicles {whose}, of which {rate.value:,.0f} a day leave, wait {_span(one)}; if that rate counts "
        f"both directions alike, {_span(both)}. That is Little's law: true only in a steady state, while the queue "
        f"neither grows nor shrinks."
    )


def _least(vehicles: Estimate) -> float:
    return vehicles.value if vehicles.low is None else vehicles.low


def _span(wait: Estimate) -> str:
    """Write a waiting time with its interval, as lower bound where it is one."""
    if wait.high is None:
        return f"at least {_time(wait.low or 0.0)}"
    factor, digits, unit = _unit(wait.value)
    low, high = factor * (wait.low or 0.0), factor * wait.high
    return f"{factor * wait.value:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


def _time(hours: float) -> str:
    """Write a time in the unit that people would use."""
    factor, digits, unit = _unit(hours)
    return f"{factor * hours:.{digits}f} {unit}"


def _unit(hours: float) -> tuple[float, int, str]:
    """Return how many of the unit are in an hour, its decimals and its name."""
    if hours < 2:
        return 60.0, 0, "minutes"
    return (1.0, 0, "hours") if hours < 72 else (1 / 24, 1, "days")
