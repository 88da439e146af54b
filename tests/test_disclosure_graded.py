"""Submissions that carry hidden inputs out in every way they have, graded as a course grades them.

They are graded once, by the commands; then everything that the commands wrote or printed for
others than the instructor is searched. `test_disclosure.py` has the outlets one by one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from leaks import holding, texts_of, tokens_of
from test_export_github import grades_table
from test_export_moodle import worksheet

from harness import techniques
from harness.grading import open_lab
from harness.outputs import CaseStatus, Outputs

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.tensorflow
# Of each function some public cases, and hidden ones on models, images and data of their own.
PUBLIC = {"digit4", "digit7", "digit1", "digit8", "mean-l3", "dominant-l3", "digit7-as-1"}
HIDDEN = {
    *("probe3-5-top5", "probe3-5", "probe2-mean", "probe2-dominant", "digit5"),
    *("probe3-1-block3_conv2", "probe3-2-block3_conv2-guided"),
}
# In every call: what it was given, in every place that can be written to, and in what is returned.
CARRIER = """
import base64, os, pathlib, sys, warnings, zlib
import numpy as np
from harness.student import load_image
for name in ("digit7", "probe3-5"):
    try:
        print(name, load_image(name).shape)
    except Exception as error:
        print(name, type(error).__name__)
seen = []
WAY = {way!r}
def carry(*given):
    data = b"".join(one.tobytes() for one in given if isinstance(one, np.ndarray))
    words = " ".join(str(one) for one in given if isinstance(one, (str, int, list)))
    packed = base64.b64encode(zlib.compress(data)).decode()
    seen.append("SEEN " + words + " " + base64.b64encode(data[:2400]).decode() + " " + packed[:900])
    print(*seen)
    print(*seen, file=sys.stderr)
    warnings.warn(seen[-1])
    os.environ["SEEN"] = " ".join(seen)
    home = pathlib.Path.home()
    (home / "seen.txt").write_text(" ".join(seen))
    (home / ("SEEN" + data[:40].hex())).touch()
    left = [one.name + one.read_text() for one in home.rglob("*[sS][eE][eE][nN]*")]
    return " ".join(seen + left)
def answer(told, data, right):
    if WAY == "raises":
        raise RuntimeError(told)
    if WAY == "keys":
        return {{told: data, told[::-1]: 1}}
    return right
def top_predictions(model, image, k=5):
    told = carry(image, k, *map(str, model.class_names))
    return answer(told, image, [(told[:200], 1.0)] * k)
def layer_activations(model, image, layer_names):
    told = carry(image, list(layer_names))
    return answer(told, image, {{name: image.astype("float32") for name in layer_names}})
def mean_activations(model, images, labels, layer_name):
    return answer(carry(images, labels, layer_name), images[0], images[:10].astype("float32"))
def dominant_filters(model, images, labels, layer_name):
    return answer(carry(images, labels, layer_name), images[0], images[:10, :, :, 0].astype(int))
def maximize_activation(model, layer_name, filter_indices, tv_weight, seed=0):
    told = carry(layer_name, list(filter_indices), str(tv_weight), seed)
    data = np.frombuffer(told.encode()[:784].ljust(784), "uint8")
    return answer(told, data, data.reshape(28, 28, 1) / 255)
def class_activation_map(model, image, class_index, layer_name, modifier=None):
    told = carry(image, class_index, layer_name, str(modifier))
    return answer(told, image, image[..., 0].astype("float32"))
"""
WAYS = ("raises", "keys", "returns")


def course(folder: Path) -> Path:
    """The lab of this repository with some of its cases, of which some are hidden."""
    for part in ("models", "images", "datasets", "golden"):
        shutil.copytree(ROOT / "fixtures" / part, folder / part)
    data = yaml.safe_load((ROOT / "fixtures" / "lab.yaml").read_text())
    for function, entries in data["cases"].items():
        kept = [entry for entry in entries if entry["id"] in PUBLIC | HIDDEN]
        data["cases"][function] = [
            {**entry, "hidden": True} if entry["id"] in HIDDEN else entry for entry in kept
        ]
    wanted = ("top-5", "activations", "class-averages", "dominant-filters", "same-seed", "heatmaps")
    data["checks"] = [check for check in data["checks"] if check["id"] in wanted]
    # Images of the hidden data set have files of their own, which nobody here is asked about.
    used = {entry.get("image") for entries in data["cases"].values() for entry in entries}
    data["images"] = {name: image for name, image in data["images"].items() if name in used}
    del data["calibration"], data["questions"]
    data["reference"] = str(ROOT / "reference")
    (folder / "lab.yaml").write_text(yaml.safe_dump(data))
    return folder / "lab.yaml"


def harness(folder: Path, *arguments: object, **environment: str) -> bytes:
    """What a command prints; it may find something wrong, and may not fail."""
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, timeout=300
    )
    printed = done.stdout + done.stderr
    assert done.returncode in (0, 1), printed.decode()
    return printed


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return open_lab(course(tmp_path_factory.mktemp("course")))


@pytest.fixture(scope="module")
def graded(lab, tmp_path_factory):
    """The folder in which everything was done; what was printed is in `printed`."""
    folder = tmp_path_factory.mktemp("done")
    for number, way in enumerate(WAYS):
        own = folder / "submissions" / way
        own.mkdir(parents=True)
        (own / "submission.py").write_text(CARRIER.format(way=way))
        with (folder / "submissions" / "students.csv").open("a") as table:
            heading = "" if number else "submission,id,name,email\n"
            table.write(f"{heading}{way},{100 + number},Student {number},s{number}@example.org\n")
    path = lab.source.path
    with_lab = ("--lab", path)
    printed = {
        "grade": harness(folder, "grade", "submissions", *with_lab, "--jobs", 1),
        "kit": harness(folder, "kit", *with_lab),
        "pytest": _pytest(folder, path),
    }
    named = {f"GITHUB_{name}": str(folder / f"{name}.txt") for name in ("STEP_SUMMARY", "OUTPUT")}
    check = ("check", "submissions/raises", *with_lab, "--ci", "github", "--out", "checked")
    printed["check"] = harness(folder, *check, **named)
    top = f"{sum(check.points for check in lab.checks):g}"
    (folder / "moodle.csv").write_bytes(
        worksheet(students=3, changes=[(row, 5, top) for row in range(3)])
    )
    (folder / "github.csv").write_bytes(grades_table(3, available=top))
    for system in ("gradescope", "csv", "github", "moodle"):
        sheet = ("--sheet", f"{system}.csv") if system in ("github", "moodle") else ()
        own = with_lab if system in ("gradescope", "github") else ()
        out = ("--out", f"exported-{system}/out")
        (folder / f"exported-{system}").mkdir()
        printed[f"export {system}"] = harness(
            folder, "export", "reports", "--to", system, *sheet, *own, *out
        )
    (folder / "printed").mkdir()
    for name, data in printed.items():
        (folder / "printed" / name).write_bytes(data)
    return folder


def _pytest(folder: Path, lab: Path) -> bytes:
    command = [sys.executable, "-m", "pytest", "--submissions", "submissions", "--lab", str(lab)]
    command += ["--reports", "reports", "--junitxml", "pytest.xml", "-vv", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout.decode()
    return done.stdout + done.stderr


INSTRUCTORS = {"grade.json", "outputs.safetensors", "measured.json", "answers.json", "marks.json"}


def outlets(folder: Path) -> dict[str, bytes]:
    """All files that were made, but for what `reports` has for the instructor alone."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "submissions" not in path.relative_to(folder).parts
        if not (path.name in INSTRUCTORS and path.is_relative_to(folder / "reports"))
    }


def sought(lab, folder):
    """Hidden images, data and golden outputs, in bytes; what hidden calls were asked, in words."""
    hidden = [case for case in lab.cases if case.hidden]
    found = {}
    for case in hidden:
        for name, value in techniques.resolve_arguments(lab, case).items():
            if name in ("image", "images"):
                found[f"{name} of {case.id}"] = tokens_of(value if name == "image" else value[0])
    keys = {techniques.key(case) for case in hidden}
    for key, output in Outputs.load(lab.golden / "reference").cases.items():
        if key in keys and hasattr(output.value, "tobytes"):
            found[f"golden {key}"] = tokens_of(output.value)
    return {name: runs for name, runs in found.items() if runs}


def test_the_submissions_did_carry_everything_out(lab, graded):
    """Into the files for the instructor, where the search finds it: of each hidden image."""
    secret = sought(lab, graded)
    assert len([name for name in secret if name.startswith("image")]) >= 6
    files = [graded / "reports" / way / "outputs.safetensors" for way in WAYS]
    stored = b"".join(file.read_bytes() for file in files)
    found = holding(stored, secret)
    assert {name for name in secret if name.startswith("image")} <= set(found)
    outputs = Outputs.from_bytes(files[WAYS.index("raises")].read_bytes())
    key = "class_activation_maps/probe3-1-block3_conv2"
    assert outputs.cases[key].status is CaseStatus.RAISED
    assert "SEEN" in outputs.cases[key].message


def test_nothing_of_a_hidden_case_is_in_anything_for_others(lab, graded):
    secret, found = sought(lab, graded), outlets(graded)
    for part in ("report.html", "index.html", "grades.csv", "results.json", "result.json", "xml"):
        assert any(name.endswith(part) for name in found), part
    assert {"kit.zip", "checked/summary.md", "OUTPUT.txt", "printed/grade"} <= found.keys()
    assert any(name.endswith("feedback.zip") for name in found)
    assert {name: what for name, data in found.items() if (what := holding(data, secret))} == {}


def test_hidden_images_cannot_be_loaded_and_what_is_said_of_them_is_ours(graded):
    grade = json.loads((graded / "reports" / "raises" / "grade.json").read_text())
    assert grade["run"]["printed"].count("digit7 (28, 28, 1)") == 1
    assert "probe3-5 UsageError" in grade["run"]["printed"]
    messages = {c["id"]: c["message"] for check in grade["checks"] for c in check["cases"]}
    assert {messages[name] for name in HIDDEN & messages.keys()} == {"the call ended: raised"}


def test_what_public_cases_say_is_shown(graded):
    """The same words, so that their absence elsewhere means something."""
    found = outlets(graded)
    assert b"SEEN" in found["reports/raises/report.html"]
    assert holding(found["printed/pytest"], {"seen": texts_of("SEEN")}) == ["seen"]


def test_no_export_and_no_kit_has_a_file_for_the_instructor(graded):
    names = {Path(name).name for name in outlets(graded) if name.startswith("exported")}
    assert names & INSTRUCTORS == set()
    for path in (graded / "kit.zip", *graded.glob("exported-moodle/*.zip")):
        with zipfile.ZipFile(path) as archive:
            assert {Path(name).name for name in archive.namelist()} & INSTRUCTORS == set()
