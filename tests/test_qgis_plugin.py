"""The plugin in QGIS itself: installed from its zip, every algorithm run, cancelled, and without the program."""

import json
import subprocess
import sys

import pytest

import in_qgis

pytestmark = in_qgis.needs_qgis()

ALGORITHMS = {"measure", "check", "batch", "remeasure", "simulate"}


@pytest.fixture(scope="module")
def place(repository, tmp_path_factory):
    """A profile of QGIS with the plugin in it, unpacked from its zip by QGIS's own installer and enabled."""
    place = tmp_path_factory.mktemp("qgis")
    plugins = place / "config" / "profiles" / "default" / "python" / "plugins"
    plugins.mkdir(parents=True)
    command = [sys.executable, str(repository / "packaging" / "qgis_plugin.py"), str(place / "dist")]
    archive = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    unpack = "import sys; from pyplugin_installer.unzip import unzip; unzip(*sys.argv[1:])"
    command = [in_qgis.PYTHON, "-c", unpack, archive, str(plugins)]
    path = {"PYTHONPATH": "/usr/share/qgis/python"}
    subprocess.run(command, env=in_qgis.environment(place, **path), capture_output=True, check=True)
    said = qgis_process(place, "plugins", "enable", "jamline_qgis")
    assert "jamline_qgis" in said.stdout + said.stderr
    return place


def qgis_process(place, *args, program=in_qgis.JAMLINE):
    return subprocess.run(
        [in_qgis.PROCESS, *map(str, args)],
        env=in_qgis.environment(place, JAMLINE_EXECUTABLE=str(program)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def ran(place, algorithm, **parameters):
    """Run an algorithm that must work; return its outputs."""
    given = [f"{key}={value}" for key, value in parameters.items()]
    done = qgis_process(place, "--json", "run", algorithm, "--", *given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout[done.stdout.index("{") :])["results"]


def test_the_provider_has_its_algorithms(place):
    listed = qgis_process(place, "list").stdout
    assert {name for name in ALGORITHMS if f"jamline:{name}" in listed} == ALGORITHMS


def test_a_scene_is_simulated_measured_and_measured_anew(place, tmp_path):
    scene = tmp_path / "scene.toml"
    scene.write_text(
        'name = "q"\nseed = 3\nroad = { length_m = 400.0, name = "Q1" }\n'
        'queues = [{ side = "right", start_m = 60.0, end_m = 260.0 }]\nimagery = { half_width_m = 30.0 }\n'
    )
    made = ran(place, "jamline:simulate", SCENE=scene, OUTPUT=tmp_path / "scene")
    assert made["IMAGERY"]
    assert made["TRUTH"].endswith("vehicles.geojson")
    out = tmp_path / "out"
    road = tmp_path / "scene" / "road.geojson"
    measured = ran(
        place,
        "jamline:measure",
        IMAGERY=made["IMAGERY"][0],
        ROAD=road,
        CLAIMS="at least 100 m",
        HALF_WIDTH=12,
        OUTPUT=out,
    )
    run = json.loads((out / "run.json").read_text())
    assert run["settings"]["half_width_m"] == 12
    assert measured["LENGTH_KM"] == run["roads"][0]["queues"][0]["length_km"]["value"] == pytest.approx(0.2, abs=0.02)
    assert measured["FINDINGS"] == "at least 100 m: supported"
    assert measured["PROJECT"] == str(out / "jam.qgz")
    anew = ran(place, "jamline:remeasure", RESULT=out)
    assert anew["LENGTH_KM"] == pytest.approx(measured["LENGTH_KM"], abs=0.005)
    assert (out / "unedited" / "run.json").exists()


def test_a_job_is_checked_and_a_batch_done_with_its_failed_job_named(place, small_scene, tmp_path):
    job = tmp_path / "job.toml"
    text = (
        f'imagery = "{small_scene}"\nroad = "{small_scene / "road.geojson"}"\norigin = "border"\nclaims = ["16 km"]\n'
    )
    job.write_text(text)
    checked = ran(place, "jamline:check", JOB=job, OUTPUT=tmp_path / "checked")
    assert checked["FINDINGS"] == "16 km: refuted"
    broken = tmp_path / "broken.toml"
    broken.write_text(text.replace("road.geojson", "gone.geojson"))
    given = ["run", "jamline:batch", "--", f"JOBS={job}", f"JOBS={broken}", "WORKERS=1", f"OUTPUT={tmp_path / 'batch'}"]
    done = qgis_process(place, *given)
    assert done.returncode == 0, done.stderr
    assert "FAILED:\t1" in done.stdout
    assert "gone.geojson" in done.stdout + done.stderr
    assert (tmp_path / "batch" / "jam.gpkg").exists()


def test_without_the_program_a_line_says_how_to_get_it(place, tmp_path):
    (tmp_path / "jam.gpkg").write_bytes(b"")
    done = qgis_process(place, "run", "jamline:remeasure", "--", f"RESULT={tmp_path}", program=tmp_path / "gone")
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if "Invalid program" in line]
    assert told
    assert "pipx install" in told[0]
    assert "Traceback" not in done.stdout + done.stderr


def test_what_the_program_refuses_is_told_in_its_own_words(place, tmp_path):
    done = qgis_process(
        place, "run", "jamline:check", "--", f"JOB={tmp_path / 'no.toml'}", f"OUTPUT={tmp_path / 'out'}"
    )
    assert done.returncode != 0
    assert "no.toml" in done.stderr
    assert "Must" in done.stderr


@pytest.fixture(scope="module")
def told(place, small_scene, repository):
    """What became of the runs in one session of QGIS."""
    plugins = place / "config" / "profiles" / "default" / "python" / "plugins"
    (place / "out").mkdir()
    long = (repository / "sample_tiles" / "lars", repository / "seeds" / "roads" / "lars.geojson")
    args = (plugins, small_scene, *long, place / "out")
    return in_qgis.run_script("qgis_plugin.py", place, *args, JAMLINE_EXECUTABLE=in_qgis.JAMLINE)


def test_layers_of_a_run_come_into_one_group_styled_and_are_replaced_after_a_review(told):
    styled = [
        ["vehicles", "categorizedSymbol"],
        ["queues", "categorizedSymbol"],
        ["road", "singleSymbol"],
        ["coverage", "categorizedSymbol"],
    ]
    assert told["project"]["first"] == [["jamline: first", styled]]
    assert told["project"]["second"] == [["jamline: first", styled]]
    before, after = told["project"]["lengths"]
    assert before == pytest.approx(0.3, abs=0.02)
    assert after == pytest.approx(before / 2, abs=0.03)
    assert told["project"]["shown"] == pytest.approx(after, abs=0.001)


def test_unsaved_edits_are_not_passed_over(told):
    assert "Invalid layer 'vehicles'. Must be saved first." in told["project"]["unsaved"]


def test_a_layer_in_memory_and_a_temporary_folder_will_do(told):
    assert told["selected"] == {"temporary": "drawn"}


def test_it_works_as_a_step_of_a_model(told):
    assert told["model"] == {"features": 1, "hatched": True}


@pytest.mark.parametrize("when", ["at once", "while measuring"])
def test_a_cancelled_run_ends_within_2_s_and_leaves_nothing(told, when):
    cancelled = told["cancelled"][when]
    assert cancelled["took_s"] < 2.0
    assert (cancelled["left"], cancelled["running"]) == ([], [])
