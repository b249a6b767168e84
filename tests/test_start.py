"""The command line answers at once: what is heavy is imported only when something is measured."""

import subprocess
import sys
import time

import jamline

HEAVY = {
    "numpy",
    "pandas",
    "geopandas",
    "rasterio",
    "cv2",
    "scipy",
    "shapely",
    "pyproj",
    "pydantic",
    "jinja2",
}


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_line_imports_nothing_heavy():
    loaded = loaded_after("import jamline.cli")
    assert "click" in loaded
    assert not loaded & HEAVY


def test_the_package_imports_a_room_when_it_is_asked_for():
    assert not loaded_after("import jamline") & HEAVY
    assert "rasterio" in loaded_after("import jamline; jamline.open_scene")


def test_help_answers_within_03_s():
    took = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "jamline", "--help"], capture_output=True, check=True)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.3


def test_every_public_name_is_there():
    assert [name for name in jamline.__all__ if not hasattr(jamline, name)] == []
    assert set(jamline.__all__) <= set(dir(jamline))


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(jamline, "no_such_name")
