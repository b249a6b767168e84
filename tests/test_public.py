"""What `jamline` hands out: every name documented as it is called, typed, and readable where it is printed."""

from __future__ import annotations

import importlib.resources
import inspect
import re
from dataclasses import replace

import pytest
from numpydoc import docscrape

import jam_example as example
import jamline as jl

NAMES = [name for name in jl.__all__ if name != "__version__"]
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(jl, name))]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(jl, name))]
METHODS = [
    f"{name}.{each}"
    for name in CLASSES
    for each, value in vars(getattr(jl, name)).items()
    if not each.startswith("_") and callable(value) and not inspect.isclass(value)
]
HANDED_ON = [name for name in CLASSES if not issubclass(getattr(jl, name), Exception)]


def named(path):
    value = jl
    for part in path.split("."):
        value = getattr(value, part)
    return value


def documented(doc):
    """Names of a docstring's parameters; several may share one line."""
    return [name.lstrip("*") for entry in doc["Parameters"] for name in entry.name.split(", ")]


def taken(signature):
    return [name for name in signature.parameters if name not in ("self", "cls")]


def test_there_is_something_to_look_at():
    assert len(FUNCTIONS) >= 13
    assert len(CLASSES) >= 12
    assert len(METHODS) >= 15
    assert set(NAMES) == {*FUNCTIONS, *CLASSES}


@pytest.mark.parametrize("path", [*FUNCTIONS, *METHODS])
def test_callables_are_documented_as_they_are_called(path):
    function = named(path)
    signature = inspect.signature(function)
    doc = docscrape.FunctionDoc(function)
    assert " ".join(doc["Summary"]).endswith("."), "no sentence at the head"
    gives = signature.return_annotation not in (None, "None")
    if path in FUNCTIONS or taken(signature):
        assert documented(doc) == taken(signature)
        assert all(entry.desc for entry in doc["Parameters"])
        if gives and not doc["Summary"][0].startswith("Return "):
            assert doc["Returns"] or doc["Yields"]
    if path in FUNCTIONS:
        assert bool(doc["Returns"]) == gives
        assert doc["Raises"] or path == "check_claims", "says not what goes wrong"


@pytest.mark.parametrize("name", HANDED_ON)
def test_classes_are_documented_as_they_are_built(name):
    kind = named(name)
    doc = docscrape.ClassDoc(kind)
    fields = [each for each in taken(inspect.signature(kind)) if not each.startswith("_")]
    # What a class works out for itself may be told in sentences instead.
    assert documented(doc) == fields or set(fields) == set(documented(doc))
    assert all(entry.desc for entry in doc["Parameters"])


@pytest.mark.parametrize("name", [*FUNCTIONS, *METHODS])
def test_callables_bear_types(name):
    signature = inspect.signature(named(name))
    untyped = [p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name != "self"]
    assert untyped == []
    assert signature.return_annotation is not signature.empty


def test_the_package_tells_type_checkers():
    assert importlib.resources.files("jamline").joinpath("py.typed").is_file()


@pytest.fixture(scope="module")
def handed_on(small_scene):
    """One of each, from the small scene, with names that are no HTML."""
    road = replace(jl.read_road(small_scene / "road.geojson", origin="border"), name="<R & 1>")
    scene = jl.open_scene(small_scene)
    corridor = jl.lay_flat(scene, road)
    evidence = jl.find_vehicles(corridor, detector="contrast")
    queues = jl.measure_queues(evidence)
    findings = jl.check_claims(["at least 200 m", "about 5 km"], queues)
    things = [
        road, scene, corridor, evidence, queues, queues[0], queues[0].length_km, findings[0].claim, findings[0],
        jl.Span(1.0, 2.0), jl.Survey(scene, (queues,), tuple(findings), (), {}),
    ]  # fmt: skip
    return {type(each).__name__: each for each in things}


@pytest.mark.parametrize("name", HANDED_ON)
def test_what_is_handed_on_reads_well_in_a_shell(handed_on, name):
    text = repr(handed_on[name])
    assert name in text
    assert "array(" not in text
    assert max(map(len, text.splitlines())) <= 200
    assert len(text.splitlines()) <= 10


@pytest.mark.parametrize("name", [each for each in HANDED_ON if each != "Span"])
def test_what_is_handed_on_reads_well_in_a_notebook(handed_on, name):
    text = handed_on[name]._repr_html_()
    assert re.sub(r"<(\w+)[^>]*>", r"<\1>", text).count("<table>") >= 1
    assert "<R" not in text
    opened, closed = re.findall(r"<(\w+)", text), re.findall(r"</(\w+)", text)
    assert sorted(opened) == sorted(closed)


def test_no_queue_reads_well_too():
    road = example.bent_road(600.0)
    none = jl.measure_queues(example.evidence(road, example.vehicles(road, [100.0], 1.8)))
    assert repr(none) == "<Queues on 'A-161': 0>"
    assert "no queue" in none._repr_html_()
