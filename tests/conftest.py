"""What several test files share: the folder of real frames, and simulated scenes that are made once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# Run by the system's Python, which has QGIS; this one need not.
collect_ignore = ["qgis_plugin.py", "qgis_project.py", "qgis_render.py", "qgis_review.py"]


def pytest_sessionfinish(session):
    """Where `JAMLINE_NO_SKIP` is set, a skipped test fails the session: nobody would notice otherwise."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("JAMLINE_NO_SKIP") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("\nTests were skipped, and JAMLINE_NO_SKIP allows none.", red=True)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real() -> Path:
    """Folder of real frames; tests that use it bear the marker `real`."""
    folder = Path(os.environ.get("JAMLINE_REAL", REPOSITORY.parent / "shared" / "real"))
    if not folder.is_dir():
        pytest.skip(f"no real frames at {folder}")
    return folder


@pytest.fixture(scope="session")
def small_scene(tmp_path_factory) -> Path:
    """A simulated scene of 700 m with one queue, from 150 to 450 m on the right: tiles, line and truth."""
    from jamline.synth import SceneSpec, simulate

    spec = SceneSpec.model_validate(
        {
            "name": "small",
            "seed": 7,
            "road": {"length_m": 700.0, "name": "R1", "origins": [{"name": "border", "station_m": 100.0}]},
            "queues": [{"side": "right", "start_m": 150.0, "end_m": 450.0}],
            "terrain": {"trees": 0.0},
            "imagery": {"half_width_m": 40.0},
        }
    )
    return simulate(spec, tmp_path_factory.mktemp("scenes") / "small")
