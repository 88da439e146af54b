"""From each system's archive through the real commands and back into its sheet, for sixty."""

from __future__ import annotations

import csv
import io
import json
import re

import archives
import jsonschema
import pytest
from quick_lab import quick_lab
from test_export_canvas import canvas_reader
from test_export_classroom import reporter
from test_export_gradescope import SCHEMA
from test_export_moodle import cells, moodles_reader, number

from harness import cli
from harness.handed_in import read_table

pytestmark = pytest.mark.tensorflow

# Right on as many of the four cases as the number at its end says; a notebook, on two.
CODE = b"""\
import re
from pathlib import Path

try:
    right = int(re.findall(r"# (\\d+)\\s*$", Path(__file__).read_text())[-1]) % 5
except Exception:
    right = 2


def top_predictions(model, image, k=5):
    global right
    right -= 1
    if right < 0:
        return []
    probabilities = model(model.preprocess_input(image[None])).numpy()
    return [row[1:] for row in model.decode_predictions(probabilities, top=k)[0]]
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return quick_lab(tmp_path_factory.mktemp("lab"), cases=4, points=20) / "lab.yaml"


@pytest.fixture(scope="module")
def works():
    with pytest.MonkeyPatch.context() as patch:
        notebook = json.loads(archives.NOTEBOOK)
        notebook["cells"][0]["source"] = CODE.decode()
        patch.setattr(archives, "CODE", CODE)
        patch.setattr(archives, "NOTEBOOK", json.dumps(notebook).encode())
        return archives.cohort(60)


def points(work: archives.Work) -> float:
    """What the people of a work must get, told by how it was made."""
    if work.kind == "unclear":
        return 0.0
    if any(name.endswith(".ipynb") for name in work.files):
        return 10.0
    return 5.0 * (work.number % 5)


def harness(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture
def there_and_back(lab, tmp_path):
    """Import, grade and export; the file or folder that goes back."""

    def go(made, system, *options):
        submissions, reports = tmp_path / "submissions", tmp_path / "reports"
        sheets = [part for sheet in made.sheets for part in ("--sheet", sheet)]
        where = ("--lab", lab)
        bring = ("import", made.archive, "--from", system, "--out", submissions, *sheets)
        assert harness(*bring, *where) in (0, 1)
        assert harness("grade", submissions, "--out", reports, "--jobs", 2, *where) == 0
        out = tmp_path / "back"
        assert harness("export", reports, "--to", system, "--out", out, *options, *where) == 0
        return out

    return go


def test_the_works_are_told_apart(works):
    assert {points(work) for work in works} == {0.0, 5.0, 10.0, 15.0, 20.0}


def test_moodle(works, there_and_back, tmp_path):
    made = archives.moodle(tmp_path / "from", works)
    [sheet] = made.sheets
    out = there_and_back(made, "moodle", "--sheet", sheet)
    people = {str(p.number): points(work) for work in works for p in work.people}
    before, after = cells(sheet.read_bytes()), cells(out.read_bytes())
    grade = before[0].index("Grade")
    assert {re.findall(r"\d+$", row[0])[0]: number(row[grade]) for row in after[1:]} == people
    allowed = {grade, before[0].index("Feedback comments")}
    for one, other in zip(before, after, strict=True):
        assert {n for n in range(len(one)) if one[n] != other[n]} <= allowed
    assert set(moodles_reader(tmp_path / "back-feedback.zip")) == set(people)


def test_canvas(works, there_and_back, tmp_path):
    made = archives.canvas(tmp_path / "from", works)
    [sheet] = made.sheets
    out = there_and_back(made, "canvas", "--sheet", sheet, "--title", "Lab 5 (77)")
    scores = canvas_reader(out.read_bytes(), "Lab 5 (77)")
    found = {number: float(score) for number, score in scores.items() if score}
    assert found == {f"4{work.number:05}": points(work) for work in works}


def test_gradescope(works, there_and_back, tmp_path):
    out = there_and_back(archives.gradescope(tmp_path / "from", works), "gradescope")
    table = read_table(tmp_path / "submissions")
    found = {}
    for file in out.glob("*/results.json"):
        data = json.loads(file.read_bytes())
        jsonschema.Draft202012Validator(SCHEMA).validate(data)
        found |= {student.id: data["score"] for student in table[file.parent.name].students}
    assert found == {p.sid: points(work) for work in works for p in work.people}


def test_github(works, there_and_back, tmp_path):
    made = archives.github(tmp_path / "from", works)
    out = there_and_back(made, "github", "--sheet", made.sheets[1])
    people = {p.login: points(work) for work in works for p in work.people}
    rows = csv.DictReader(io.StringIO((out / "grades.csv").read_text("utf-8")))
    assert {row["github_username"]: float(row["points_awarded"]) for row in rows} == people
    table = read_table(tmp_path / "submissions")
    for file in out.glob("*/result.json"):
        for student in table[file.parent.name].students:
            assert reporter(json.loads(file.read_bytes())) == (people[student.id], 20.0)
