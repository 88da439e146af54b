"""Hidden sets: drawn from a seed, fresh, fair to correct work, and worth nothing to a lookup."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from documented import ROOT, programs, run_page

from harness import cli, fixtures, golden, techniques
from harness.errors import LabError, UsageError
from harness.grading import Grader, open_lab
from harness.submission import Submission

GOOD = ["good-compact", "good-notebook", "good-plain"]
LAB = ROOT / "fixtures" / "lab.yaml"

# Returns the public golden outputs: by the image's pixels where there is an image, else by the
# arguments. What is not known raises KeyError, as a dict does.
LOOKUP = """
import hashlib, json, pathlib
import numpy as np

HERE = pathlib.Path(__file__).parent
STORED = np.load(HERE / "golden.npz", allow_pickle=False)
TEXTS = json.loads((HERE / "golden.json").read_text())

def key(*parts):
    shown = [p.tobytes() if isinstance(p, np.ndarray) else repr(p).encode() for p in parts]
    return hashlib.sha256(b"|".join(shown)).hexdigest()

def top_predictions(model, image, k=5):
    return TEXTS[key("top", image, k)]

def layer_activations(model, image, layer_names):
    return {name: STORED[key("layer", image, name)] for name in layer_names}

def mean_activations(model, images, labels, layer_name):
    return STORED[key("mean", images, layer_name)]

def dominant_filters(model, images, labels, layer_name):
    return STORED[key("dominant", images, layer_name)]

def maximize_activation(model, layer_name, filter_indices, tv_weight, seed):
    indices = sorted(int(index) for index in filter_indices)
    try:
        return STORED[key("image", indices, float(tv_weight))]
    except KeyError:
        return STORED[key("image", indices)]

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    try:
        return STORED[key("map", image, int(class_index), layer_name, modifier)]
    except KeyError:
        return STORED[key("map", image)]
"""


def new_set(folder: Path, seed: int):
    return fixtures.new(open_lab(LAB), seed, folder, jobs=2)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course whose hidden set is drawn and graded with by the commands of the documentation."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "fixtures", folder / "fixtures")
    (folder / "reference").symlink_to(ROOT / "reference")
    for name in GOOD:
        shutil.copytree(ROOT / "submissions" / name, folder / "submissions" / name)
    write_lookup(folder / "submissions" / "lookup")
    programs(folder / "bin")
    run_page("hidden", folder)
    return folder


@pytest.fixture(scope="module")
def hidden(course):
    return open_lab(course / "hidden" / "lab.yaml")


def result(course: Path, name: str) -> tuple[float, dict[str, str]]:
    """The points of a submission, and the outcome of each case of each check."""
    grade = json.loads((course / "hidden-reports" / name / "grade.json").read_text("utf-8"))
    assert grade["max_points"] == 20
    return grade["points"], {
        f"{check['id']}/{case['id']}": case["outcome"]
        for check in grade["checks"]
        for case in check["cases"]
    }


@pytest.mark.tensorflow
def test_a_set_has_only_hidden_cases_for_every_check_and_the_base_s_points(hidden):
    base = open_lab(LAB)
    assert all(case.hidden for case in hidden.cases)
    assert {case.function for case in hidden.cases} == {case.function for case in base.cases}
    assert [(check.id, check.points) for check in hidden.checks] == [
        (check.id, check.points) for check in base.checks
    ]
    # The calibrated thresholds of the base are written out: nothing is tuned to the set.
    with Grader(base) as grader:
        for own, theirs in zip(hidden.checks, grader.lab.checks, strict=True):
            assert own.threshold == theirs.threshold


@pytest.mark.tensorflow
def test_nothing_that_is_drawn_is_the_base_s(hidden):
    def contents(lab, names):
        return {hashlib.sha256(lab.images[name].pixels().tobytes()).hexdigest() for name in names}

    base = open_lab(LAB)
    assert not contents(hidden, hidden.images) & contents(base, base.images)
    for name in ("digits", "probe1", "probe2", "probe3"):
        drawn, known = hidden.models[name].file, base.models[name].file
        assert drawn.read_bytes() != known.read_bytes()
    assert sorted(hidden.models["digits"].classes) == sorted(base.models["digits"].classes)
    assert hidden.models["digits"].classes != base.models["digits"].classes


@pytest.mark.tensorflow
def test_the_same_seed_draws_the_same_set_and_another_one_another(hidden, tmp_path):
    def draw(seed):
        out = tmp_path / f"{seed}"
        command = [sys.executable, "-m", "reference.models.hidden", "--seed", str(seed)]
        command += ["--base", str(LAB), "--out", str(out)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return {
            file.relative_to(out).as_posix(): file.read_bytes()
            for file in sorted(out.rglob("*.png"))
        }

    same, other = draw(20261123), draw(20261124)
    stored = {
        file.relative_to(hidden.folder).as_posix(): file.read_bytes()
        for file in sorted(hidden.folder.rglob("*.png"))
    }
    assert same == stored
    common = same.keys() & other.keys()
    assert len(common) > 10
    # Digits are picked from those that there are, so that two seeds may share one.
    equal = {name for name in common if same[name] == other[name]}
    drawn = {name for name in common if "digit" not in name}
    assert len(drawn) > 10
    assert not equal & drawn
    assert len(equal) < len(common - drawn)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", GOOD)
def test_correct_work_keeps_every_point_on_a_hidden_set(course, hidden, name):
    points, outcomes = result(course, name)
    assert len({case.id for case in hidden.cases} & {key.split("/")[1] for key in outcomes}) > 20
    assert set(outcomes.values()) == {"passed"}, outcomes
    assert points == 20


@pytest.mark.tensorflow
def test_a_submission_that_returns_stored_golden_outputs_gets_no_points_on_a_hidden_set(course):
    with Grader(open_lab(LAB)) as grader:  # it knows the public ones
        known = grader.grade(Submission("lookup", course / "submissions" / "lookup"))
    assert known.grade["points"] >= 19
    points, outcomes = result(course, "lookup")
    assert [key for key, outcome in outcomes.items() if outcome == "passed"] == []
    assert points == 0


def write_lookup(folder: Path) -> Path:
    """A submission with all golden outputs of the public lab, and what it needs to find them."""
    space: dict = {"__file__": str(folder / "submission.py")}
    stored: dict[str, np.ndarray] = {}
    texts: dict[str, list] = {}
    folder.mkdir()
    (folder / "golden.json").write_text("{}")
    np.savez(folder / "golden.npz")
    exec(compile(LOOKUP, "submission.py", "exec"), space)
    key = space["key"]
    lab = open_lab(LAB)
    known = golden.load(lab).accepted
    for case in lab.cases:
        value = known[techniques.key(case)][0]
        arguments = techniques.resolve_arguments(lab, case)
        given = case.arguments
        if case.function == "top_predictions":
            texts[key("top", arguments["image"], arguments["k"])] = [list(pair) for pair in value]
        elif case.function == "layer_activations":
            for name, array in value.items():
                stored[key("layer", arguments["image"], name)] = array
        elif case.function == "mean_activations":
            stored[key("mean", arguments["images"], given["layer_name"])] = value
        elif case.function == "dominant_filters":
            stored[key("dominant", arguments["images"], given["layer_name"])] = value
        elif case.function == "maximize_activation":
            indices = sorted(given["filter_indices"])
            stored[key("image", indices, float(given["tv_weight"]))] = value
            stored[key("image", indices)] = value
        else:
            found = (arguments["class_index"], given["layer_name"], given.get("modifier"))
            stored[key("map", arguments["image"], *found)] = value
            stored[key("map", arguments["image"])] = value
    np.savez(folder / "golden.npz", **stored)
    (folder / "golden.json").write_text(json.dumps(texts))
    (folder / "submission.py").write_text(LOOKUP)
    return folder


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there already and not empty"):
        new_set(tmp_path, 1)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_lab_that_cannot_draw_says_where_to_run_this(lab_file, tmp_path):
    with pytest.raises(UsageError, match=r"no models/hidden\.py, which draws hidden sets"):
        fixtures.new(open_lab(lab_file), 1, tmp_path / "set", jobs=1)


def test_what_goes_wrong_while_drawing_is_shown(lab_file, tmp_path):
    text = lab_file.read_text("utf-8").replace("models:", "reference: course\nmodels:", 1)
    lab_file.write_text(text, "utf-8")
    (tmp_path / "course" / "models").mkdir(parents=True)
    (tmp_path / "course" / "models" / "hidden.py").write_text("raise SystemExit('no paint left')")
    with pytest.raises(LabError, match="drawing the hidden set failed: no paint left"):
        fixtures.new(open_lab(lab_file), 1, tmp_path / "set", jobs=1)


def test_a_seed_is_a_whole_number(capsys):
    with pytest.raises(SystemExit):
        cli.main(["fixtures", "new", "--seed", "-1", "--out", "x"])
    assert "expected a whole number from 0, found '-1'" in capsys.readouterr().err
