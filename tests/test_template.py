"""Children forked from a warm template: as good as new ones, alone, and gone when they end."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from harness.calls import Call
from harness.errors import MachineError
from harness.execution.forking import Forked
from harness.execution.processes import Cold, ColdStarter
from harness.execution.runner import Runner
from harness.execution.sandbox import Sandbox
from harness.execution.session import Session, clean_environment
from harness.execution.templates import Templates
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


def templates(runner):
    return [template._process.pid for template in runner._starter._templates]


def test_many_submissions_leave_no_process_descriptor_or_file(run, runner):
    text = "def top_predictions(model, image, k): return 1"

    def four_at_once():
        threads = [threading.Thread(target=lambda: value(run(text))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def held():
        below = [pid for template in templates(runner) for pid in descendants(template)]
        descriptors = [len(os.listdir(f"/proc/{pid}/fd")) for pid in (os.getpid(), *below)]
        return sorted(below), descriptors, os.listdir(runner._homes), threading.active_count()

    four_at_once()  # starts as many templates
    before = held()
    assert len(templates(runner)) == 4
    four_at_once()
    for _ in range(8):
        assert value(run(text)) == 1
    assert held() == before


def descendants(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in descendants(int(child)))]


def test_a_template_that_dies_costs_nobody_anything(run, runner):
    def kill_once():
        while not list(runner._homes.glob("*/started")):
            time.sleep(0.02)
        for pid in templates(runner):
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_once)
    killer.start()
    outputs = run(
        """
import pathlib, time
def top_predictions(model, image, k):
    pathlib.Path.home().joinpath("started").touch()
    time.sleep(2)
    return "second time"
""",
        TOP,
        OTHER,
    )
    killer.join()
    assert outputs.run.status is RunStatus.COMPLETED
    assert [outputs.cases[call.key].value for call in (TOP, OTHER)] == ["second time"] * 2


def test_a_template_that_dies_again_and_again_is_not_judged(run, runner):
    done = threading.Event()

    def kill():
        while not done.wait(0.02):
            if list(runner._homes.glob("*/started")):
                for pid in templates(runner):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outputs = run("""
import pathlib, time
def top_predictions(model, image, k):
    pathlib.Path.home().joinpath("started").touch()
    time.sleep(8)
""")
    done.set()
    killer.join()
    assert outputs.run.status is RunStatus.NOT_RUN
    assert outputs.cases[TOP.key].status is CaseStatus.NOT_RUN
    assert "the template that children are forked from died" in outputs.run.message


def test_the_oracle_comes_back_when_its_child_is_gone(runner):
    images = np.zeros((1, 28, 28, 1), "uint8")
    first = runner.oracle.probabilities("digits", images)
    runner.oracle._session._process.kill()
    np.testing.assert_array_equal(runner.oracle.probabilities("digits", images), first)


@pytest.fixture
def open_folder():
    """A folder that every user can pass through; pytest's are for root alone."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield folder


def test_nothing_is_left_when_the_runner_is_killed(tmp_path, open_folder):
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
import pathlib, time
pathlib.Path.home().joinpath("started").touch()
while True: time.sleep(1)
''')
call = Call("t/a", "top_predictions", "digits", {{"image": np.zeros((28, 28, 1), "uint8")}})
runner = Runner(lab, {{"top_predictions": ("model", "image")}})
def run():
    print("ended before its time:", runner.run(Submission("a", folder), [call]), flush=True)
    os._exit(1)
threading.Thread(target=run, daemon=True).start()
while not list(runner._homes.glob("*/started")):
    time.sleep(0.05)
def descendants(pid):
    children = pathlib.Path(f"/proc/{{pid}}/task/{{pid}}/children").read_text().split()
    return [pid, *(below for child in children for below in descendants(int(child)))]
print(*descendants(runner._starter._templates[0]._process.pid), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "TMPDIR": open_folder}
    killed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    pids = [int(text) for text in killed.stdout.split()]
    assert len(pids) >= 2
    deadline = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, pids))


def alive(pid):
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def test_children_that_start_cold_are_confined_too(tmp_path, runner):
    home = tmp_path / "home"
    home.mkdir()
    (home / "submission.py").write_text(
        "import os\nopen('written', 'wb').write(bytes(100_000))\n"
        "def top_predictions(*a): return 1\nprint(open('/etc/passwd').read())"
    )
    setup = {
        "folder": str(home),
        "files": ["submission.py"],
        "models": {},
        "contract": {"top_predictions": ["model"]},
        "limits": None,
        "output_mb": 1,
        "disk_mb": 1,
        "disk_files": 100,
        "threads": 1,
        "trusted": False,
    }
    materials = runner._staged.folders[:1]
    starter = ColdStarter(clean_environment(materials[0]), confined=True)
    with Session(setup, home, starter, reads=materials) as session:
        found = session.ask({"ask": "load"}, [], 60).header
        written = session._process.written()
    assert session._process.written() == 0  # it has ended
    assert written >= 100_000  # and what the system notes of files that were read
    assert found["found"] == ["top_predictions"]
    assert "PermissionError" in found["failures"][0]["message"]


def start_templates(tmp_path):
    folders = [tmp_path / name for name in ("materials", "homes")]
    for folder in folders:
        folder.mkdir()
    environment = clean_environment(tmp_path)
    return Templates(environment, tmp_path / "templates", Sandbox(), folders[:1], folders[1])


@pytest.mark.tensorflow
def test_a_template_that_was_started_ahead_serves_the_first_child(tmp_path):
    starter = start_templates(tmp_path)
    starter.warm()
    home = tmp_path / "homes" / "one"
    home.mkdir()
    child = starter.start(home)
    assert len(list((tmp_path / "templates").iterdir())) == 1
    child.kill()
    for stream in (child.requests, child.replies, child.printed):
        stream.close()
    starter.close()


def test_a_template_that_is_closed_before_it_is_ready_leaves_nothing(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    starter = start_templates(tmp_path)
    starter.warm()
    deadline = time.monotonic() + 60
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    starter.close()
    assert not starter._warming.is_alive()
    assert not alive(int((tmp_path / "pid").read_text()))
    with pytest.raises(MachineError, match="the templates are closed"):
        starter.start(tmp_path)


def test_templates_are_closed_at_any_moment_of_their_start(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/pid-$$\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        starter = start_templates(folder)
        starter.warm()
        time.sleep(number / 2000)
        starter.close()
        assert not starter._warming.is_alive()
    assert not [path for path in tmp_path.glob("pid-*") if alive(int(path.name[4:]))]


def test_a_template_that_does_not_start_says_what_it_printed(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho no room for modules\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    starter = start_templates(tmp_path)
    said = r"did not start \(it ended\); it printed:\nno room for modules"
    for _ in range(2):
        with pytest.raises(MachineError, match=said):
            starter.start(tmp_path)
    starter.close()


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
    starter = start_templates(tmp_path)
    for _ in range(2):
        child = starter.start(tmp_path)
        assert isinstance(child, Cold)
        assert child.wait(timeout=30) == 5
        child.kill()
        for stream in (child.requests, child.replies, child.printed):
            stream.close()
    starter.close()


def test_waiting_for_a_forked_child_has_a_limit():
    child = Forked(None, 1, (), (None, None, None), trusted=False)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=0.01)
    child.end(3, 0.5)
    assert (child.wait(), child.cpu_seconds) == (3, 0.5)
    child.kill()  # nothing is left to be killed


NOTHING = Call("nothing", "nothing", "", {})


@pytest.fixture
def small(tmp_path):
    """A runner of its own, and a submission that returns its process's parent."""
    (tmp_path / "submission.py").write_text("def nothing(): return 7\n")
    with Runner(None, {"nothing": ()}) as runner:
        yield runner, Submission("alice", tmp_path)


def test_a_template_is_replaced_when_it_has_served_long(small, monkeypatch):
    runner, submission = small
    monkeypatch.setattr("harness.execution.forking.MAX_CHILDREN", 3)
    used = set()
    for _ in range(5):
        assert runner.run(submission, [NOTHING]).cases["nothing"].value == 7
        used.update(templates(runner))
    assert len(used) == 2  # the probes were a child, too
    assert not alive(min(used)) or not alive(max(used))


def test_a_template_whose_child_outlives_its_kill_goes_with_it(small, monkeypatch):
    runner, submission = small
    monkeypatch.setattr("harness.execution.forking.KILL_SECONDS", 0.5)
    assert runner.run(submission, [NOTHING]).cases["nothing"].value == 7
    [before] = templates(runner)
    home = runner._new_home()
    child = runner._starter.start(home)
    stopped = descendants(before)[-2:]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    child.kill()
    for stream in (child.requests, child.replies, child.printed):
        stream.close()
    assert not alive(before)
    os.rmdir(home)
    assert runner.run(submission, [NOTHING]).cases["nothing"].value == 7
    assert templates(runner) != [before]


def test_processor_time_and_disk_have_verdicts_of_their_own(tmp_path):
    (tmp_path / "submission.py").write_text("""
import time
def first(): return 1
def disk():
    for n in range(100):
        open(f"f{n}", "wb").write(bytes(2**20))
        time.sleep(0.05)
def hides():
    import os
    held = []
    for n in range(100):
        held.append(os.open(".", os.O_RDWR | os.O_TMPFILE))
        os.write(held[-1], bytes(2**20))
        time.sleep(0.05)
def burns():
    while True: pass
def after(): return 2
""")
    names = ("first", "disk", "hides", "burns", "after")
    limits = Limits(case_seconds=20, submission_seconds=60, cpu_seconds=2, disk_mb=4)
    with Runner(None, dict.fromkeys(names, ())) as runner:
        runner.limits = limits
        calls = [Call(name, name, "", {}) for name in names]
        outputs = runner.run(Submission("alice", tmp_path), calls)
    told = {name: (case.status.value, case.message) for name, case in outputs.cases.items()}
    assert told["first"] == ("returned", "")
    assert told["disk"] == ("over_limit", "disk wrote more than 4 MB to disk")
    hidden = "hides wrote more than 16 MB to disk, removed files included"
    assert told["hides"] == ("over_limit", hidden)
    assert told["burns"] == ("over_limit", "used more than 2 s of processor time in all")
    assert told["after"] == told["burns"]
    assert outputs.run.status is RunStatus.OVER_LIMIT


def test_what_is_killed_from_outside_is_tried_again_and_never_the_students_fault(small):
    runner, submission = small
    (submission.path / "submission.py").write_text(
        "import pathlib, time\ndef nothing():\n    pathlib.Path('started').touch()\n"
        "    time.sleep(1)\n    return 7\n"
    )

    def kill(times):
        for _ in range(times):
            while not list(runner._homes.glob("*/started")):
                time.sleep(0.02)
            [template] = templates(runner)
            os.kill(descendants(template)[-1], signal.SIGKILL)
            while list(runner._homes.glob("*/started")):
                time.sleep(0.02)

    for times, status in ((1, RunStatus.COMPLETED), (2, RunStatus.NOT_RUN)):
        killer = threading.Thread(target=kill, args=(times,))
        killer.start()
        outputs = runner.run(submission, [NOTHING])
        killer.join()
        assert outputs.run.status is status
    assert "killed from outside" in outputs.run.message


def test_a_forged_fault_of_the_machine_is_refused(run):
    outputs = run("""
from harness.execution import child
def top_predictions(model, image, k):
    raise RuntimeError
def forge(self, request):
    answer = {"reply": "not_run", "message": "no", "traceback": "", "seconds": 0}
    return child.pack(answer, [])
child.Child.call = forge
""")
    assert outputs.cases[TOP.key].status is CaseStatus.REFUSED
    assert "said that model 'digits' cannot be loaded; it can" in outputs.cases[TOP.key].message


def test_more_output_than_allowed_in_all_is_over_the_limit(run, runner):
    text = "import numpy as np\ndef top_predictions(*a): return np.zeros(700_000, 'uint8')\n"
    runner.limits = dataclasses.replace(runner.limits, total_output_mb=1)
    outputs = run(text, TOP, OTHER)
    assert outputs.cases[TOP.key].status is CaseStatus.RETURNED
    assert outputs.cases[OTHER.key].status is CaseStatus.OVER_LIMIT
    assert "more than 1 MB over all cases" in outputs.cases[OTHER.key].message
