"""How far a command is, on stderr: a bar for people, or lines for a program that shows it in its own way."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from jamline.pipeline import Progress

_KEY = "jamline.progress"
_BAR = "{percentage:3.0f}% |{bar}| {n:.1f} of {total:.1f} km, {remaining} left"


def progress_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--progress`; what was chosen is asked for by `as_lines`."""
    return click.option(
        "--progress",
        type=click.Choice(["bar", "lines"]),
        default="bar",
        expose_value=False,
        callback=_chosen,
        help="How progress is told on stderr; lines read '12.5 % TEXT'.  [bar]",
    )(command)


def as_lines() -> bool:
    """Return whether the running command shall tell its progress as lines."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_KEY))


def tell(done: float, total: float, text: str) -> None:
    """Write one line of progress."""
    share = min(1.0, done / total) if total > 0 else 1.0
    click.echo(f"{100 * share:.1f} % {text}", err=True)


@contextmanager
def km_progress(*, quiet: bool) -> Iterator[Progress]:
    """Show how far the measuring is; a bar is shown on a terminal only."""
    from tqdm import tqdm

    lines = as_lines() and not quiet
    with tqdm(unit="km", disable=True if quiet or lines else None, leave=False, bar_format=_BAR) as bar:
        done_m = 0.0

        def advance(more_m: float, total_m: float) -> None:
            nonlocal done_m
            done_m += more_m
            if lines:
                tell(done_m, total_m, f"{done_m / 1000:.1f} of {total_m / 1000:.1f} km")
            bar.total = round(total_m / 1000, 2)
            bar.update(more_m / 1000)

        yield advance


def _chosen(ctx: click.Context, param: click.Parameter, value: str) -> None:
    """Keep what was chosen."""
    ctx.meta[_KEY] = value == "lines"
    if value == "lines" and sys.platform != "win32":
        threading.Thread(target=_end_with_reader, args=(sys.stderr,), daemon=True).start()


def _end_with_reader(stream: Any) -> None:
    """Interrupt this process when the program that reads its lines is gone: nobody else would stop it."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):  # no file at all, as in a test
        return
    poll.poll()
    os.kill(os.getpid(), signal.SIGINT)
