"""What the README tells people to type works, and ends as it says."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from jamline.cli import main


@pytest.fixture
def readme(repository):
    return (repository / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def place(repository, tmp_path):
    """A folder beside the inputs that the README names, but not in the repository: commands write."""
    for name in ("seeds", "sample_tiles"):
        (tmp_path / name).symlink_to(repository / name)
    return tmp_path


def jamline(line, folder):
    done = subprocess.run([sys.executable, "-m", *shlex.split(line)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def commands(text):
    """Every command that stands in the README, in a block or in a line, without what follows a blank option."""
    found = re.findall(r"^    (jamline .*)$", text, re.MULTILINE)
    return found + [" ".join(each.split()) for each in re.findall(r"`(jamline [^`]+)`", text)]


def test_the_first_python_block_runs(readme, place):
    block = re.search(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no Python block"
    done = subprocess.run([sys.executable, "-W", "error", "-c", block[1]], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_demo_ends_as_the_readme_says(repository, readme, place):
    """The command of `make demo`; figures may move in their last digit from one processor to another."""
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    command = re.search(r"^demo:.*\n\t\$\(BIN\)/(jamline .*)$", makefile, re.MULTILINE)[1]
    said = jamline(command, place)
    told = " ".join(re.search(r"It ends with\n\n((?:    .*\n)+)", readme)[1].split())
    for pattern in (
        r"'[^']+': (?:supported|refuted|undecided)",
        r"\((?:open at its \w+)\)",
        r"\bpacked\b",
        r"Report: \S+",
    ):
        assert re.findall(pattern, said) == re.findall(pattern, told)
    length = r"at least ([\d.]+) km \(open"
    assert float(re.search(length, said)[1]) == pytest.approx(float(re.search(length, told)[1]), abs=0.02)
    count = r"at least (\d+) vehicles"
    assert float(re.search(count, said)[1]) == pytest.approx(float(re.search(count, told)[1]), rel=0.01)
    (checked,) = [each for each in commands(readme) if each.startswith("jamline evaluate")]
    assert "precision recall F1" in jamline(checked, place)


def test_your_own_image_is_measured_as_the_readme_says(readme, place, small_scene):
    (command,) = [each for each in commands(readme) if each.startswith("jamline measure your.tif")]
    # The tile in which the queue stands.
    tile = max(small_scene.glob("*.tif"), key=lambda path: path.stat().st_size)
    shutil.copy(tile, place / "your.tif")
    shutil.copy(small_scene / "road.geojson", place / "road.geojson")
    assert "'16 km': " in jamline(command, place)
    table = re.search(r"^## What comes out\n(.*?)^\*\*In QGIS", readme, re.MULTILINE | re.DOTALL)[1]
    for name in (
        "report.html",
        "jam.qgz",
        "jam.gpkg",
        "queues.geojson",
        "claimreview.json",
        "evidence.gpkg",
        "run.json",
    ):
        assert f"`{name}`" in table
        assert (place / "out" / "mine" / name).is_file()
    jamline("jamline spotcheck out/mine -n 2", place)
    jamline("jamline remeasure out/mine", place)
    assert (place / "out" / "mine" / "unedited" / "run.json").is_file()


def test_whoever_ran_the_demo_meets_no_folder_that_is_taken(repository, readme):
    """Each example writes where no other one does, as nothing is overwritten unasked."""
    taken = ["out/lars"]
    for page in (readme, *((repository / "docs" / name).read_text(encoding="utf-8") for name in ("quick-start.md",))):
        taken += re.findall(r"\s-o (\S+?)[`\s]", page) + re.findall(r"\bwrite(?:_layers)?\(\"([^\"]+)\"", page)
    assert len(taken) > 5
    assert [folder for folder in taken if folder == "out" or not folder.startswith("out/")] == []
    assert len(taken) == len(set(taken))


def test_every_command_and_option_of_the_readme_exists(readme):
    lines = commands(readme)
    assert len(lines) >= 7
    for line in lines:
        words = shlex.split(line)[1:]
        if words[0].startswith("-"):
            assert words[0] in ("--help", "--version")
            continue
        command = main.commands[words[0]]
        known = {each for option in command.params for each in option.opts}
        assert {word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)} <= known, line


def test_the_files_that_the_readme_links_to_are_there(repository, readme):
    targets = re.findall(r"\]\((?!http)([^)#]+)", readme)
    assert len(targets) > 8
    assert [each for each in targets if not (repository / each).exists()] == []
