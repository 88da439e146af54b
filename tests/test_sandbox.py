"""Which walls are chosen, what is said of them, and what is refused without them."""

from __future__ import annotations

import dataclasses
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import cli
from harness.calls import Call
from harness.errors import MachineError, UsageError
from harness.execution import doctor, landlock, sandbox
from harness.execution.processes import ColdStarter
from harness.execution.runner import Runner
from harness.execution.sandbox import Sandbox, choose, choose_for_own_work
from harness.outputs import CaseOutput, CaseStatus
from harness.submission import Submission

ROOT = Path(__file__).parents[1]
GOOD = ROOT / "submissions" / "good-plain"


@pytest.fixture
def old_kernel(monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda: 0)


def test_without_landlock_nobodys_work_is_graded_and_ones_own_is(old_kernel):
    with pytest.raises(UsageError, match=r"has no Landlock .*harness doctor.*--unsandboxed"):
        choose()
    assert choose_for_own_work().inner is False
    assert str(Sandbox()) == "none"


def test_other_systems_and_machines_have_no_inner_wall(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert sandbox.inner_problem() == "no filter of system calls for riscv64"
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert sandbox.inner_problem() == "Darwin has neither Landlock nor seccomp"
    assert sandbox.template_user() is None


def test_grade_stops_without_an_inner_wall_and_says_what_to_do(old_kernel, capsys, tmp_path):
    submissions = tmp_path / "s"
    shutil.copytree(GOOD, submissions / "alice")
    options = ("--lab", str(ROOT / "fixtures"), "--out", str(tmp_path / "out"))
    assert cli.main(["grade", str(submissions), *options]) == 2
    assert "student code cannot be confined here" in capsys.readouterr().err


@pytest.mark.tensorflow
def test_unsandboxed_grades_say_so(old_kernel, capsys, tmp_path):
    (tmp_path / "submission.py").write_text("def top_predictions(model, image, k): return []\n")
    out = tmp_path / "out"
    options = ("--lab", str(ROOT / "fixtures"), "--out", str(out), "--unsandboxed")
    assert cli.main(["grade", str(tmp_path), *options]) == 0
    told = (out / tmp_path.name / "grade.json").read_text()
    assert '"sandbox": "none"' in told
    assert "graded without a sandbox" in told
    assert "graded without a sandbox" in (out / tmp_path.name / "report.html").read_text()
    assert cli.main(["check", str(tmp_path), *options[:-1]]) == 1
    assert "not sandboxed: Linux" in capsys.readouterr().out


def test_bubblewrap_is_used_where_it_is_there_and_works(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert sandbox.find_bubblewrap(None) is None
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken))
    assert sandbox.find_bubblewrap(None) is None
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / "gone"))
    assert sandbox.find_bubblewrap(None) is None


def test_the_outer_wall_shows_python_and_the_materials_and_lets_only_homes_be_changed(tmp_path):
    walls = Sandbox(inner=True, bubblewrap="/usr/bin/bwrap")
    made = walls.command(["python", "x"], [Path("/m"), Path("/h")], Path("/homes"))
    assert made[:2] == ["/usr/bin/bwrap", "--unshare-all"]
    assert made[-3:] == ["--", "python", "x"]
    text = " ".join(made)
    assert "--ro-bind /m /m --ro-bind /h /h --bind /homes /homes" in text
    assert text.count(" --bind ") == 1
    assert "--die-with-parent" in made
    assert Sandbox(inner=True).command(["python"], [], Path("/homes")) == ["python"]
    assert str(walls).startswith("bubblewrap, Landlock ")


def test_every_template_runs_as_another_user_when_we_are_root(tmp_path):
    walls = Sandbox(inner=True, user=59_999)
    assert walls.for_template(1).user == 59_000
    assert walls.for_template(0).identity() == {"user": 59_999, "group": 59_999, "extra_groups": []}
    assert Sandbox().for_template(3).identity() == {}


@pytest.mark.skipif(not sandbox.is_root(), reason="needs root, to give files away")
def test_folders_are_opened_to_the_user_of_the_templates(tmp_path):
    (tmp_path / "a").mkdir(mode=0o700)
    (tmp_path / "a" / "f").touch(mode=0o600)
    walls = Sandbox(inner=True, user=59_321)
    walls.open_to(tmp_path)
    assert (tmp_path / "a" / "f").stat().st_mode & 0o777 == 0o644
    walls.open_to(tmp_path / "a", write=True)
    assert (tmp_path / "a" / "f").stat().st_uid == 59_321
    Sandbox().open_to(tmp_path)


def test_a_temporary_folder_of_roots_own_is_not_taken(monkeypatch, tmp_path):
    own, everybodys = tmp_path / "own", tmp_path / "all"
    for folder in (own, everybodys):
        folder.mkdir(mode=0o700)
    monkeypatch.setattr("tempfile.tempdir", str(own))
    monkeypatch.setattr(sandbox, "_TEMPORARY", (everybodys,))
    assert Sandbox(user=None).temporary() == own
    with pytest.raises(UsageError, match=r"own cannot be entered by other users.*set TMPDIR"):
        Sandbox(user=59_000).temporary()
    # pytest closes the folders above to others: look at these alone.
    monkeypatch.setattr(Path, "parents", property(lambda path: ()))
    everybodys.chmod(0o711)
    assert Sandbox(user=59_000).temporary() == everybodys
    own.chmod(0o711)
    assert Sandbox(user=59_000).temporary() == own


def test_a_user_that_cannot_run_this_python_is_not_taken(monkeypatch):
    monkeypatch.setattr(sandbox, "is_root", lambda: True)
    monkeypatch.setattr(sandbox, "_runs", lambda command, user: False)
    assert sandbox.template_user() is None
    monkeypatch.setattr(sandbox, "_runs", lambda command, user: True)
    assert sandbox.template_user() == 59_000 + os.getpid() % 1000


def test_an_open_door_stops_grading():
    doctor.check({"read": "", "write": ""})
    with pytest.raises(UsageError, match=r"student code could read \(secret\); run"):
        doctor.check({"read": "secret", "write": ""})


@pytest.mark.parametrize(
    ("walls", "root", "installed", "names"),
    [
        (Sandbox(inner=True, bubblewrap="/bwrap", user=59_001), True, True, []),
        (Sandbox(inner=True, bubblewrap="/bwrap"), False, True, []),
        (Sandbox(inner=True), False, False, ["apt install bubblewrap"]),
        (Sandbox(inner=True), False, True, ["allow user namespaces"]),
        (Sandbox(inner=True, bubblewrap="/b"), True, True, ["install Python where other users"]),
    ],
)
def test_the_doctor_says_what_to_do(monkeypatch, walls, root, installed, names):
    monkeypatch.setattr(sandbox, "is_root", lambda: root)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/bwrap" if installed else None)
    found = doctor.findings(walls, {"read a file": ""})
    weak = [finding for finding in found if not finding.holds]
    assert len(weak) == len(names)
    assert all(finding.fix.startswith(name) for finding, name in zip(weak, names, strict=True))
    assert not any(finding.needed for finding in weak)
    opened = doctor.findings(walls, {"read a file": "secret"})[-1]
    assert (opened.holds, opened.found, opened.needed) == (False, "secret", True)


def test_the_doctor_of_an_old_kernel(old_kernel, capsys):
    assert cli.main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "FAIL inner wall  Linux" in printed
    assert "--unsandboxed" in printed


@pytest.mark.tensorflow
def test_the_doctor_of_this_host(capsys):
    assert cli.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "ok   inner wall" in printed
    assert printed.count("  held\n") >= 20
    assert "FAIL" not in printed


class FakeSession:
    """A child that answers the doctor's two questions so."""

    def __init__(self, computed, found, error=None):
        self.answers = [computed, found]
        self.error = error

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def ask(self, *arguments):
        if self.error:
            raise self.error


def value(value):
    return CaseOutput(CaseStatus.RETURNED, value)


@pytest.mark.parametrize(
    ("session", "said"),
    [
        (FakeSession(value(5.0), value({})), "TensorFlow does not compute within the sandbox: 5.0"),
        (FakeSession(value(6.0), value([])), "the probes failed"),
        (FakeSession(None, None, OSError("gone")), "the probes failed: OSError gone"),
    ],
)
def test_probes_that_fail_are_the_machines_fault(tmp_path, monkeypatch, session, said):
    monkeypatch.setattr(doctor, "ask", lambda s, call, seconds: s.answers.pop(0))
    with pytest.raises(MachineError, match=said):
        doctor.probe(lambda file: session, tmp_path)


def test_traces_of_the_probes_are_found_from_outside(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "ask", lambda s, call, seconds: s.answers.pop(0))
    session = FakeSession(value(6.0), value({"read": ""}))
    session.ask = lambda *arguments: (tmp_path / "left").touch()
    assert doctor.probe(lambda file: session, tmp_path) == {
        "read": "",
        "leave no trace": "a file of the harness has changed",
    }


def test_probes_are_run_once_more_and_then_nothing_is_graded(monkeypatch, tmp_path):
    tried = []

    def fails(self):
        tried.append(1)
        raise MachineError("no memory")

    monkeypatch.setattr(Runner, "probe", fails)
    (tmp_path / "submission.py").touch()
    with Runner(None, {}, sandbox=dataclasses.replace(choose(), bubblewrap=None)) as runner:
        outputs = runner.run(Submission("alice", tmp_path), [])
    assert (outputs.run.status.value, outputs.run.message) == ("not_run", "no memory")
    assert len(tried) == 2


def test_everything_can_be_imported_where_there_is_no_unix():
    """As on Windows: no fcntl, no resource, no C library under that name."""
    code = """
import ctypes, sys
import harness.cli, harness.grading  # for the libraries, which are not ours to try
for name in [name for name in sys.modules if name.split(".")[0] == "harness"]:
    del sys.modules[name]
for name in ("fcntl", "resource"):
    sys.modules[name] = None
real = ctypes.CDLL
def no_library(name, *rest, **more):
    if name is None:
        raise TypeError("bad argument type for built-in operation")
    return real(name, *rest, **more)
ctypes.CDLL = no_library
sys.platform = "win32"
from harness.execution import child, runner, sandbox
import harness.cli, harness.grading
assert sandbox.choose_for_own_work() == sandbox.Sandbox()
assert child.resource is None
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.tensorflow
def test_off_linux_ones_own_work_runs_in_plain_new_processes(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "darwin")
    (tmp_path / "submission.py").write_text(
        "import time\ndef nothing(): return 7\ndef slow(): time.sleep(60)\n"
    )
    calls = [Call(name, name, "", {}) for name in ("slow", "nothing")]
    contract = {"nothing": (), "slow": ()}
    with Runner(None, contract, sandbox=choose_for_own_work()) as runner:
        runner.limits = dataclasses.replace(runner.limits, case_seconds=2)
        assert isinstance(runner._starter, ColdStarter)
        outputs = runner.run(Submission("alice", tmp_path), calls)
    assert outputs.cases["nothing"].value == 7
    assert outputs.cases["slow"].status is CaseStatus.TIMED_OUT
