"""Long runs that look for what only long runs show: `tox -e soak`.

Submissions one after the other and several at once, and processes killed at random moments: nothing
may grow, no process may be left, and every submission ends judged or `not_run`, never wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from harness.calls import Call
from harness.execution.runner import Runner
from harness.results import RunStatus
from harness.submission import Submission

CALL = Call("nothing", "nothing", "", {})
CONTRACT = {"nothing": ()}
TEXT = "import time\ndef nothing():\n    time.sleep({seconds})\n    return 7\n"


def descendants(pid: int) -> list[int]:
    """Process ids of everything below a process."""
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, tasks.read_text().split()):
                found += [child, *descendants(child)]
    return found


def alive(pid: int) -> bool:
    """Whether it runs, and is not only waited for."""
    with suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def resident_mb(pid: int) -> float:
    """Memory of its own, in MB; 0 for one that is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def held(runner: Runner) -> dict[str, float]:
    """What must not grow."""
    below = descendants(os.getpid())
    return {
        "processes": len(below),
        "descriptors": sum(len(os.listdir(f"/proc/{p}/fd")) for p in (os.getpid(), *below)),
        "threads": threading.active_count(),
        "files": sum(1 for _ in runner.folder.rglob("*")),
        "entries of TMPDIR": len(os.listdir(tempfile.gettempdir())),
        "resident MB": round(sum(map(resident_mb, (os.getpid(), *below)))),
    }


def growth(count: int) -> None:
    """So many submissions in a row, and four at a time."""
    with Runner(None, CONTRACT) as runner, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "submission.py").write_text(TEXT.format(seconds=0))
        submission = Submission("a", Path(folder))
        for name, jobs in (("in a row", 1), ("four at a time", 4)):
            with ThreadPoolExecutor(jobs) as pool:
                run = lambda _: runner.run(submission, [CALL]).cases["nothing"].value  # noqa: E731
                assert set(pool.map(run, range(4 * jobs))) == {7}
                before = held(runner)
                assert set(pool.map(run, range(count))) == {7}
                after = held(runner)
            print(f"{count} submissions {name}:")
            for what, value in before.items():
                print(f"  {what}: {value} → {after[what]}")
            assert all(after[w] <= before[w] for w in before if w != "resident MB"), after
            assert after["resident MB"] <= before["resident MB"] + 30


def kills(count: int, seed: int) -> None:
    """Templates, children and bubblewraps killed at random moments while submissions run."""
    rng = random.Random(seed)
    statuses: dict[str, int] = {}
    with Runner(None, CONTRACT) as runner, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "submission.py").write_text(TEXT.format(seconds=0.5))
        submission = Submission("a", Path(folder))
        runner.run(submission, [CALL])
        for _ in range(count):
            delay, choice = rng.uniform(0, 0.6), rng.random()

            def kill(delay: float = delay, choice: float = choice) -> None:
                time.sleep(delay)
                if victims := descendants(os.getpid()):
                    with suppress(OSError):
                        os.kill(victims[int(choice * len(victims))], signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            outputs = runner.run(submission, [CALL])
            killer.join()
            status = outputs.run.status
            assert status in (RunStatus.COMPLETED, RunStatus.NOT_RUN), outputs
            assert status is RunStatus.NOT_RUN or outputs.cases["nothing"].value == 7, outputs
            statuses[status.value] = statuses.get(status.value, 0) + 1
        assert not list((runner.folder / "homes").iterdir())
    time.sleep(0.5)
    assert descendants(os.getpid()) == []
    print(f"{count} times SIGKILL of a process below the grader: {statuses}, 0 processes left")


def grader_kills(count: int, seed: int) -> None:
    """The grader itself killed at random moments, and started again where it stopped."""
    rng = random.Random(seed)
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        cohort, out = Path(folder) / "cohort", Path(folder) / "out"
        for number in range(6):
            (cohort / f"s{number}").mkdir(parents=True)
            (cohort / f"s{number}" / "submission.py").write_text(
                "import time\ndef top_predictions(model, image, k):\n    time.sleep(0.1)\n"
            )
        command = [sys.executable, "-m", "harness", "grade", str(cohort), "--out", str(out)]
        command += ["--lab", str(root / "fixtures")]
        seen: list[int] = []
        for _ in range(count):
            grader = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            time.sleep(rng.uniform(1, 9))
            seen += [grader.pid, *descendants(grader.pid)]
            grader.kill()
            grader.wait()
        last = subprocess.run(command, capture_output=True, text=True, check=True)
        time.sleep(1)
        assert not [pid for pid in seen if alive(pid)]
        kept = last.stdout.count("(unchanged)")
        print(f"{count} times SIGKILL of the grader: 0 processes left, {kept} of 6 grades kept")
        assert len(list(out.glob("s*/grade.json"))) == 6


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--grader-kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    growth(options.submissions)
    kills(options.kills, options.seed)
    grader_kills(options.grader_kills, options.seed)


if __name__ == "__main__":
    main()
