"""Batches: real processes, killed at any moment, and what is there when they are done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

from jamline.batch import Failure, _layers, join_jobs, read_jobs, run_batch
from jamline.batch._join import Shown, _looks
from jamline.batch._keys import keys
from jamline.batch._pools import each, processes
from jamline.batch._prints import fingerprints
from jamline.cli import INTERRUPTED, main
from jamline.errors import JobError, NothingToMeasureError, OutputError, UsageError
from jamline.outputs import write_geopackage
from jamline.road import read_roads
from jamline.synth import SceneSpec, simulate

COMMAND = [sys.executable, "-m", "jamline", "batch"]
WHOLE, BROKEN = 36, 4
PATIENCE_S = 600


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A simulated scene of 200 m, one queue from 50 to 150 m on the right: small, because many jobs share it."""
    spec = SceneSpec.model_validate(
        {
            "name": "tiny",
            "seed": 7,
            "road": {"length_m": 200.0, "name": "R1"},
            "queues": [{"side": "right", "start_m": 50.0, "end_m": 150.0}],
            "terrain": {"trees": 0.0},
            "imagery": {"half_width_m": 30.0},
        }
    )
    return simulate(spec, tmp_path_factory.mktemp("scenes") / "tiny")


def tile_of(scene):
    (tile,) = scene.glob("*.tif")
    return tile


def write_jobs(folder, scene, *, whole=WHOLE, broken=BROKEN):
    """Write jobs that differ in a setting, and among them some that are each broken in another way."""
    folder.mkdir()
    (folder / "cut.tif").write_bytes(tile_of(scene).read_bytes()[:5000])
    far = {"type": "LineString", "coordinates": [[10.0, 50.0], [10.001, 50.0]]}
    (folder / "far.geojson").write_text(json.dumps(far))
    road = f'road = "{scene}/road.geojson"\n'
    for number in range(whole):
        text = f'imagery = "{scene}"\n{road}half_width_m = {12 + number / 100}\nclaims = ["a jam of 100 m"]\n'
        (folder / f"good{number:04d}.toml").write_text(text)
    ways = (
        f'imagery = "missing.tif"\n{road}',
        f'imagery = "cut.tif"\n{road}',
        f'imagry = "{scene}"\n{road}',
        f'imagery = "{scene}"\nroad = "far.geojson"\n',
    )
    for number in range(broken):
        (folder / f"bad{number:04d}.toml").write_text(ways[number % 4] + f'title = "{number}"\n')
    return folder


RULES = (
    "Must be a file that exists.",
    "Must be a raster that GDAL can read",
    "Must be one of imagery",
    "Must run through",
)


@contextmanager
def started(*args):
    """Start a batch in a session of its own, and leave nothing of it behind."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def append(path, text):
    path.write_text(path.read_text() + text)


def results(out):
    """Return what is there, and when it was made, by key."""
    made = {}
    for run in out.glob("jobs/[!.]*/run.json"):
        stat = run.stat()
        made[run.parent.name] = (stat.st_ino, stat.st_mtime_ns)
    return made


def until(condition, *, patience_s=PATIENCE_S):
    """Wait until something is so."""
    end = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
    return value


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def merged(out):
    return {name: (out / name).read_bytes() for name in ("jam.gpkg", "results.parquet", "batch.json")}


@pytest.fixture(scope="module")
def jobs(scene, tmp_path_factory):
    return write_jobs(tmp_path_factory.mktemp("batch") / "jobs", scene)


@pytest.fixture(scope="module")
def undisturbed(jobs, tmp_path_factory):
    """A batch that nobody disturbed, by two processes."""
    out = tmp_path_factory.mktemp("batch") / "undisturbed"
    done = subprocess.run(
        [*COMMAND, jobs, "-o", out, "--workers", "2"], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return out, done


class TestBatch:
    def test_failures_are_named_and_the_rest_goes_on(self, undisturbed, jobs):
        out, done = undisturbed
        assert done.returncode == 5
        assert done.stdout.splitlines()[0] == f"{WHOLE} of {WHOLE + BROKEN} jobs done, 0 of them before."
        failed = {line.split(": ")[1]: line for line in done.stderr.splitlines() if line.startswith("Failed: ")}
        names = [str(jobs / f"bad{number:04d}.toml") for number in range(BROKEN)]
        assert sorted(failed) == names
        for name, rule in zip(names, RULES, strict=True):
            assert rule in failed[name]
        record = json.loads((out / "batch.json").read_text())
        assert (record["done"], [each["job"] for each in record["failed"]]) == (WHOLE, names)
        assert done.stderr.splitlines()[-1].startswith(f"Error: {BROKEN} of {WHOLE + BROKEN} jobs failed")

    def test_nothing_half_done_is_left(self, undisturbed):
        out, _ = undisturbed
        assert {path.name for path in out.iterdir()} == {"jobs", "jam.gpkg", "results.parquet", "batch.json"}
        assert len(list((out / "jobs").iterdir())) == WHOLE == len(results(out))

    def test_the_table_has_a_row_for_each_road_of_each_job(self, undisturbed, jobs):
        out, _ = undisturbed
        table = pd.read_parquet(out / "results.parquet")
        assert list(table.job) == [str(jobs / f"good{number:04d}.toml") for number in range(WHOLE)]
        for row in table.itertuples():
            run = json.loads((out / row.folder / "run.json").read_text())
            assert run["settings"]["half_width_m"] == 12 + int(row.job[-9:-5]) / 100
            lengths = [queue["length_km"]["value"] for queue in run["roads"][0]["queues"]]
            assert (row.road, row.queues, row.longest_km) == ("R1", len(lengths), max(lengths, default=0.0))
            assert json.loads(row.findings)[0]["claim"] == "a jam of 100 m"
        assert table.longest_km.max() > 0.05

    @pytest.mark.parametrize("layer", ["queues", "vehicles", "coverage", "road"])
    def test_the_layers_hold_what_the_jobs_found(self, undisturbed, layer):
        out, _ = undisturbed
        table = pd.read_parquet(out / "results.parquet").set_index("job")
        whole = gpd.read_file(out / "jam.gpkg", layer=layer)
        parts = {job: gpd.read_file(out / row.folder / "jam.gpkg", layer=layer) for job, row in table.iterrows()}
        assert list(whole.job) == [job for job, part in parts.items() for _ in range(len(part))]
        together = pd.concat(parts.values(), ignore_index=True)
        pd.testing.assert_frame_equal(whole.drop(columns="job"), together)
        assert gpd.list_layers(out / "jam.gpkg").name.tolist()[:4] == ["queues", "vehicles", "coverage", "road"]

    def test_how_many_are_read_at_a_time_changes_nothing(self, undisturbed, tmp_path, monkeypatch):
        out, _ = undisturbed
        table = pd.read_parquet(out / "results.parquet")
        monkeypatch.setattr(_layers, "_AT_A_TIME", 7)
        write_geopackage(
            tmp_path / "jam.gpkg", _layers.joined([(row.job, out / row.folder) for row in table.itertuples()])
        )
        for layer in ("queues", "vehicles", "coverage", "road"):
            one, other = (gpd.read_file(folder / "jam.gpkg", layer=layer) for folder in (out, tmp_path))
            pd.testing.assert_frame_equal(one, other)

    def test_again_does_nothing_and_says_the_same(self, undisturbed, jobs, tmp_path):
        out, _ = undisturbed
        shutil.copytree(out, tmp_path / "out")
        before, made = merged(tmp_path / "out"), results(tmp_path / "out")
        again = CliRunner().invoke(main, ["batch", str(jobs), "-o", str(tmp_path / "out"), "--workers", "1"])
        assert again.exit_code == 5
        assert again.stdout.startswith(f"{WHOLE} of {WHOLE + BROKEN} jobs done, {WHOLE} of them before.")
        assert results(tmp_path / "out") == made
        assert merged(tmp_path / "out") == before


def test_killed_and_resumed_it_is_as_if_nothing_had_been(undisturbed, jobs, tmp_path):
    out = tmp_path / "out"
    seen = {}
    for number, enough in enumerate((3, 12, 24)):
        with started(jobs, "-o", out, "--workers", "2") as process:
            until(lambda enough=enough: len(results(out)) >= enough or process.poll() is not None)
            assert process.poll() is None
            workers = children(process.pid)
            if number == 1:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                # The parent alone: its workers must not outlive it, for they would wait for ever.
                os.kill(process.pid, signal.SIGKILL)
            until(lambda workers=workers: not any(map(is_running, workers)), patience_s=60)
        now = results(out)
        assert {key: now[key] for key in seen} == seen
        seen = now
    # Whether one of them was writing just then is chance; what it leaves is this.
    draft = out / "jobs" / f".{next(iter(seen))[::-1]}.0a1b2c3d.part"
    draft.mkdir()
    (draft / "jam.gpkg").write_bytes(b"half")
    (out / ".jam.gpkg.0a1b2c3d.part.gpkg").write_bytes(b"half")
    with started(jobs, "-o", out, "--workers", "2") as process:
        printed, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 5
    assert printed.startswith(f"{WHOLE} of {WHOLE + BROKEN} jobs done, {len(seen)} of them before.")
    now = results(out)
    assert {key: now[key] for key in seen} == seen
    assert set(now) == set(results(undisturbed[0]))
    assert merged(out) == merged(undisturbed[0])
    assert {path.name for path in (out / "jobs").iterdir()} == set(now)
    assert {path.name for path in out.iterdir()} == {"jobs", *merged(out)}


def test_ctrl_c_keeps_what_is_done(jobs, tmp_path):
    out = tmp_path / "out"
    with started(jobs, "-o", out, "--workers", "1") as process:
        until(lambda: results(out))
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert told.splitlines()[-1] == "Error: Interrupted; what is done is kept, and the same command goes on from there."
    assert "Traceback" not in told
    assert results(out)


def test_two_runs_at_once_do_nothing_twice(scene, tmp_path):
    jobs = write_jobs(tmp_path / "jobs", scene, whole=5, broken=0)
    out = tmp_path / "out"
    with started(jobs, "-o", out, "--workers", "1") as first, started(jobs, "-o", out, "--workers", "1") as second:
        seen = {}
        while None in (first.poll(), second.poll()):
            now = results(out)
            assert {key: now[key] for key in seen} == seen
            seen = now
            time.sleep(0.05)
        told = [process.communicate()[1] for process in (first, second)]
    assert (first.returncode, second.returncode, told) == (0, 0, ["", ""])
    assert len(results(out)) == 5


def test_equal_jobs_are_done_once_and_told_under_each_name(scene, tmp_path):
    text = f'imagery = "{scene}"\nroad = "{scene}/road.geojson"\n'
    for name in ("b", "a"):
        (tmp_path / f"{name}.toml").write_text(text)
    seen = []
    wanted = read_jobs([tmp_path / "b.toml", tmp_path / "a.toml", tmp_path / "a.toml"])
    batch = run_batch(wanted, tmp_path / "out", workers=1, progress=lambda *told: seen.append(told))
    assert (batch.done, batch.before, batch.failed) == (3, 0, ())
    assert seen == [(0, 3, None), (1, 3, None), (2, 3, None), (3, 3, None)]
    assert len(results(tmp_path / "out")) == 1
    names = [str(tmp_path / name) for name in ("a.toml", "a.toml (2)", "b.toml")]
    assert list(pd.read_parquet(tmp_path / "out" / "results.parquet").job) == names


def test_a_job_with_looks_gives_a_result_for_each(scene, tmp_path):
    look = f'[[look]]\nimagery = "{scene}"\ndate = 2022-09-{{}}\n'
    (tmp_path / "job.toml").write_text(f'road = "{scene}/road.geojson"\n' + look.format(25) + look.format(24))
    batch = run_batch(read_jobs([tmp_path / "job.toml"]), tmp_path / "out", workers=1)
    assert batch.failed == ()
    table = pd.read_parquet(tmp_path / "out" / "results.parquet")
    assert list(table.job) == [f"{tmp_path}/job.toml 2022-09-{day}" for day in (24, 25)]
    assert set(gpd.read_file(tmp_path / "out" / "jam.gpkg", layer="road").job) == set(table.job)


class TestFolder:
    def test_what_is_no_batch_is_left_alone(self, tmp_path):
        (tmp_path / "precious.txt").write_text("mine")
        with pytest.raises(OutputError, match=r"Must be new, empty or an earlier batch's; it has no batch\.json"):
            run_batch([Failure("job", "rule")], tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]

    def test_a_batch_in_which_nothing_worked_has_empty_layers(self, tmp_path):
        batch = run_batch([Failure("job", "Must work.")], tmp_path / "out")
        assert (batch.done, batch.failed) == (0, (Failure("job", "Must work."),))
        assert len(gpd.read_file(tmp_path / "out" / "jam.gpkg", layer="queues")) == 0
        assert len(pd.read_parquet(tmp_path / "out" / "results.parquet")) == 0

    def test_other_jobs_may_follow_into_the_same_folder(self, scene, tmp_path):
        jobs = write_jobs(tmp_path / "jobs", scene, whole=2, broken=0)
        for number in range(2):
            run_batch(read_jobs([jobs / f"good{number:04d}.toml"]), tmp_path / "out", workers=1)
        assert len(results(tmp_path / "out")) == 2
        assert list(pd.read_parquet(tmp_path / "out" / "results.parquet").job) == [str(jobs / "good0001.toml")]


class TestKeys:
    @pytest.fixture
    def job(self, scene, tmp_path):
        shutil.copytree(scene, tmp_path / "data")
        (tmp_path / "job.toml").write_text('imagery = "data"\nroad = "data/road.geojson"\n')
        return tmp_path / "job.toml"

    def key(self, job):
        (key,) = keys(read_jobs([job]))
        assert isinstance(key, str)
        return key

    def test_neither_place_nor_time_of_the_files_matters(self, job, tmp_path):
        before = self.key(job)
        os.utime(tile_of(tmp_path / "data"), (0, 0))
        shutil.copytree(tmp_path / "data", tmp_path / "elsewhere" / "data")
        shutil.copy(job, tmp_path / "elsewhere" / "renamed.toml")
        assert self.key(job) == before == self.key(tmp_path / "elsewhere" / "renamed.toml")

    @pytest.mark.parametrize(
        "change",
        [
            lambda data: (data / "road.geojson").write_text((data / "road.geojson").read_text() + " "),
            lambda data: tile_of(data).write_bytes(tile_of(data).read_bytes() + b"0"),
            lambda data: tile_of(data).with_suffix(".json").write_text("{}"),
            lambda data: Path(f"{tile_of(data)}.msk").write_bytes(b"0"),
            lambda data: shutil.copy(tile_of(data), data / "another.tif"),
            lambda data: append(data.parent / "job.toml", "gsd_m = 0.6\n"),
            lambda data: append(data.parent / "job.toml", 'claims = ["1 km"]\n'),
        ],
        ids=["road", "image", "metadata", "mask", "second image", "setting", "claim"],
    )
    def test_what_a_result_depends_on_changes_the_key(self, job, tmp_path, change):
        before = self.key(job)
        change(tmp_path / "data")
        assert self.key(job) != before

    def test_a_picture_of_another_name_does_not(self, scene, tmp_path):
        tile = shutil.copy(tile_of(scene), tmp_path / "scene.tif")
        (tmp_path / "job.toml").write_text(f'imagery = "{tile}"\nroad = "{scene}/road.geojson"\n')
        before = self.key(tmp_path / "job.toml")
        shutil.copy(tile, tmp_path / "scene_2.tif")
        assert self.key(tmp_path / "job.toml") == before


class Answers(BaseHTTPRequestHandler):
    """Answers with what the test says, and counts how often it was asked."""

    says = (206, {})
    asked = 0

    def do_GET(self):
        type(self).asked += 1
        status, headers = self.says
        self.send_response(status)
        for name, value in {"Content-Length": "1", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *_):
        pass


class TestAddresses:
    """What an address is known by, asked of a server on this machine."""

    @pytest.fixture
    def server(self, monkeypatch):
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        handler = type("Handler", (Answers,), {})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield handler, f"http://127.0.0.1:{server.server_port}/scene.tif"
            server.shutdown()
            thread.join()

    def known(self, address):
        return fingerprints([address])[address]

    @pytest.mark.parametrize("header", ["ETag", "Last-Modified", "Content-Range"])
    def test_it_changes_with_what_the_server_says_of_it(self, server, header):
        handler, address = server
        seen = set()
        for value in ("bytes 0-0/1", "bytes 0-0/1", "bytes 0-0/2"):
            handler.says = (206, {header: value})
            seen.add(self.known(address))
        assert len(seen) == 2

    def test_a_signature_does_not_matter(self, server):
        handler, address = server
        handler.says = (206, {"ETag": "a"})
        assert self.known(f"{address}?signature=1").split() == self.known(f"{address}?signature=2").split()

    @pytest.mark.parametrize(("status", "times"), [(404, 1), (503, 3)])
    def test_an_address_that_does_not_answer_is_its_jobs_failure(self, server, status, times, tmp_path):
        handler, address = server
        handler.says = (status, {})
        (tmp_path / "job.toml").write_text(f'imagery = "{address}?key=secret"\nroad = "road.geojson"\n')
        (failure,) = keys(read_jobs([tmp_path / "job.toml"]))
        assert failure.rule == f"Invalid image '{address}'. Must be an address that answers (HTTP {status})."
        assert handler.asked == times

    def test_an_address_that_is_not_http_is_known_by_itself(self):
        assert self.known("s3://bucket/scene.tif?key=secret") == "s3://bucket/scene.tif"


class TestTables:
    ROWS = (
        {"name": "first", "imagery": "data", "road": "data/road.geojson", "gsd_m": 0.6, "claims": "1 km; at most 2 km"},
        {"imagery": "data/*.tif;data", "road": "data/road.geojson", "bands": "3,2,1"},
        {"name": "third", "imagery": "data", "half_width_m": 1.0, "road": "data/road.geojson"},
    )

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_each_row_is_a_job(self, tmp_path, kind):
        path = tmp_path / f"table.{kind}"
        frame = pd.DataFrame(self.ROWS)
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path, index=False)
        first, second, third = read_jobs([path])
        assert (first.name, second.name) == ("first", f"{path}, row 2")
        assert first.job.imagery == (str(tmp_path / "data"),)
        assert (first.job.gsd_m, [claim.text for claim in first.job.claims]) == (0.6, ["1 km", "at most 2 km"])
        assert second.job.imagery == (f"{tmp_path}/data/*.tif", str(tmp_path / "data"))
        assert second.job.bands == {"red": 3, "green": 2, "blue": 1}
        assert isinstance(third, Failure)
        assert (third.name, third.rule.split(". ")[0]) == (
            "third",
            f"Invalid key 'half_width_m' in job '{path}, row 3'",
        )

    def test_a_column_that_nobody_knows_is_refused(self, tmp_path):
        (tmp_path / "table.csv").write_text("imagery,raod\na,b\n")
        with pytest.raises(JobError, match=r"Invalid column 'raod' in '.*table\.csv'\. Must be one of name, imagery"):
            read_jobs([tmp_path / "table.csv"])

    @pytest.mark.parametrize(("name", "content"), [("t.csv", "imagery,road\n"), ("t.parquet", "no parquet")])
    def test_a_table_without_rows_is_refused(self, tmp_path, name, content):
        (tmp_path / name).write_text(content)
        with pytest.raises(JobError, match="Invalid job table"):
            read_jobs([tmp_path / name])

    @pytest.mark.parametrize("source", ["", "*.toml"])
    def test_a_folder_or_pattern_without_jobs_is_refused(self, tmp_path, source):
        with pytest.raises(JobError, match="Invalid jobs"):
            read_jobs([tmp_path / source])


def without(package, *args):
    """Run the command line where a package cannot be imported."""
    code = f"import sys; sys.modules[{package!r}] = None; from jamline.cli import run; run()"
    return subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, check=False)


class TestWithoutExtras:
    def test_results_are_csv_and_a_line_says_so(self, scene, tmp_path):
        jobs = write_jobs(tmp_path / "jobs", scene, whole=1, broken=0)
        done = without("pyarrow", "batch", jobs, "-o", tmp_path / "out", "--workers", "1")
        assert done.stderr == "No pyarrow, so the results are CSV; for Parquet: pip install 'jamline[batch]'.\n"
        assert done.returncode == 0
        table = pd.read_csv(tmp_path / "out" / "results.csv")
        run_batch(read_jobs([jobs]), tmp_path / "out", workers=1)
        assert not (tmp_path / "out" / "results.csv").exists()
        other = pd.read_parquet(tmp_path / "out" / "results.parquet")
        assert list(table.columns) == list(other.columns)
        assert table.longest_km.tolist() == other.longest_km.tolist()

    def test_a_parquet_table_and_a_scheduler_say_what_to_install(self, tmp_path):
        (tmp_path / "t.parquet").write_bytes(b"")
        done = without("pyarrow", "batch", tmp_path / "t.parquet", "-o", tmp_path / "out")
        assert (done.returncode, done.stderr.count("\n")) == (3, 1)
        assert "pip install 'jamline[batch]'" in done.stderr
        (tmp_path / "job.toml").write_text('imagery = "."\nroad = "x"\n')
        shutil.copy(__file__, tmp_path / "x.tif")
        scheduler = ("--scheduler", "tcp://127.0.0.1:1")
        done = without("distributed", "batch", tmp_path / "job.toml", "-o", tmp_path / "out", *scheduler)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "pip install 'jamline[batch]'" in done.stderr


def halve_or_die(number):
    """Do something; 3 raises, and 5 dies as a process does that the system kills."""
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 3:
        raise ValueError("three")
    time.sleep(0.05)
    return number / 2


def test_a_process_that_dies_is_its_own_tasks_failure_alone():
    came = list(each(halve_or_die, deque(range(10)), pool=lambda: processes(2)))
    assert Counter(task for task, _ in came) == Counter(range(10))
    assert {task: result for task, result in came if task not in (3, 5)} == {
        task: task / 2 for task in range(10) if task not in (3, 5)
    }
    wrong = {task: str(result) for task, result in came if isinstance(result, BaseException)}
    assert wrong == {3: "three", 5: "Invalid worker. Must live until its job is done; its process died."}


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 1, "scheduler": "tcp://127.0.0.1:1"}])
def test_a_wrong_call_is_refused(tmp_path, options):
    with pytest.raises(UsageError):
        run_batch([Failure("job", "rule")], tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


class TestDask:
    """On a scheduler and two workers of this machine, all of them processes."""

    @pytest.fixture
    def cluster(self, tmp_path):
        """The address of a scheduler, and its processes: itself and two workers."""
        environment = os.environ | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        where = tmp_path / "scheduler.json"
        common = ("--scheduler-file", str(where), "--no-dashboard", "--host", "127.0.0.1")
        running = []

        def start(part, *options):
            with (tmp_path / f"{part}{len(running)}.log").open("w") as log:
                command = [sys.executable, "-m", f"distributed.cli.dask_{part}", *common, *options]
                running.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))

        try:
            start("scheduler", "--port", "0")
            until(where.exists, patience_s=60)
            for _ in range(2):
                start("worker", "--nthreads", "1", "--no-nanny")
            yield json.loads(where.read_text())["address"], running
        finally:
            for process in running:
                process.kill()
                process.wait()

    def test_a_worker_that_is_killed_changes_nothing(self, cluster, undisturbed, jobs, tmp_path):
        address, (_, worker, _) = cluster
        out, some = tmp_path / "out", (jobs / "good000*.toml", jobs / "bad*.toml")
        with started(*some, "-o", out, "--scheduler", address) as process:
            until(lambda: len(results(out)) >= 3 or process.poll() is not None)
            seen = results(out)
            worker.kill()
            printed, told = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 5, told
        assert printed.startswith(f"10 of {10 + BROKEN} jobs done, 0 of them before.")
        now = results(out)
        assert {key: now[key] for key in seen} == seen
        shutil.copytree(undisturbed[0], tmp_path / "local")
        run_batch(read_jobs(some), tmp_path / "local", workers=1)
        assert merged(out) == merged(tmp_path / "local")

    def test_a_scheduler_that_goes_ends_it_in_a_line_and_what_is_done_is_kept(self, cluster, jobs, tmp_path):
        address, (scheduler, *_) = cluster
        out = tmp_path / "out"
        with started(jobs, "-o", out, "--scheduler", address) as process:
            until(lambda: results(out) or process.poll() is not None)
            scheduler.kill()
            _, told = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 5, told
        assert told.splitlines()[-1].startswith(f"Error: Invalid scheduler '{address}'. Must run until")
        assert "Traceback" not in told
        assert results(out)

    def test_no_scheduler_is_said_in_a_line(self, scene, tmp_path):
        jobs = write_jobs(tmp_path / "jobs", scene, whole=1, broken=0)
        with pytest.raises(UsageError, match=r"Invalid scheduler 'nonsense'\. Must be the address"):
            run_batch(read_jobs([jobs]), tmp_path / "out", scheduler="nonsense")


@pytest.fixture(scope="module")
def country(scene, tmp_path_factory):
    """Two roads, one of them seen on two days, and a third that nobody took a picture of."""
    folder = tmp_path_factory.mktemp("country")
    spec = {
        "longitude_deg": 44.7,
        "road": {"length_m": 200.0, "name": "R2"},
        "imagery": {"half_width_m": 30.0, "acquired": "2022-09-26T08:00:00Z"},
    }
    other = simulate(SceneSpec.model_validate({"name": "other", "seed": 8, **spec}), folder / "other")
    features = []
    for each_scene in (scene, other):
        lines = json.loads((each_scene / "road.geojson").read_text())["features"]
        features += [feature for feature in lines if feature["geometry"]["type"] == "LineString"]
    far = {"type": "LineString", "coordinates": [[10.0, 50.0], [10.01, 50.0]]}
    features.append({"type": "Feature", "properties": {"name": "R3"}, "geometry": far})
    (folder / "roads.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    shutil.copy(tile_of(scene), folder / "first.tif")
    shutil.copy(tile_of(other), folder / "second.tif")
    shutil.copy(tile_of(scene), folder / "third.tif")
    item = {"type": "Feature", "properties": {"datetime": "2022-09-27T08:00:00Z"}, "assets": {}}
    (folder / "third.json").write_text(json.dumps(item))
    return folder


class TestJoin:
    def test_there_is_a_job_for_each_road_and_day(self, country):
        join = join_jobs(country / "roads.geojson", country, claims=["1 km"], half_width_m=12)
        told = {job.name: [Path(path).name for path in job.job.imagery] for job in join.jobs}
        assert told == {
            "R1 2022-09-25": ["first.tif"],
            "R1 2022-09-27": ["third.tif"],
            "R2 2022-09-26": ["second.tif"],
        }
        assert (join.roads, join.unseen) == (3, ("R3",))
        assert all(job.job.half_width_m == 12 and job.job.claims[0].text == "1 km" for job in join.jobs)

    def test_it_finds_what_measuring_each_finds(self, country, tmp_path):
        (country / "bad.tif").write_bytes(b"bad")
        arguments = ["--roads", country / "roads.geojson", "--images", country / "*.tif", "-o", tmp_path / "out"]
        try:
            ran = CliRunner().invoke(main, ["batch", *map(str, arguments), "--workers", "1"])
        finally:
            (country / "bad.tif").unlink()
        assert ran.exit_code == 5
        assert f"Failed: {country / 'bad.tif'}: Invalid image" in ran.stderr
        assert "1 of 3 roads are in none of the images." in ran.stderr
        assert ran.stdout.startswith("3 of 4 jobs done")
        table = pd.read_parquet(tmp_path / "out" / "results.parquet").set_index("job")
        assert list(table.index) == ["R1 2022-09-25", "R1 2022-09-27", "R2 2022-09-26"]
        alone = ["measure", country / "first.tif", "--road", country / "roads.geojson", "--road-name", "R1"]
        alone = CliRunner().invoke(main, [*map(str, alone), "-o", str(tmp_path / "alone"), "--json"])
        run = json.loads(alone.stdout)
        assert run["roads"] == json.loads((tmp_path / "out" / table.folder.iloc[0] / "run.json").read_text())["roads"]
        assert table.longest_km.iloc[0] == run["roads"][0]["queues"][0]["length_km"]["value"]

    def test_another_road_in_the_file_changes_no_key(self, country, tmp_path):
        content = json.loads((country / "roads.geojson").read_text())
        before = keys(join_jobs(country / "roads.geojson", country / "*.tif").jobs)
        del content["features"][-1]
        (tmp_path / "fewer.geojson").write_text(json.dumps(content))
        assert keys(join_jobs(tmp_path / "fewer.geojson", country / "*.tif").jobs) == before

    def test_an_image_on_the_other_count_of_longitudes_shows_the_road(self, tmp_path):
        line = {"type": "LineString", "coordinates": [[179.99, 0.0], [179.999, 0.0]]}
        (tmp_path / "road.geojson").write_text(json.dumps(line))
        roads = read_roads(tmp_path / "road.geojson")
        images = [
            Shown("west", "2022-09-25", shapely.box(-180.02, -0.01, -180.0, 0.01)),
            Shown("barely", "2022-09-26", shapely.box(179.9985, -0.01, 180.01, 0.01)),
        ]
        assert {key: [image.path for image in seen] for key, seen in _looks(roads, images).items()} == {
            (0, "2022-09-25"): ["west"]
        }

    def test_roads_that_no_image_shows_are_nothing_to_measure(self, country, tmp_path):
        line = {"type": "LineString", "coordinates": [[10.0, 50.0], [10.01, 50.0]]}
        (tmp_path / "far.geojson").write_text(json.dumps(line))
        with pytest.raises(NothingToMeasureError, match="Must run through the imagery; none of 1 does"):
            join_jobs(tmp_path / "far.geojson", country / "first.tif")

    @pytest.mark.parametrize(
        "arguments",
        [[], ["--roads", "x"], ["--images", "x"], ["j", "--roads", "x", "--images", "y"], ["j", "--gsd", "1"]],
    )
    def test_jobs_or_roads_with_images_must_be_given(self, tmp_path, arguments):
        ran = CliRunner().invoke(main, ["batch", *arguments, "-o", str(tmp_path / "out")])
        assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
        assert not (tmp_path / "out").exists()
