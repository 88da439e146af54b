"""Children forked from a warm template: as good as new ones, alone, and gone when they end."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from harness.calls import Call
from harness.errors import MachineError
from harness.execution.processes import ColdStarter, Forked, Template
from harness.execution.runner import Runner
from harness.execution.session import Session, clean_environment
from harness.lab import Limits, read_lab
from harness.outputs import CaseStatus
from harness.results import RunStatus
from harness.submission import Submission
from harness.techniques import CONTRACT

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[1]
TOP = Call(
    "top_predictions/a",
    "top_predictions",
    "digits",
    {"image": np.zeros((28, 28, 1), "uint8"), "k": 1},
)
OTHER = dataclasses.replace(TOP, key="top_predictions/b")


@pytest.fixture(scope="module")
def lab():
    lab = read_lab(ROOT / "fixtures" / "lab.yaml")
    return dataclasses.replace(lab, limits=Limits(10, 60, 8192, 1))


@pytest.fixture(scope="module")
def runner(lab):
    with Runner(lab, CONTRACT) as runner:
        yield runner


@pytest.fixture
def run(runner, tmp_path):
    """Run the text of a submission and return the value of its first case."""

    numbers = itertools.count()

    def run(text, *calls):
        folder = tmp_path / f"s{next(numbers)}"
        folder.mkdir()
        (folder / "submission.py").write_text(text, "utf-8")
        return runner.run(Submission(folder.name, folder), calls or [TOP])

    return run


def value(outputs):
    output = outputs.cases[TOP.key]
    assert output.status is CaseStatus.RETURNED, output
    return output.value


def test_a_child_has_its_own_home_and_nothing_of_the_templates(run, runner):
    found = value(
        run("""
import os, sys, tempfile, threading, keras
def top_predictions(model, image, k):
    links = {n: os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
             if os.path.exists(f"/proc/self/fd/{n}")}
    return [os.environ["HOME"], tempfile.gettempdir(), os.getcwd(),
            keras.src.backend.config.keras_home(), threading.active_count(),
            sorted(int(n) for n in links), sys.argv, os.getsid(0) == os.getpid()]
""")
    )
    home, temporary, folder, keras_home, threads, descriptors, arguments, leads = found
    assert home == temporary == folder
    assert keras_home == os.path.join(home, ".keras")
    assert Path(home).name.startswith("run-")
    assert threads == 1
    assert set(descriptors) <= {0, 1, 2, 3, 4}
    assert arguments == [""]
    assert leads


def test_one_submission_leaves_nothing_in_the_next(run):
    first = run("""
import sys, numpy, keras, builtins, os
numpy.load = keras.Model = None
builtins.marker = sys.modules["left_behind"] = "MARKER-OF-THE-FIRST"
os.environ["LEFT"] = "behind"
def top_predictions(model, image, k):
    return "done"
""")
    assert value(first) == "done"
    found = value(
        run("""
import builtins, gc, keras, numpy, os, sys
def top_predictions(model, image, k):
    text = "MARKER-OF-" + "THE-FIRST"
    held = any(isinstance(o, dict) and text in map(str, o.values()) for o in gc.get_objects()
               if o is not globals() and o is not locals())
    return [hasattr(builtins, "marker"), "left_behind" in sys.modules, "LEFT" in os.environ,
            numpy.load is None, keras.Model is None, held]
""")
    )
    assert found == [False] * 6


def test_tensorflow_runs_in_every_child(run):
    text = """
import tensorflow as tf
def top_predictions(model, image, k):
    with tf.GradientTape() as tape:
        x = tf.Variable(3.0)
        y = x * x
    model(tf.zeros((1, 28, 28, 1)))
    return float(tape.gradient(y, x))
"""
    assert [value(run(text)) for _ in range(5)] == [6.0] * 5


def test_how_a_child_ended_is_known(run):
    killed = run("import os, signal\ndef top_predictions(*a): os.kill(os.getpid(), signal.SIGSEGV)")
    assert "SIGSEGV" in killed.cases[TOP.key].message
    left = run("import os\ndef top_predictions(*a): os._exit(7)")
    assert "exit status 7" in left.cases[TOP.key].message


def test_many_submissions_leave_no_process_descriptor_or_file(run, runner):
    text = "def top_predictions(model, image, k): return 1"
    assert value(run(text)) == 1

    def held():
        template = runner._starter._running._process.pid
        children = Path(f"/proc/{template}/task/{template}/children").read_text().split()
        files = [path.name for path in runner._folder.iterdir() if path.name.startswith("run-")]
        of_template = len(os.listdir(f"/proc/{template}/fd"))
        return len(os.listdir("/proc/self/fd")), of_template, children, files

    before = held()
    threads = [threading.Thread(target=lambda: value(run(text))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(8):
        assert value(run(text)) == 1
    assert held() == before
    assert runner._starter._running._children == {}


def test_a_template_that_dies_costs_nobody_anything(run, runner):
    # Kills the template, and itself with it, the first time only.
    outputs = run(
        f"""
import os, pathlib, signal, time
def top_predictions(model, image, k):
    mark = pathlib.Path({str(runner._folder / "killed-once")!r})
    if not mark.exists():
        mark.touch()
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    return "second time"
""",
        TOP,
        OTHER,
    )
    assert outputs.run.status is RunStatus.COMPLETED
    assert [outputs.cases[call.key].value for call in (TOP, OTHER)] == ["second time"] * 2


def test_a_template_that_dies_again_and_again_is_not_judged(run):
    outputs = run(
        """
import os, signal, time
def top_predictions(model, image, k):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
"""
    )
    assert outputs.run.status is RunStatus.NOT_RUN
    assert outputs.cases[TOP.key].status is CaseStatus.NOT_RUN
    assert "the template that children are forked from died" in outputs.run.message


def test_the_oracle_comes_back_when_its_child_is_gone(runner):
    images = np.zeros((1, 28, 28, 1), "uint8")
    first = runner.oracle.probabilities("digits", images)
    os.kill(runner.oracle._session._process.pid, signal.SIGKILL)
    np.testing.assert_array_equal(runner.oracle.probabilities("digits", images), first)


def test_nothing_is_left_when_the_runner_is_killed(tmp_path):
    script = f"""
import os, time, signal, threading, pathlib
import numpy as np
from harness.calls import Call
from harness.execution.runner import Runner
from harness.lab import read_lab
from harness.submission import Submission
lab = read_lab(pathlib.Path({str(ROOT / "fixtures" / "lab.yaml")!r}))
folder = pathlib.Path({str(tmp_path)!r})
(folder / "submission.py").write_text('''
import os, pathlib, time
pathlib.Path({str(tmp_path / "child.pid")!r}).write_text(str(os.getpid()))
while True: time.sleep(1)
''')
call = Call("t/a", "top_predictions", "digits", {{"image": np.zeros((28, 28, 1), "uint8")}})
runner = Runner(lab, {{"top_predictions": ("model", "image")}})
threading.Thread(target=lambda: runner.run(Submission("a", folder), [call]), daemon=True).start()
while not (folder / "child.pid").exists() or runner._starter._running is None:
    time.sleep(0.05)
print(runner._starter._running._process.pid, (folder / "child.pid").read_text(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    killed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    pids = [int(text) for text in killed.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, pids))


def alive(pid):
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def test_where_forking_is_not_safe_children_start_cold(tmp_path, runner):
    (tmp_path / "submission.py").write_text("def top_predictions(*a): return 1")
    home = tmp_path / "home"
    home.mkdir()
    setup = {
        "folder": str(tmp_path),
        "files": ["submission.py"],
        "models": {},
        "contract": {"top_predictions": ["model"]},
        "memory_mb": 0,
        "output_mb": 1,
        "threads": 1,
        "keep_models": False,
    }
    with Session(setup, home, ColdStarter(clean_environment(runner._materials))) as session:
        found = session.ask({"ask": "load"}, [], 60).header
    assert found["found"] == ["top_predictions"]


def test_a_template_that_does_not_start_says_what_it_printed(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho no room for modules\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    template = Template(clean_environment(tmp_path), tmp_path / "template")
    with pytest.raises(MachineError, match=r"did not start; it printed:\nno room for modules"):
        template.start(tmp_path, (0, 1, 2))


def test_a_template_with_threads_is_not_forked_and_children_start_cold(tmp_path, monkeypatch):
    # Stands for the template, which says that it has three threads, and then for the cold child.
    program = tmp_path / "python"
    code = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); "
    code += 's.send(b\'{\\"ready\\": true, \\"threads\\": 3}\'); s.recv(1)'
    program.write_text(
        f'#!/bin/sh\ncase $3 in *template) exec {sys.executable} -c "{code}" $4;; esac\nexit 5\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    template = Template(clean_environment(tmp_path), tmp_path / "template")
    for _ in range(2):
        child = template.start(tmp_path, (0, 1, 2))
        assert isinstance(child, subprocess.Popen)
        assert child.wait(timeout=30) == 5
    template.close()


def test_waiting_for_a_forked_child_has_a_limit():
    child = Forked(1)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=0.01)
    child.end(3)
    assert child.wait() == 3
