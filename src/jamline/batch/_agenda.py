"""What is to be done next: jobs, and for a long road the steps that may be done now."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from jamline.batch._stretches import WHOLE, Kind, Step
from jamline.batch._work import Cut, Task

_FOLLOWING: Final[Mapping[Kind, Kind]] = {"look": "lay", "lay": "find", "find": "join"}


@dataclass
class _Long:
    """How far a long road is: the steps of the kind in hand that are left, and the share of the job that is done."""

    left: int
    share: float = 0.0


class Agenda:
    """The tasks of a batch, in the order in which they should be handed out.

    Parameters
    ----------
    tasks : iterable of Task
        One for each job.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.todo = deque(tasks)
        """Whoever hands tasks out takes them from the left."""
        self._long: dict[str, _Long] = {}

    def note(self, task: Task, result: object) -> tuple[float, bool]:
        """Note what came of a task, and put on the agenda what can be done now.

        Parameters
        ----------
        task : Task
            One that was handed out.
        result : object
            ``None`` if it is done, `Cut` if it is to be done in steps, anything else if it failed.

        Returns
        -------
        float
            Share of its job that this was.
        bool
            Whether the job has ended with it.
        """
        if isinstance(result, Cut):
            self._long[task.folder] = _Long(result.stretches)
            self._add(task, "look", result.stretches)
            return 0.0, False
        if task.step == WHOLE:
            return 1.0, True
        if task.folder not in self._long:
            # Another step of the job has failed before this one ended.
            return 0.0, False
        long = self._long[task.folder]
        if result is not None or task.step.kind == "join":
            del self._long[task.folder]
            for other in [each for each in self.todo if each.folder == task.folder]:
                self.todo.remove(other)
            return 1.0 - long.share, True
        share = 1.0 / (2 * task.step.stretches + 2)
        long.share += share
        long.left -= 1
        if not long.left:
            kind = _FOLLOWING[task.step.kind]
            long.left = self._add(task, kind, task.step.stretches)
        return share, False

    def _add(self, task: Task, kind: Kind, stretches: int) -> int:
        """Put all steps of a kind before other jobs, for what is begun is brought to its end first; say how many."""
        count = stretches if kind in ("look", "find") else 1
        self.todo.extendleft(replace(task, step=Step(kind, number, stretches)) for number in reversed(range(count)))
        return count
