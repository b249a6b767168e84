"""Long roads measured in stretches: what comes out is what measuring them as a whole gives, to the last byte."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from jamline.batch import Failure, _stretches, read_jobs, run_batch
from jamline.batch._agenda import Agenda
from jamline.batch._stretches import WHOLE
from jamline.batch._work import Cut, Task
from jamline.pipeline import in_stretches, survey
from jamline.road import read_road
from jamline.synth import SceneSpec, simulate

WHOLE_ROAD, IN_KILOMETRES = 1e9, 1000.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A winding road of 3.3 km in many tiles, with queues over the seams at 1, 2 and 3 km, and a gap in the imagery."""
    spec = SceneSpec.model_validate(
        {
            "name": "long",
            "seed": 5,
            "road": {"length_m": 3300.0, "name": "R1", "shape": "winding"},
            "queues": [
                {"side": "right", "start_m": 850.0, "end_m": 2150.0},
                {"side": "left", "start_m": 2900.0, "end_m": 3100.0},
            ],
            "line": {"offset_m": 3.0},
            "sensor": {"gsd_m": 0.6},
            "imagery": {"half_width_m": 40.0, "tile_px": 1024, "end_m": 3200.0},
        }
    )
    return simulate(spec, tmp_path_factory.mktemp("scenes") / "long")


@pytest.fixture(scope="module")
def job(scene, tmp_path_factory):
    path = tmp_path_factory.mktemp("jobs") / "job.toml"
    path.write_text(f'imagery = "{scene}"\nroad = "{scene}/road.geojson"\nclaims = ["a jam of 1.3 km"]\n')
    return path


@pytest.fixture(scope="module")
def whole(job, tmp_path_factory):
    """The road measured as a whole, by a process of a pool as well."""
    out = tmp_path_factory.mktemp("batch") / "whole"
    assert run_batch(read_jobs([job]), out, workers=1, stretch_m=WHOLE_ROAD).failed == ()
    return out


def files(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_seams_change_nothing(whole, job, tmp_path):
    told = []
    batch = run_batch(
        read_jobs([job]),
        tmp_path / "out",
        workers=2,
        stretch_m=IN_KILOMETRES,
        progress=lambda ended, total, failure: told.append((round(ended, 3), total, failure)),
    )
    assert (batch.done, batch.failed) == (1, ())
    # Four looks, the laying flat, four finds and the joining.
    assert told == [(0, 1, None), (0, 1, None), *((share / 10, 1, None) for share in range(1, 11))]
    found = files(tmp_path / "out")
    assert found == files(whole)
    (run,) = [json.loads(content) for name, content in found.items() if name.endswith("run.json")]
    lengths = [queue["length_km"]["value"] for queue in run["roads"][0]["queues"]]
    assert max(lengths) > 1.2, "no queue lies over a seam, so nothing was tested"


def test_what_was_done_before_a_kill_is_not_done_again(whole, job, tmp_path):
    out = tmp_path / "out"
    script = (
        "from jamline.batch import read_jobs, run_batch\n"
        "if __name__ == '__main__':\n"
        f"    run_batch(read_jobs([{str(job)!r}]), {str(out)!r}, workers=1, stretch_m={IN_KILOMETRES})\n"
    )
    (tmp_path / "script.py").write_text(script)
    process = subprocess.Popen([sys.executable, tmp_path / "script.py"], start_new_session=True)
    while process.poll() is None and len(list(out.glob("jobs/.*.steps/find[01]"))) < 2:
        time.sleep(0.01)
    assert process.poll() is None, "the batch ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (home,) = out.glob("jobs/.*.steps")
    assert {"road", "look0", "look3", "corridor", "find0", "find1"} <= {path.name for path in home.iterdir()}
    # It would have to be read for laying the road flat once more, and that would fail.
    (home / "look0").write_bytes(b"not to be read again")
    assert run_batch(read_jobs([job]), out, workers=1, stretch_m=IN_KILOMETRES).failed == ()
    assert files(out) == files(whole)


def test_a_stretch_that_cannot_be_read_is_the_failure_of_that_road_alone(job, scene, tmp_path):
    shutil.copytree(scene, tmp_path / "cut")
    last = sorted((tmp_path / "cut").glob("*.tif"), key=lambda path: path.stat().st_size)[-1]
    content = last.read_bytes()
    last.write_bytes(content[: len(content) // 2])
    text = job.read_text()
    (tmp_path / "bad.toml").write_text(text.replace(f'imagery = "{scene}"', 'imagery = "cut"'))
    (tmp_path / "good.toml").write_text(text)
    jobs = read_jobs([tmp_path / "bad.toml", tmp_path / "good.toml"])
    batch = run_batch(jobs, tmp_path / "out", workers=2, stretch_m=IN_KILOMETRES)
    assert batch.done == 1
    (failure,) = batch.failed
    assert failure.name.endswith("bad.toml")
    assert last.name in failure.rule


class TestCut:
    @pytest.mark.parametrize(("stretch_m", "count"), [(1000.0, 4), (1499.0, 4), (1501.0, None)])
    def test_it_is_cut_into_equal_kilometres(self, scene, stretch_m, count):
        long = in_stretches(scene, scene / "road.geojson", stretch_m=stretch_m)
        assert (None if long is None else long.count) == count

    def test_several_roads_are_measured_as_a_whole(self, scene):
        road = read_road(scene / "road.geojson")
        assert in_stretches(scene, [road, road], stretch_m=IN_KILOMETRES) is None


class TestAgenda:
    def tasks(self, count):
        return [Task(None, f"job{number}", IN_KILOMETRES) for number in range(count)]

    def test_steps_come_in_their_order_and_before_other_jobs(self):
        agenda = Agenda(self.tasks(2))
        kinds, share = [], 0.0
        while agenda.todo:
            task = agenda.todo.popleft()
            cut = task.folder == "job0" and task.step == WHOLE
            part, ended = agenda.note(task, Cut(2) if cut else None)
            share += part
            kinds.append((task.folder, task.step.kind, task.step.number, ended))
        assert kinds == [
            ("job0", "whole", 0, False),
            ("job0", "look", 0, False),
            ("job0", "look", 1, False),
            ("job0", "lay", 0, False),
            ("job0", "find", 0, False),
            ("job0", "find", 1, False),
            ("job0", "join", 0, True),
            ("job1", "whole", 0, True),
        ]
        assert share == pytest.approx(2.0)

    def test_a_road_fails_once(self):
        agenda = Agenda(self.tasks(1))
        agenda.note(agenda.todo.popleft(), Cut(4))
        first, second = agenda.todo.popleft(), agenda.todo.popleft()
        assert agenda.note(first, Failure("job", "rule")) == (1.0, True)
        assert not agenda.todo
        assert agenda.note(second, Failure("job", "rule")) == (0.0, False)
        assert agenda.note(second, None) == (0.0, False)


def test_a_survey_by_hand_is_the_same(scene):
    options = {"claims": ["a jam of 1.3 km"], "half_width_m": 12.0}
    at_once = survey(scene, scene / "road.geojson", **options)
    long = in_stretches(scene, scene / "road.geojson", stretch_m=IN_KILOMETRES, **options)
    corridor = long.lay_flat([long.look(number) for number in range(long.count)])
    stepwise = long.survey(corridor, [long.find(corridor, number) for number in range(long.count)])
    assert stepwise.run == at_once.run
    assert [strip.start_m for strip in stepwise.strips] == [strip.start_m for strip in at_once.strips]


def test_nothing_but_the_result_is_left(whole):
    assert not list(whole.glob(f"jobs/.*{_stretches.STEPS}"))
