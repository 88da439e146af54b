"""What a cohort costs: `python tests/benchmarks/cohort.py [NAME …]` (part of `tox -e bench`).

Names: check, rejudge, scale, cluster, against, overhead, pages; all of them by default.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import table
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
JOBS = os.cpu_count() or 1
COUNT = 8  # submissions on a cluster


def harness(*arguments: object) -> tuple[float, float, str]:
    """Seconds, peak memory of the command itself in MB, and output of one command."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, sys.executable, "-m", "harness", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return seconds, int(done.stderr.split()[-1]) / 1024, done.stdout


# Run by a small process: a child's peak begins with what its parent held when it was started.
_MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def own_seconds(out: Path) -> float:
    """What the students' own functions took, over a whole gradebook."""
    from harness.gradebook import Gradebook

    book = Gradebook(out)
    stored = (book.outputs(path.parent.name) for path in out.glob("*/grade.json"))
    return sum(case.seconds for outputs in stored if outputs for case in outputs.cases.values())


def copies(source: Path, folder: Path, count: int) -> Path:
    """The same submission under many names, each with a line of its own."""
    for number in range(count):
        copy = folder / f"student{number:05}"
        shutil.copytree(source, copy)
        with (copy / "submission.py").open("a") as file:
            file.write(f"\n# {number}\n")
    return folder


def overhead(folder: Path) -> dict[str, Any]:
    """Wall time of grading, over the students' own computing shared out to the jobs."""
    times = int(os.environ.get("BENCH_TIMES", "1"))
    for number in range(times):
        for path in sorted((ROOT / "submissions").iterdir()):
            if path.is_dir():
                shutil.copytree(path, folder / "cohort" / f"{path.name}-{number}")
    seconds, _, _ = harness(
        "grade", folder / "cohort", "--lab", "fixtures", "--out", folder / "out", "--jobs", JOBS
    )
    own = own_seconds(folder / "out")
    count = len(list((folder / "cohort").iterdir()))
    name = f"grading {count} submissions / their own computing over {JOBS} jobs"
    return {name: seconds / (own / JOBS), f"grading {count} submissions": seconds}


def check(folder: Path) -> dict[str, Any]:
    """A self-check, over importing TensorFlow and the submission's own computing."""
    good = ROOT / "submissions" / "good-plain"
    seconds, _, _ = harness("check", good, "--out", folder / "out")
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tensorflow, keras"], check=True)
    imported = time.perf_counter() - started
    own = own_seconds(folder / "out")
    return {
        "harness check": seconds,
        "harness check / (import tensorflow, keras + own computing)": seconds / (imported + own),
    }


def rejudge(folder: Path, count: int = 300) -> dict[str, Any]:
    """A changed threshold applied to stored submissions."""
    from harness.gradebook import Gradebook
    from harness.grading import Grader, open_lab
    from harness.outputs import Outputs
    from harness.remembered import Remembered, digest
    from harness.submission import find_submissions

    lab = folder / "lab"
    shutil.copytree(ROOT / "fixtures", lab)
    data = yaml.safe_load((lab / "lab.yaml").read_text())
    data["reference"] = str(ROOT / "reference")
    (lab / "lab.yaml").write_text(yaml.safe_dump(data))
    cohort = copies(ROOT / "submissions" / "good-plain", folder / "cohort", count)
    first = next(iter(sorted(cohort.iterdir())))
    harness("grade", first, "--lab", lab, "--out", folder / "out", "--jobs", 1)
    book = Gradebook(folder / "out")
    kept, grade = book.outputs(first.name), book.read(first.name)
    with Grader(open_lab(lab / "lab.yaml")) as grader:
        golden = grader.golden.digest
        told = Remembered.from_bytes(
            book.remembered(first.name), digest(kept.digests, golden, "en")
        )
        for submission in find_submissions(cohort):
            digests = grader.digests(submission)
            wanted = grader._digests.of(digests["submission"])
            outputs = Outputs(submission.name, kept.run, kept.cases, wanted)
            mine = Remembered(digest(wanted, golden, "en"), told.values, told.figures)
            book.save(
                {**grade, "submission": submission.name, "digests": digests}, b"x",
                outputs=outputs.to_bytes(), remembered=mine.to_bytes(),
            )  # fmt: skip
    for one in data["checks"]:
        if one["id"] == "top-5":
            one["points"] = 5
    (lab / "lab.yaml").write_text(yaml.safe_dump(data))
    seconds, _, printed = harness("grade", cohort, "--lab", lab, "--out", folder / "out")
    assert "student code was run for 0" in printed, printed[-2000:]
    assert f"{count} of {count} changed" in printed, printed[-2000:]
    return {f"judging {count} stored submissions again": seconds}


def scale(folder: Path) -> dict[str, Any]:
    """Index, CSV and what is kept, on results of one real submission under many names."""
    from harness.gradebook import Gradebook
    from harness.grading import Grader, open_lab
    from harness.similarity import Likeness
    from harness.submission import find_submissions

    quick = folder / "one"
    shutil.copytree(ROOT / "submissions" / "fault-no-relu", quick / "student")
    harness("grade", quick, "--lab", "fixtures", "--out", folder / "first", "--jobs", 1)
    grade = Gradebook(folder / "first").read("student")
    results = {}
    rng = np.random.default_rng(0)
    with Grader(open_lab(ROOT / "fixtures" / "lab.yaml")) as grader:
        for count in (10, 100, 1000, 10_000):
            cohort, out = folder / f"c{count}", folder / f"o{count}"
            copies(quick / "student", cohort, count)
            book = Gradebook(out)
            for submission in find_submissions(cohort):
                made = {**grade, "submission": submission.name}
                made["digests"] = grader.digests(submission)
                # As much code in common as strangers have: each fingerprint with three others.
                code = np.unique(rng.integers(0, 100 * count, 400)).astype("uint32")
                made["likeness"] = Likeness(code, {}).to_json()
                book.save(made, b"x", outputs=b"", remembered=b"")
            seconds, memory, printed = harness("grade", cohort, "--lab", "fixtures", "--out", out)
            assert f"{count} of {count} unchanged" in printed
            results[f"{count} kept results: index, CSV"] = seconds
            results[f"{count} kept results: peak MB"] = round(memory)
    return results


def against(folder: Path) -> dict[str, Any]:
    """Ten quick submissions, against what people use; and each further one of a larger cohort."""
    from against import Others, quick_lab

    lab = quick_lab(folder, JOBS)
    # It calls models where others call `predict`, so its own computing is small.
    quick = ROOT / "submissions" / "good-compact"
    cohorts = {n: copies(quick, folder / f"c{n}", n) for n in (10, 30)}
    ours = {
        n: harness("grade", cohort, "--lab", lab, "--out", folder / f"o{n}", "--jobs", JOBS)[0]
        for n, cohort in cohorts.items()
    }
    own = own_seconds(folder / "o10") / JOBS
    further = (ours[30] - ours[10]) / 20
    results = {
        "ten quick submissions": ours[10],
        "ten quick submissions / their own computing": ours[10] / own,
        "each further one": further,
    }
    others = Others(lab, cohorts[10], folder, JOBS)
    for name, run in (
        ("a pytest process per student", others.pytest),
        ("nbgrader autograde", others.nbgrader),
        ("otter run", others.otter),
    ):
        seconds = run()
        results[f"{name} / ours, ten submissions"] = seconds / ours[10]
        results[f"{name} / ours, each further one"] = seconds / 10 / further
    return results


def cluster(folder: Path) -> dict[str, Any]:
    """The same submissions on 1, 2 and 4 workers of this machine, and on hosts of a network."""
    import hosts
    from distributed import LocalCluster

    source = folder / "source"
    source.mkdir()
    text = (ROOT / "submissions" / "good-plain" / "submission.py").read_text()
    (source / "submission.py").write_text(text.replace("def maximize_activation", "def _not"))
    cohort = copies(source, folder / "cohort", COUNT)
    taken: dict[str, float] = {}

    def grade(address: str, name: str) -> None:
        out = folder / name
        taken[name], _, printed = harness(
            "grade", cohort, "--lab", "fixtures", "--out", out, "--scheduler", address
        )
        judged = [json.loads(path.read_text())["outcome"] for path in out.glob("*/grade.json")]
        assert judged == ["judged"] * COUNT, printed[-2000:]

    for workers, name in ((1, "1 worker"), (2, "2 workers"), (4, "4 workers")):
        with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as made:
            grade(made.scheduler_address, name)
    faster = [("1 worker", "2 workers"), ("1 worker", "4 workers")]
    if hosts.possible():
        for count, name in ((1, "1 host"), (2, "2 hosts")):
            with hosts.cluster(count, folder) as (address, _):
                grade(address, name)
        name = "2 hosts, one killed at half"
        with (
            hosts.cluster(2, folder) as (address, (first, _)),
            hosts.at_half(folder / name, COUNT, lambda: hosts.kill(first)),
        ):
            grade(address, name)
        faster += [("1 host", "2 hosts"), (name, "2 hosts")]
    ratios = {f"{one} / {other}": taken[one] / taken[other] for one, other in faster}
    return {f"{COUNT} submissions on {name}": seconds for name, seconds in taken.items()} | ratios


def pages(folder: Path) -> dict[str, Any]:
    """A report from what is stored, and a board of 10,000 rows in a browser."""
    from playwright.sync_api import sync_playwright

    from harness import golden
    from harness.gradebook import Gradebook, summary
    from harness.grading import open_lab
    from harness.report import draw, report_html, write_index

    one = folder / "one"
    shutil.copytree(ROOT / "submissions" / "fault-no-relu", one / "student")
    harness("grade", one, "--lab", "fixtures", "--out", folder / "out", "--jobs", 1)
    book, lab = Gradebook(folder / "out"), open_lab(ROOT / "fixtures" / "lab.yaml")
    grade, outputs, expected = book.read("student"), book.outputs("student"), golden.load(lab)
    known = json.loads(book.remembered("student"))["values"]
    taken = []
    for _ in range(21):
        started = time.perf_counter()
        html = report_html(grade, outputs, lab, draw(lab, expected, outputs, known))
        taken.append(time.perf_counter() - started)
    results: dict[str, Any] = {
        "a report, drawn and rendered, median": statistics.median(taken),
        "a report: MB": len(html) / 2**20,
    }
    every = [{**summary(grade), "submission": f"student{n:05}"} for n in range(10_000)]
    started = time.perf_counter()
    write_index(book.index, lab, every)
    results["a board of 10000 submissions, written"] = time.perf_counter() - started
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), chromium_sandbox=os.geteuid() != 0
        )
        page = browser.new_page()
        page.goto(book.index.as_uri())
        for name, action in (("sorted", _SORT), ("filtered", _FILTER)):
            results[f"a board of 10000 submissions, {name}"] = page.evaluate(action) / 1000
        browser.close()
    return results


_TIMED = """async () => {
  const started = performance.now();
  %s;
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - started;
}"""
_SORT = _TIMED % "document.querySelector('th button[data-column=\"1\"]').click()"
_FILTER = (
    _TIMED % "const box = document.getElementById('filter'); box.value = '77'; "
    "box.dispatchEvent(new Event('input', { bubbles: true }))"
)


ALL: dict[str, Callable[[Path], dict[str, Any]]] = {
    "check": check,
    "rejudge": rejudge,
    "scale": scale,
    "cluster": cluster,
    "against": against,
    "overhead": overhead,
    "pages": pages,
}


def main(names: list[str]) -> None:
    """Measure, and put the figures beside those of before."""
    file = HERE / "cohort.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    for name in names or list(ALL):
        with tempfile.TemporaryDirectory() as folder:
            results[name] = ALL[name](Path(folder))
            print(name, results[name], flush=True)
    machine = f"{platform.system()} {platform.release()}, {JOBS} cores"
    file.write_text(json.dumps({**results, "machine": machine}, indent=1) + "\n")
    measured = {name: value for part in ALL for name, value in results.get(part, {}).items()}
    table.write("cohort", machine, measured)


if __name__ == "__main__":
    main(sys.argv[1:])
