"""The plugin without QGIS: its zip, what it imports, and how it finds, runs and stops the program."""

import ast
import configparser
import importlib.util
import io
import os
import stat
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

from jamline import __version__
from jamline_qgis.program import ProgramError, find_program, own_environment, run_program

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")


@pytest.fixture(scope="module")
def archive(repository, tmp_path_factory):
    """The zip, built twice in folders of other names."""
    built = []
    for name in ("one", "two"):
        folder = tmp_path_factory.mktemp(name)
        command = [sys.executable, str(repository / "packaging" / "qgis_plugin.py"), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        built.append(Path(done.stdout.strip()))
    assert built[0].read_bytes() == built[1].read_bytes()
    return built[0]


def program(folder: Path, code: str) -> str:
    """A program of a few lines, as an executable file."""
    path = folder / "jamline"
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be asked for its exit code does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_zip_holds_the_plugin_and_its_licence_and_nothing_else(archive, repository):
    with zipfile.ZipFile(archive) as file:
        names = set(file.namelist())
        assert {name.split("/")[0] for name in names} == {"jamline_qgis"}
        own = {f"jamline_qgis/{name}" for name in ("__init__.py", "plugin.py", "metadata.txt", "icon.svg", "LICENSE")}
        assert own <= names
        assert not [name for name in names if "__pycache__" in name]
        assert file.read("jamline_qgis/LICENSE") == (repository / "LICENSE").read_bytes()
    assert archive.name == f"jamline_qgis-{__version__}.zip"


def test_metadata_say_what_qgis_asks_for(archive):
    with zipfile.ZipFile(archive) as file:
        metadata = configparser.ConfigParser()
        metadata.read_file(io.StringIO(file.read("jamline_qgis/metadata.txt").decode()))
    general = metadata["general"]
    assert general["version"] == __version__
    assert general["qgisMinimumVersion"] == "3.22"
    assert general["hasProcessingProvider"] == "yes"
    assert all(general[key] for key in ("name", "description", "about", "author", "icon", "category", "tags"))


@pytest.fixture(scope="module")
def packaging(repository):
    """The script that builds the zip, as a module."""
    spec = importlib.util.spec_from_file_location("qgis_plugin_zip", repository / "packaging" / "qgis_plugin.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_plugin_repository_demands_comes_from_the_project(packaging, repository):
    metadata = (repository / "src" / "jamline_qgis" / "metadata.txt").read_text()
    project = {
        "authors": [{"name": "somebody"}, {"name": "another", "email": "list@example.org"}],
        "urls": {
            "Homepage": "https://example.org",
            "Issues": "https://example.org/i",
            "Source code": "https://example.org/s",
        },
    }
    filled = packaging.filled(metadata, project, "1.2")
    for line in (
        "email=list@example.org",
        "homepage=https://example.org",
        "tracker=https://example.org/i",
        "repository=https://example.org/s",
        "version=1.2",
    ):
        assert f"\n{line}\n" in filled
    assert packaging.missing(filled) == []


def test_what_the_project_does_not_have_is_named_and_nothing_is_made_up(packaging, repository, tmp_path):
    path, absent = packaging.build(tmp_path)
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    known = {"email"} if any("email" in author for author in project["authors"]) else set()
    known |= {"tracker", "repository"} if "urls" in project else set()
    assert set(absent) == {"email", "tracker", "repository"} - known
    with zipfile.ZipFile(path) as file:
        metadata = file.read("jamline_qgis/metadata.txt").decode()
    assert all(f"\n{key}=\n" in metadata for key in absent)


def test_nothing_but_qgis_and_the_standard_library_is_imported(repository):
    allowed = set(sys.stdlib_module_names) | {"qgis", "processing", "jamline_qgis"}
    files = list((repository / "src" / "jamline_qgis").rglob("*.py"))
    assert len(files) >= 10
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path


def test_the_setting_goes_before_the_environment_and_that_before_the_path(tmp_path):
    found = {}
    for name in ("setting", "variable", "path"):
        (tmp_path / name).mkdir()
        found[name] = program(tmp_path / name, "")
    environment = {"JAMLINE_EXECUTABLE": found["variable"], "PATH": str(tmp_path / "path")}
    assert find_program(found["setting"], environment) == found["setting"]
    assert find_program("", environment) == found["variable"]
    assert find_program("", environment | {"JAMLINE_EXECUTABLE": ""}) == found["path"]


def test_a_missing_program_is_told_with_the_command_that_installs_it(tmp_path):
    with pytest.raises(ProgramError, match=r"Invalid program '.*gone'. Must be the executable file jamline.*pipx"):
        find_program(str(tmp_path / "gone"))


def test_what_qgis_set_for_itself_is_not_handed_on():
    kept = own_environment({"PYTHONHOME": "/qgis", "PROJ_LIB": "/qgis/proj", "HOME": "/home/me", "AWS_PROFILE": "mine"})
    assert kept.keys() >= {"HOME", "AWS_PROFILE"}
    assert not kept.keys() & {"PYTHONHOME", "PROJ_LIB"}


def test_progress_and_other_lines_are_told_apart(tmp_path):
    code = "import sys\nprint('12.5 % 1 of 8 km', file=sys.stderr)\nprint('Error: é', file=sys.stderr)\nprint('out')"
    steps, said = [], []
    command = [program(tmp_path, code + "\nsys.exit(3)")]
    ended = run_program(command, progress=lambda *step: steps.append(step), says=said.append)
    assert (ended.exit_code, ended.printed, ended.said) == (3, "out", "Error: é")
    assert steps == [(12.5, "1 of 8 km")]
    assert said == ["Error: é"]


def test_a_program_that_does_not_start_is_told(tmp_path):
    path = program(tmp_path, "")
    Path(path).write_bytes(b"\x7fELF")
    with pytest.raises(ProgramError, match="Must start"):
        run_program([path])


@POSIX
@pytest.mark.parametrize("stubborn", [False, True])
def test_cancelling_ends_all_that_was_started_and_leaves_no_draft(tmp_path, stubborn):
    output = tmp_path / "out"
    (tmp_path / ".out.0123.backup").mkdir()
    ignore = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" if stubborn else ""
    child = f"{ignore}\nimport time; time.sleep(60)"
    code = (
        f"{ignore}\nimport os, pathlib, subprocess, sys, time\n"
        f"pathlib.Path({str(tmp_path / '.out.abcd.part')!r}).mkdir()\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "print(f'1 % {os.getpid()} {child.pid}', file=sys.stderr)\n"
        "time.sleep(60)"
    )
    pids, began = [], []

    def progress(percent, text):
        pids.extend(map(int, text.split()))
        began.append(time.monotonic())

    (tmp_path / "bin").mkdir()
    ended = run_program(
        [program(tmp_path / "bin", code)], output=output, progress=progress, cancelled=lambda: bool(began)
    )
    assert ended is None
    assert time.monotonic() - began[0] < 2.0
    assert len(pids) == 2
    time.sleep(0.1)
    assert not [pid for pid in pids if alive(pid)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.0123.backup", "bin"]


@POSIX
def test_an_earlier_result_that_was_moved_aside_comes_back(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    (output / "kept.txt").write_text("mine")
    code = (
        "import os, sys, time\n"
        f"os.rename({str(output)!r}, {str(tmp_path / '.out.abcd.old')!r})\n"
        "print('1 %', file=sys.stderr)\ntime.sleep(60)"
    )
    (tmp_path / "bin").mkdir()
    told = []
    run_program(
        [program(tmp_path / "bin", code)],
        output=output,
        progress=lambda *step: told.append(step),
        cancelled=lambda: bool(told),
    )
    assert (output / "kept.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "out"]


@POSIX
def test_the_program_ends_when_whoever_reads_its_progress_is_gone(repository, tmp_path):
    """QGIS may be killed; what it had started must not go on for hours."""
    command = [sys.executable, "-m", "jamline", "measure", str(repository / "sample_tiles" / "short")]
    command += ["--road", str(repository / "sample_tiles" / "short" / "road.geojson"), "-o", str(tmp_path / "out")]
    process = subprocess.Popen([*command, "--progress", "lines"], stderr=subprocess.PIPE, env=dict(os.environ))
    assert b" % " in process.stderr.readline()
    process.stderr.close()
    assert process.wait(timeout=60) != 0
    assert list(tmp_path.iterdir()) == []
