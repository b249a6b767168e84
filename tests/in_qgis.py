"""QGIS run by the tests: whether there is one, and an environment of its own for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = os.environ.get("QGIS_TEST_PYTHON", "/usr/bin/python3")
"""The one that has QGIS's bindings."""

PROCESS = os.environ.get("QGIS_TEST_PROCESS", "qgis_process.bin")
"""Debian's wrapper `qgis_process` does not start; this is what it wraps. Both may be those of another QGIS."""

JAMLINE = str(Path(sys.executable).with_name("jamline"))


def has_qgis() -> bool:
    """Tell whether QGIS can be imported."""
    probe = [PYTHON, "-c", "import qgis.core"]
    return Path(PYTHON).exists() and subprocess.run(probe, capture_output=True, check=False).returncode == 0


def needs_qgis() -> list[pytest.MarkDecorator]:
    """Return the marks of a file whose tests need QGIS."""
    there = has_qgis() and shutil.which(PROCESS) is not None
    return [pytest.mark.qgis, pytest.mark.skipif(not there, reason="QGIS is not installed")]


def environment(place: Path, **more: str) -> dict[str, str]:
    """Return what QGIS needs without a window: a profile, a home and a runtime folder of its own."""
    (place / "runtime").mkdir(mode=0o700, parents=True, exist_ok=True)
    ours = ("PYTHON", "VIRTUAL_ENV", "JAMLINE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    folders = dict.fromkeys(("XDG_RUNTIME_DIR", "HOME"), str(place / "runtime"))
    # QGIS takes the first Python on the path for its own, be it that of a virtual environment.
    system = {"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen"}
    return kept | folders | system | {"QGIS_CUSTOM_CONFIG_PATH": str(place / "config")} | more


def run_script(name: str, place: Path, *args: object, **more: str):
    """Run a script beside this file in QGIS's Python, and return the JSON that it prints."""
    command = [PYTHON, str(Path(__file__).with_name(name)), *map(str, args)]
    done = subprocess.run(
        command, env=environment(place, **more), capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
