"""The steps in which a long road is measured, and what they hand on, which lies beside the result until that is there.

Whoever is free does the next step. What a step made is written whole or not at all, as results are, so a batch that was
stopped goes on from there.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jamline.batch._folder import STEPS, put_in_place
from jamline.pipeline import InStretches

Kind = Literal["whole", "look", "lay", "find", "join"]


@dataclass(frozen=True)
class Step:
    """What is done at once of a job.

    Parameters
    ----------
    kind : {"whole", "look", "lay", "find", "join"}
        All of it, or one step of a long road; they are done in this order.
    number : int
        Of the stretch; there is a look and a find for each.
    stretches : int
        How many the road has.
    """

    kind: Kind
    number: int = 0
    stretches: int = 1


WHOLE = Step("whole")


def begin(long: InStretches, folder: str | Path) -> None:
    """Put down what all steps of a long road need to know; ``folder`` is where its result belongs."""
    home = _home(Path(folder), long.count)
    home.mkdir(exist_ok=True)
    _make(home / "road", lambda: long)


def take(step: Step, folder: str | Path, *, title: str | None) -> None:
    """Do one step, unless what it makes is there.

    Parameters
    ----------
    step : Step
        Those before it are done.
    folder : str or Path
        Where the result belongs.
    title : str, optional
        Of the report.
    """
    place = Path(folder)
    if place.exists():
        return
    home = _home(place, step.stretches)
    long: InStretches = _read(home / "road")
    if step.kind == "look":
        _make(home / f"look{step.number}", lambda: long.look(step.number))
    elif step.kind == "lay":
        _make(home / "corridor", lambda: long.lay_flat([_read(home / f"look{n}") for n in range(step.stretches)]))
    elif step.kind == "find":
        _make(home / f"find{step.number}", lambda: long.find(_read(home / "corridor"), step.number))
    else:
        found = [_read(home / f"find{n}") for n in range(step.stretches)]
        long.survey(_read(home / "corridor"), found).write(place, title=title)
        for left in place.parent.glob(f".{place.name}.*{STEPS}"):
            shutil.rmtree(left, ignore_errors=True)


def _home(place: Path, stretches: int) -> Path:
    """Return where the steps of a job leave what they make."""
    return place.with_name(f".{place.name}.{stretches}{STEPS}")


def _make(path: Path, make: Callable[[], Any]) -> None:
    """Make a value and write it, unless it is there."""
    if not path.exists():
        made = pickle.dumps(make(), protocol=pickle.HIGHEST_PROTOCOL)
        with put_in_place(path) as draft:
            draft.write_bytes(made)


def _read(path: Path) -> Any:
    """Read what an earlier step wrote: this very program, into a folder whose owner started it."""
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301 (see above)
