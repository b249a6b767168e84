"""The commands, end to end, on a simulated scene."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

import jamline as jl
from jamline.cli import INTERRUPTED, main
from jamline.outputs import read_run

FILES = {
    "jam.gpkg",
    "jam.qgz",
    "evidence.gpkg",
    "report.html",
    "run.json",
    *(f"{layer}.{kind}" for layer in ("queues", "vehicles", "coverage", "road") for kind in ("geojson", "qml")),
}


def ran(*args):
    """Run a command that must work; return what it printed."""
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


@pytest.fixture(scope="module")
def measured(small_scene, tmp_path_factory):
    """A result, and what the command printed."""
    out = tmp_path_factory.mktemp("results") / "small"
    claims = ("--claim", "a jam of 300 m", "--claim", "at least 16 km")
    printed = ran(
        "measure",
        small_scene,
        "--road",
        small_scene / "road.geojson",
        "--origin",
        "border",
        *claims,
        "-o",
        out,
    )
    return out, printed


def test_measure_writes_a_whole_result(measured):
    out, _ = measured
    assert {path.name for path in out.iterdir()} == FILES | {"claimreview.json"}
    assert [path.name for path in out.parent.iterdir()] == ["small"]


def test_measure_prints_a_summary(measured):
    out, printed = measured
    lines = printed.splitlines()
    assert lines[0] == "R1: 0.70 of 0.70 km seen at 0.5 m, 2022-09-25"
    assert any(line.startswith("  right: ") and "from border" in line for line in lines)
    assert [line.split(":")[0] for line in lines if line.startswith("'")] == [
        "'a jam of 300 m'",
        "'at least 16 km'",
    ]
    assert lines[-1] == f"Report: {out / 'report.html'}"


def test_run_json_names_its_inputs(measured, small_scene):
    run = read_run(measured[0])
    (tile,) = small_scene.glob("*.tif")
    assert [image.path for image in run.imagery] == [str(tile)]
    assert run.imagery[0].sha256 == hashlib.sha256(tile.read_bytes()).hexdigest()
    assert run.settings["origin"] == "border"
    assert run.roads[0].origin_station_m == pytest.approx(100.0, abs=5.0)
    assert len(run.roads[0].findings) == 2


def test_json_prints_run_json_and_nothing_else(small_scene, tmp_path):
    out = tmp_path / "out"
    printed = ran("measure", small_scene, "--road", small_scene / "road.geojson", "-o", out, "--json", "-q")
    assert printed == (out / "run.json").read_text(encoding="utf-8")
    assert json.loads(printed)["schema"] == "jamline/run/1"


def test_the_same_run_gives_the_same_files(measured, small_scene, tmp_path):
    claims = ("--claim", "a jam of 300 m", "--claim", "at least 16 km")
    road = small_scene / "road.geojson"
    ran("measure", small_scene, "--road", road, "--origin", "border", *claims, "-o", tmp_path / "again")
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (measured[0] / name).read_bytes(), name


def test_overwrite_replaces_a_result(small_scene, tmp_path):
    args = (
        "measure",
        small_scene,
        "--road",
        small_scene / "road.geojson",
        "-o",
        tmp_path / "out",
        "--overwrite",
    )
    ran(*args)
    (tmp_path / "out" / "old.txt").write_text("left over")
    ran(*args)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_options_reach_the_measuring(small_scene, tmp_path):
    args = ("--gsd", "0.6", "--half-width", "12", "--bands", "3,2,1")
    printed = ran(
        "measure",
        small_scene,
        "--road",
        small_scene / "road.geojson",
        *args,
        "-o",
        tmp_path / "out",
        "--json",
    )
    run = json.loads(printed)
    assert run["imagery"][0]["gsd_m"] == 0.6
    assert run["settings"]["half_width_m"] == 12
    assert run["settings"]["bands"] == {"red": 3, "green": 2, "blue": 1}
    scene = jl.open_scene(small_scene, bands=run["settings"]["bands"])
    assert scene.images[0].bands["red"] == 3


class TestCheck:
    def test_paths_are_relative_to_the_job(self, small_scene, tmp_path, monkeypatch):
        (tmp_path / "data").symlink_to(small_scene)
        (tmp_path / "jobs").mkdir()
        (tmp_path / "claims.toml").write_text('[[claim]]\ntext = "a jam of 300 m"\nsource = "a paper"\n')
        (tmp_path / "jobs" / "job.toml").write_text(
            'title = "The jam at R1"\nimagery = "../data/*.tif"\nroad = "../data/road.geojson"\n'
            'origin = "border"\nclaims = "../claims.toml"\n'
            '[[claim]]\ntext = "at least 16 km"\n'
        )
        monkeypatch.chdir(tmp_path / "jobs")
        run = json.loads(ran("check", "job.toml", "-o", "../out", "--json"))
        assert [finding["claim"] for finding in run["roads"][0]["findings"]] == [
            "a jam of 300 m",
            "at least 16 km",
        ]
        assert run["imagery"][0]["path"].startswith("../data/")
        assert "<title>The jam at R1" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")

    def test_says_the_same_as_measure(self, measured, small_scene, tmp_path):
        (tmp_path / "job.toml").write_text(
            f'imagery = "{small_scene}"\nroad = "{small_scene}/road.geojson"\norigin = "border"\n'
            'claims = ["a jam of 300 m", "at least 16 km"]\n'
        )
        ran("check", tmp_path / "job.toml", "-o", tmp_path / "out")
        assert (tmp_path / "out" / "run.json").read_bytes() == (measured[0] / "run.json").read_bytes()


def test_evaluate_holds_a_result_against_the_truth(measured, small_scene):
    out, _ = measured
    scores = json.loads(ran("evaluate", out, small_scene / "truth", "--json"))
    assert scores["vehicles"]["all"]["truth"] > 20
    assert scores["vehicles"]["all"]["recall"] > 0.7
    assert "precision" in ran("evaluate", out, small_scene / "truth")


def test_synth_writes_a_scene_that_can_be_measured(tmp_path):
    (tmp_path / "scene.toml").write_text(
        'seed = 1\n[road]\nlength_m = 150\nname = "short"\n[imagery]\nhalf_width_m = 25\n'
    )
    printed = ran("synth", tmp_path / "scene.toml", tmp_path / "scene")
    assert printed.strip() == str(tmp_path / "scene")
    road = tmp_path / "scene" / "road.geojson"
    assert ran("measure", tmp_path / "scene", "--road", road, "-o", tmp_path / "out").startswith("short: ")


def test_it_is_a_rasterio_plugin(small_scene):
    rio = [sys.executable, "-c", "from rasterio.rio.main import main_group; main_group()", "jamline"]
    done = subprocess.run([*rio, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[-1]) == (0, jl.__version__)
    done = subprocess.run([*rio, "measure", "nope.tif", "--road", "x", "-o", "y"], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr.startswith("Error: ")


def test_ctrl_c_ends_it_in_one_line(tmp_path):
    # A job file that blocks: when it has been opened, the command is running.
    os.mkfifo(tmp_path / "job.toml")
    process = subprocess.Popen(
        [sys.executable, "-m", "jamline", "check", str(tmp_path / "job.toml"), "-o", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with (tmp_path / "job.toml").open("w"):
        process.send_signal(signal.SIGINT)
        printed, told = process.communicate(timeout=20)
    assert process.returncode == INTERRUPTED
    assert (printed, told) == ("", "Error: Interrupted; nothing was written.\n")
    assert not (tmp_path / "out").exists()


def test_progress_is_told_as_lines_to_a_program(small_scene, tmp_path):
    args = [
        "measure",
        small_scene,
        "--road",
        small_scene / "road.geojson",
        "-o",
        tmp_path / "out",
        "--progress",
        "lines",
    ]
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == 0
    steps = result.stderr.splitlines()
    assert steps[-1] == "100.0 % 0.7 of 0.7 km"
    shares = [float(step.split(" % ")[0]) for step in steps]
    assert shares == sorted(shares)
