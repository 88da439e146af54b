"""A cohort: kept, judged again, killed, out of room, on a cluster; nothing lost, nothing twice."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml
from quick_lab import quick_lab

from harness import cli
from harness.cohort import grade_cohort
from harness.engine import LocalEngine, Work
from harness.errors import LabError, UsageError
from harness.execution.folders import remove_left
from harness.execution.sandbox import choose, is_root
from harness.gradebook import Gradebook
from harness.grading import Grader, open_lab
from harness.handed_in import FILE, HandedIn, Student, write_table
from harness.submission import find_submissions

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[1]
# Right in one function of six, and quick.
TEXT = """
import time
def top_predictions(model, image, k=5):
    time.sleep({seconds})
    probabilities = model.predict(model.preprocess_input(image[None]), verbose=0)
    decoded = model.decode_predictions(probabilities, top=k)[0]
    return [(name, float(value)) for _, name, value in decoded]
"""


@pytest.fixture(scope="module")
def lab_folder(tmp_path_factory):
    """What everything about cohorts can be seen on."""
    return quick_lab(tmp_path_factory.mktemp("lab"))


def cohort(folder: Path, count: int, seconds: float = 0.0) -> Path:
    for number in range(count):
        (folder / f"s{number}").mkdir(parents=True)
        text = TEXT.format(seconds=seconds) + f"# {number}\n"
        (folder / f"s{number}" / "submission.py").write_text(text)
    return folder


def grade(submissions, lab, out, *options):
    return cli.main(
        ["grade", str(submissions), "--lab", str(lab), "--out", str(out), "--jobs", "2", *options]
    )


def without_times(path: Path) -> dict[str, str]:
    """All grades, but for the time and memory that runs took."""
    return {
        file.parent.name: re.sub(r'"(seconds|memory_mb)": [\d.e-]+', r'"\1": 0', file.read_text())
        for file in sorted(path.glob("*/grade.json"))
    }


def test_twice_in_a_row_the_second_runs_no_student_code(lab_folder, tmp_path, capsys):
    submissions = cohort(tmp_path / "c", 3)
    assert grade(submissions, lab_folder, tmp_path / "out") == 0
    before = without_times(tmp_path / "out")
    assert json.loads(before["s0"])["points"] == json.loads(before["s0"])["max_points"]
    capsys.readouterr()
    assert grade(submissions, lab_folder, tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "3 of 3 unchanged; student code was run for 0" in printed
    assert without_times(tmp_path / "out") == before


def test_times_and_policy_are_applied_without_running_anything(lab_folder, tmp_path, capsys):
    submissions = cohort(tmp_path / "c", 2)
    lab = tmp_path / "lab"
    shutil.copytree(lab_folder, lab)
    assert grade(submissions, lab, tmp_path / "out") == 0
    text = (lab / "lab.yaml").read_text()
    late = "late: {deadline: '2026-12-04 12:00', time_zone: UTC, percent: 25}\n"
    (lab / "lab.yaml").write_text(text + late)
    jane = Student("1", "Jane")
    at = datetime(2026, 12, 5, 12, tzinfo=timezone.utc)
    write_table(submissions / FILE, [HandedIn("s0", (jane,), at), HandedIn("s1", late=True)])
    capsys.readouterr()
    assert grade(submissions, lab, tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "0 of 2 unchanged; student code was run for 0" in printed
    assert "4.00 / 4 (another total)" in printed
    assert "2 of 2 changed:" in printed
    assert "s0: 4 → 3 (total)" in printed
    assert "s1: 4 → held back (total)" in printed
    with (tmp_path / "out" / "grades.csv").open(newline="") as stream:
        rows = {row["submission"]: row for row in csv.DictReader(stream)}
    assert (rows["s0"]["points"], rows["s0"]["total"]) == ("4.0", "3.0")
    assert (rows["s1"]["points"], rows["s1"]["total"]) == ("4.0", "")
    stored = json.loads((tmp_path / "out" / "s0" / "grade.json").read_text())
    assert stored["handed_in"]["students"] == [jane.to_json()]
    assert "1 day begun: 25 %" in (tmp_path / "out" / "s0" / "report.html").read_text()
    assert grade(submissions, lab, tmp_path / "out") == 0
    assert "2 of 2 unchanged; student code was run for 0" in capsys.readouterr().out


def test_a_changed_threshold_is_applied_without_running_anything(lab_folder, tmp_path, capsys):
    submissions = cohort(tmp_path / "c", 3)
    wrong = submissions / "s1" / "submission.py"
    wrong.write_text(wrong.read_text().replace("float(value)", "min(1.0, float(value) + 0.03)"))
    lab = tmp_path / "lab"
    shutil.copytree(lab_folder, lab)
    assert grade(submissions, lab, tmp_path / "out") == 0
    text = (lab / "lab.yaml").read_text()
    data = yaml.safe_load(text)
    data["checks"][0]["points"] = 8
    (lab / "lab.yaml").write_text(yaml.safe_dump(data))
    shutil.rmtree(submissions / "s0" / "__pycache__", ignore_errors=True)
    capsys.readouterr()
    assert grade(submissions, lab, tmp_path / "out") == 0
    printed = capsys.readouterr()
    assert "student code was run for 0" in printed.out, printed
    assert "(judged again)" in printed.out
    assert "3 of 3 changed:" in printed.out or "2 of 3 changed:" in printed.out
    assert "s0: 4 → 8 (top-5)" in printed.out


def test_pages_of_another_harness_are_made_again_without_running_anything(
    lab_folder, tmp_path, capsys
):
    submissions = cohort(tmp_path / "c", 2)
    assert grade(submissions, lab_folder, tmp_path / "out") == 0
    stored = tmp_path / "out" / "s0" / "grade.json"
    fresh = json.loads(stored.read_text())
    of_before = {**fresh, "digests": {**fresh["digests"], "harness": "of before"}}
    stored.write_text(json.dumps(of_before))
    report = tmp_path / "out" / "s0" / "report.html"
    text = report.read_text()
    report.write_text("as it was drawn before")
    capsys.readouterr()
    assert grade(submissions, lab_folder, tmp_path / "out") == 0
    assert "1 of 2 unchanged; student code was run for 0" in capsys.readouterr().out
    assert report.read_text() == text
    assert json.loads(stored.read_text()) == fresh


def test_a_changed_submission_alone_is_run_again(lab_folder, tmp_path, capsys):
    submissions = cohort(tmp_path / "c", 3)
    assert grade(submissions, lab_folder, tmp_path / "out") == 0
    (submissions / "s2" / "submission.py").write_text("def top_predictions(*a): return []\n")
    capsys.readouterr()
    assert grade(submissions, lab_folder, tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "2 of 3 unchanged; student code was run for 1" in printed
    assert "s2: 4 → 0 (top-5)" in printed


def descendants(pid):
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, tasks.read_text().split()):
                found += [child, *descendants(child)]
    return found


def alive(pid):
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


@pytest.fixture
def temporary(monkeypatch):
    """A folder for temporary files that everybody can pass through, as student code must."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


KILLS = int(os.environ.get("HARNESS_KILLS", "4"))


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(lab_folder, tmp_path, temporary):
    submissions = cohort(tmp_path / "c", 6, seconds=0.2)
    assert grade(submissions, lab_folder, tmp_path / "undisturbed") == 0
    assert not list(temporary.glob("harness-*"))
    rng = random.Random(7)
    command = [sys.executable, "-m", "harness", "grade", str(submissions), "--jobs", "2"]
    command += ["--lab", str(lab_folder)]
    kills = 0
    while kills < KILLS:
        out = tmp_path / f"out{kills // 4}"
        grader = subprocess.Popen(
            [*command, "--out", str(out)], stdout=subprocess.DEVNULL, start_new_session=True
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            grader.wait(rng.uniform(0.5, 11))
        below = [grader.pid, *descendants(grader.pid)]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(grader.pid, signal.SIGKILL)
        grader.wait()
        kills += 1
        deadline = time.monotonic() + 60
        while any(map(alive, below)):
            assert time.monotonic() < deadline, "processes are left"
            time.sleep(0.1)
        if kills % 4 == 0 or kills == KILLS:
            assert grade(submissions, lab_folder, out) == 0
            assert without_times(out) == without_times(tmp_path / "undisturbed")
            assert len(list(out.glob("*/report.html"))) == 6
            assert not list(out.rglob("*.partial"))
            assert not list(temporary.glob("harness-*")), "folders are left"


@pytest.mark.skipif(not is_root(), reason="needs root, to mount a small disk")
def test_a_full_disk_is_said_and_work_goes_on_when_there_is_room(lab_folder, tmp_path, capsys):
    out = tmp_path / "small"
    out.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(out)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        submissions = cohort(tmp_path / "c", 6)
        assert grade(submissions, lab_folder, out) == 2
        assert "No space left on device" in capsys.readouterr().err
        assert 0 < len(list(out.glob("*/report.html"))) < 6
        assert not list(out.rglob("*.partial"))
        subprocess.run(["mount", "-o", "remount,size=20m", str(out)], check=True)
        assert grade(submissions, lab_folder, out) == 0
        assert "unchanged" in capsys.readouterr().out
        assert len(list(out.glob("*/report.html"))) == 6
    finally:
        subprocess.run(["umount", str(out)], check=True)


def test_a_worker_that_dies_has_its_submission_graded_by_another(lab_folder, tmp_path):
    submissions = find_submissions(cohort(tmp_path / "c", 4, seconds=0.3))
    book = Gradebook(tmp_path / "out")
    engine = LocalEngine(Work(str(lab_folder / "lab.yaml"), False), 2)

    def kill_a_worker():
        import multiprocessing

        while not list((tmp_path / "out").glob("*/grade.json")):
            time.sleep(0.1)
        for process in multiprocessing.active_children()[:1]:
            process.kill()

    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    with Grader(open_lab(lab_folder / "lab.yaml"), sandbox=choose()) as grader:
        grades = grade_cohort(grader, submissions, book, engine, lambda done: None)
    killer.join()
    assert [grade["outcome"] for grade in grades] == ["judged"] * 4
    assert {grade["points"] for grade in grades} == {4.0}


def test_on_a_cluster_with_a_worker_killed_midway_all_are_graded(
    lab_folder, tmp_path, capsys, temporary
):
    distributed = pytest.importorskip("distributed")
    submissions = cohort(tmp_path / "c", 6, seconds=0.5)
    assert grade(submissions, lab_folder, tmp_path / "here") == 0
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
    ) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]

        def kill_a_worker():
            while not list((tmp_path / "there").glob("*/grade.json")):
                time.sleep(0.1)
            os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_a_worker)
        killer.start()
        options = ("--scheduler", cluster.scheduler_address)
        assert grade(submissions, lab_folder, tmp_path / "there", *options) == 0
        killer.join()
    assert without_times(tmp_path / "there") == without_times(tmp_path / "here")
    remove_left(temporary)
    assert not list(temporary.glob("harness-*"))


def test_a_scheduler_that_does_not_answer_is_a_usage_error(
    lab_folder, tmp_path, capsys, monkeypatch
):
    cluster = pytest.importorskip("harness.cluster")
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    submissions = cohort(tmp_path / "c", 1)
    options = ("--scheduler", "tcp://127.0.0.1:9")
    assert grade(submissions, lab_folder, tmp_path / "out", *options) == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_a_lab_that_keeps_something_elsewhere_does_not_travel(lab_folder, tmp_path):
    cluster = pytest.importorskip("harness.cluster")
    lab = open_lab(lab_folder / "lab.yaml")
    packed = cluster.pack_lab(lab)
    assert packed == cluster.pack_lab(lab)
    cluster.unpack_lab(packed, tmp_path / "there")
    assert open_lab(tmp_path / "there" / "lab.yaml").digest() == lab.digest()
    elsewhere = dataclasses.replace(lab, golden=tmp_path)
    with pytest.raises(UsageError, match="a lab that travels keeps all beside it"):
        cluster.pack_lab(elsewhere)


def test_a_worker_keeps_a_lab_to_itself_and_no_longer_than_it_is_needed(lab_folder, temporary):
    cluster = pytest.importorskip("harness.cluster")
    packed = cluster.pack_lab(open_lab(lab_folder / "lab.yaml"))
    plugin = cluster.LabPlugin("a", packed)
    plugin.setup(None)
    plugin.setup(None)  # of another worker of the same process
    [folder] = temporary.glob("harness-*")
    assert folder.stat().st_mode & 0o077 == 0
    assert open_lab(folder / "lab" / "lab.yaml").cases
    plugin.teardown(None)
    plugin.teardown(None)
    assert list(temporary.iterdir()) == []


def test_without_dask_the_option_says_what_to_install(lab_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "harness.cluster", None)
    submissions = cohort(tmp_path / "c", 1)
    assert grade(submissions, lab_folder, tmp_path / "out", "--scheduler", "tcp://x:1") == 2
    assert "pip install 'xai-grading-harness[cluster]'" in capsys.readouterr().err


def test_what_no_worker_survives_is_not_judged(lab_folder, tmp_path):
    class Dies(LocalEngine):
        def run(self, executor, task):
            return executor.submit(os._exit, 3)

    submissions = find_submissions(cohort(tmp_path / "c", 2))
    engine = Dies(Work(str(lab_folder / "lab.yaml"), False), 2)
    with Grader(open_lab(lab_folder / "lab.yaml"), sandbox=choose()) as grader:
        grades = grade_cohort(
            grader, submissions, Gradebook(tmp_path / "out"), engine, lambda done: None
        )
    assert [grade["outcome"] for grade in grades] == ["not_judged"] * 2
    assert "died, and did so again" in grades[0]["run"]["message"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_fault_of_ours_ends_one_submission_and_not_the_run(lab_folder, tmp_path, jobs):
    class Fails(LocalEngine):
        def task(self, submission, book):
            task = super().task(submission, book)
            # A file's name cannot have a null byte: a ValueError.
            return dataclasses.replace(task, outputs_file="\0") if task.name == "s1" else task

    submissions = find_submissions(cohort(tmp_path / "c", 3))
    engine = Fails(Work(str(lab_folder / "lab.yaml"), False), jobs)
    with Grader(open_lab(lab_folder / "lab.yaml"), sandbox=choose()) as grader:
        grades = grade_cohort(
            grader, submissions, Gradebook(tmp_path / "out"), engine, lambda done: None
        )
    assert [grade["outcome"] for grade in grades] == ["judged", "not_judged", "judged"]
    message = grades[1]["run"]["message"]
    assert re.fullmatch(
        r"the harness could not grade this, tried twice \(ValueError: .*; \w+\.py, line \d+\); "
        "please report it",
        message,
    )


def test_a_fault_of_the_lab_on_a_worker_stops_the_run(lab_folder, tmp_path):
    engine = LocalEngine(Work(str(tmp_path / "gone" / "lab.yaml"), False), 2)
    submissions = find_submissions(cohort(tmp_path / "c", 2))
    with (
        Grader(open_lab(lab_folder / "lab.yaml"), sandbox=choose()) as grader,
        pytest.raises(LabError),
    ):
        grade_cohort(grader, submissions, Gradebook(tmp_path / "o"), engine, lambda done: None)
