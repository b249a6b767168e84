"""What the pages tell people to run works, and says what they say it says."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.merge import merge

import jamline as jl


@pytest.fixture
def place(repository, tmp_path):
    """A folder to work in, beside the sample but not in the repository: pages write."""
    for name in ("seeds", "sample_tiles"):
        (tmp_path / name).symlink_to(repository / name)
    return tmp_path


def python(code, folder):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_notebook_runs(repository, place):
    notebook = json.loads((repository / "docs" / "notebooks" / "from-a-script.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 8
    # What a cell ends with is shown: here it is asked for its HTML, as a notebook would.
    shown = [re.sub(r"^(\w[\w.]*(?:\(.*\))?)$", r"getattr(\1, '_repr_html_', str)()", cell) for cell in cells]
    out = python("\n".join(shown), place)
    assert re.search(r"^1\.2\d km .*\| the truth: 1\.27$", out, re.MULTILINE)
    assert (place / "out" / "notebook" / "jam.gpkg").is_file()


def test_the_page_on_scripts_runs(repository, place):
    page = repository / "docs" / "from-a-script.md"
    out = python("\n".join(blocks(page, "python")), place)
    said = re.search(r"^print\(longest\.length_km\)  # (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert out.splitlines()[0] == said
    assert (place / "out" / "script" / "report.html").is_file()


def test_the_page_on_imagery_finds_what_it_says(repository, place):
    text = (repository / "docs" / "imagery.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    jamline (fetch seeds.*)$", text, re.MULTILINE)
    told = subprocess.run(
        [sys.executable, "-m", "jamline", *shlex.split(command)], cwd=place, capture_output=True, text=True, check=True
    )
    assert told.stdout in blocks(repository / "docs" / "imagery.md", "text")


def test_the_quick_start_measures(repository, place):
    text = (repository / "docs" / "quick-start.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    jamline (measure .*)$", text, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-m", "jamline", *shlex.split(command)], cwd=place, capture_output=True, text=True, check=True
    )
    assert re.search(r"\*\*\"(.*?)\"\*\*", text)[1] in done.stdout
    assert "'at least 1 km': supported" in done.stdout
    assert {"report.html", "jam.qgz", "run.json"} <= {path.name for path in (place / "out" / "short").iterdir()}


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rasterio's own
def test_a_press_picture_is_given_a_place_as_its_page_says(repository, place):
    """The sample without its coordinates is refused; with five points known to a metre it gives the same length."""
    page = repository / "docs" / "press-picture.md"
    pixels, _ = merge(sorted((place / "sample_tiles" / "short").glob("*.tif")))
    shape = {"height": pixels.shape[1], "width": pixels.shape[2], "count": 3, "dtype": "uint8"}
    with (
        pytest.warns(NotGeoreferencedWarning),
        rasterio.open(place / "photo.jpg", "w", driver="JPEG", QUALITY=92, **shape) as photo,
    ):
        photo.write(pixels[:3])
    (place / "photo.jpg.aux.xml").unlink(missing_ok=True)
    road = place / "sample_tiles" / "short" / "road.geojson"
    with pytest.raises(jl.JamlineError) as refused:
        jl.open_scene(place / "photo.jpg")
    assert str(refused.value).replace(f"{place}/", "") in page.read_text(encoding="utf-8")
    (block,) = blocks(page, "python")
    # Of an image without a place rasterio warns, which is what the page is about.
    done = subprocess.run([sys.executable, "-c", block], cwd=place, capture_output=True, text=True, check=True)
    residuals = [float(number) for number in re.findall(r"\d+\.\d*", done.stdout)]
    assert len(residuals) == 5
    assert 0 < max(residuals) < 1.0
    queues = jl.survey(place / "photo.tif", road).queues[0]
    assert queues[0].length_km.value == pytest.approx(1.274, abs=0.03)


def test_links_of_the_pages_lead_somewhere(repository):
    for page in (repository / "docs").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!http)([^)#]+)", text) + re.findall(r"\{download\}`[^<]*<([^>]+)>`", text):
            assert (Path(page).parent / target).exists(), (page.name, target)
