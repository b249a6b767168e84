"""The program `jamline`: where it is, and running it so that it tells its progress and can be stopped.

Only the standard library is used, and no QGIS.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

VARIABLE = "JAMLINE_EXECUTABLE"
"""Environment variable, and name of the setting, that hold the program's path."""

INSTALL = "pipx install ."
"""Puts the program where it is found; run in a copy of jamline's repository."""

_PLACES = (
    "~/.local/bin",
    "~/jamline/.venv/bin",
    "~/.venv/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "~/jamline/.venv/Scripts",
)
"""Beside PATH: pipx and uv, `make demo` in the home folder, and the like. QGIS often starts without a shell's PATH."""

_OF_QGIS = frozenset(
    [
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONEXECUTABLE",
        "PYTHONUTF8",
        "PYTHONNOUSERSITE",
        "GDAL_DATA",
        "GDAL_DRIVER_PATH",
        "PROJ_LIB",
        "PROJ_DATA",
    ]
)
"""Variables that QGIS sets for its own Python, GDAL and PROJ; those of jamline are others."""

_PROGRESS = re.compile(r"^(\d+(?:\.\d+)?) % ?(.*)$")

_POLL_S = 0.05
_GRACE_S = 0.8
"""How long the program may take to put away what it has begun, before it is killed."""


class ProgramError(Exception):
    """The program is missing, or said what is wrong."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, what it printed, and what it said was wrong."""

    exit_code: int
    printed: str
    said: str


def find_program(setting: str = "", environment: Mapping[str, str] = os.environ) -> str:
    """Return the path of the program.

    Parameters
    ----------
    setting : str
        As given in QGIS's options; empty where nothing is.
    environment : mapping of str to str
        Where `JAMLINE_EXECUTABLE` and `PATH` are looked up.

    Raises
    ------
    ProgramError
        If it is not where it is said to be, or nowhere.
    """
    for said in (setting.strip(), environment.get(VARIABLE, "").strip()):
        if said:
            found = shutil.which(os.path.expanduser(said))
            if found is None:
                raise ProgramError(f"Invalid program '{said}'. Must be the executable file jamline. {_how_to_get_it()}")
            return found
    places = os.pathsep.join([environment.get("PATH", ""), *map(os.path.expanduser, _PLACES)])
    found = shutil.which("jamline", path=places)
    if found is None:
        raise ProgramError(f"Invalid program 'jamline'. Must be installed; it was not found. {_how_to_get_it()}")
    return found


def _how_to_get_it() -> str:
    return (
        f"To install it, run in a copy of jamline's repository:  {INSTALL}  "
        "Or give its path in Settings > Options > Processing > Providers > jamline."
    )


def own_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return an environment without what QGIS set for itself."""
    kept = {key: value for key, value in environment.items() if key not in _OF_QGIS}
    return kept | {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}


def run_program(
    command: Sequence[str],
    *,
    output: str | Path | None = None,
    progress: Callable[[float, str], None] = lambda percent, text: None,
    says: Callable[[str], None] = lambda line: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Ended | None:
    """Run the program to its end, or until it is cancelled.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    output : str or Path, optional
        What it writes. When it is cancelled, nothing half-written stays beside it.
    progress : callable
        Called with per cent and text for each line of progress.
    says : callable
        Called with each other line on stderr.
    cancelled : callable
        Asked many times a second.

    Returns
    -------
    Ended or None
        None when it was cancelled.

    Raises
    ------
    ProgramError
        If it cannot be started.
    """
    before = _beside(output)
    try:
        process = subprocess.Popen(  # noqa: S603 - the program that the user installed
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=own_environment(),
            encoding="utf-8",
            errors="replace",
            # A group of its own: what it starts is stopped with it, and QGIS is not.
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise ProgramError(f"Invalid program '{command[0]}'. Must start: {error}. {_how_to_get_it()}") from error
    lines: queue.Queue[tuple[str, str]] = queue.Queue()
    readers = [
        threading.Thread(target=_read, args=(stream, name, lines), daemon=True)
        for stream, name in ((process.stdout, "out"), (process.stderr, "err"))
    ]
    for reader in readers:
        reader.start()
    told: dict[str, list[str]] = {"out": [], "err": []}
    while process.poll() is None or any(reader.is_alive() for reader in readers) or not lines.empty():
        if cancelled():
            _stop(process)
            _put_away(output, before)
            return None
        try:
            name, line = lines.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        step = _PROGRESS.match(line) if name == "err" else None
        if step:
            progress(float(step[1]), step[2])
            continue
        told[name].append(line)
        if name == "err":
            says(line)
    return Ended(process.returncode, "\n".join(told["out"]), "\n".join(told["err"]))


def _read(stream: IO[str], name: str, lines: queue.Queue[tuple[str, str]]) -> None:
    """Put every line of a stream into the queue."""
    with stream:
        for line in stream:
            lines.put((name, line.rstrip()))


def _stop(process: subprocess.Popen[str]) -> None:
    """End the program with all that it started: first as Ctrl-C does it, then for good."""
    if sys.platform == "win32":
        subprocess.run(  # noqa: S603
            ["taskkill", "/F", "/T", "/PID", str(process.pid)],  # noqa: S607
            capture_output=True,
            check=False,
        )
        process.wait()
        return
    _signal(process, signal.SIGINT)
    until = time.monotonic() + _GRACE_S
    while process.poll() is None and time.monotonic() < until:
        time.sleep(_POLL_S)
    # Also where the program has ended: what it started may not have.
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal to the whole group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _beside(output: str | Path | None) -> set[Path]:
    """Return what lies beside an output under a hidden name made from its own: drafts, and what was moved aside."""
    if output is None:
        return set()
    place = Path(output)
    return set(place.parent.glob(f".{place.name}[.-]*"))


def _put_away(output: str | Path | None, before: set[Path]) -> None:
    """Remove the drafts of a run that was killed; an earlier result that it had moved aside is put back."""
    for left in _beside(output) - before:
        if left.suffix != ".old":
            shutil.rmtree(left, ignore_errors=True)
        elif output is not None and not Path(output).exists():
            left.rename(output)
