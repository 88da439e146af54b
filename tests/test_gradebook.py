"""What grading leaves behind: schema, atomic files, when a stored grade still holds, the CSV."""

from __future__ import annotations

import csv
import json
import os

import jsonschema
import numpy as np
import pytest

from harness.environment import versions
from harness.errors import UsageError
from harness.gradebook import Gradebook, summary, write_whole
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import (
    SCHEMA_FILE,
    CaseResult,
    CheckResult,
    Grade,
    Outcome,
    RunStatus,
    RunSummary,
)

DIGESTS = {"lab": "a", "submission": "b", "golden": "c"}
RUN = RunSummary(RunStatus.COMPLETED, 1.23456, notes=("a note",), printed="hello")


def case(outcome=Outcome.PASSED, **changes):
    given = {"score": 1.0, "measured": {"iou": float("nan"), "n": 3}, **changes}
    return CaseResult("one", outcome, threshold={"iou": 0.5}, **given)


def grade(name="alice", *cases):
    checks = (
        CheckResult("maps", "class_activation_maps", "x.y", 6.0, cases or (case(),)),
        CheckResult("top", "top_predictions", "x.z", 2.0, (case(),)),
    )
    return Grade(name, checks, RUN, versions(), DIGESTS)


OUTPUTS = Outputs("alice", RUN, {"t/one": CaseOutput(CaseStatus.RETURNED, [np.arange(3), "x"])})


def save(book, made, outputs=OUTPUTS):
    book.save(made.to_json(), b"<p>report", outputs=outputs.to_bytes(), remembered=b"{}")


def test_a_check_earns_points_in_proportion_to_its_passed_cases():
    made = grade("alice", case(), case(Outcome.FAILED), case(Outcome.FAILED))
    assert made.checks[0].points == pytest.approx(2)  # one of three, of 6
    assert made.points == pytest.approx(4)
    assert made.max_points == 8
    assert made.technique_points()["class_activation_maps"] == (pytest.approx(2), 6)


def test_one_case_not_judged_makes_the_grade_not_judged():
    made = grade("alice", case(), case(Outcome.NOT_JUDGED))
    assert not made.judged
    assert made.to_json()["outcome"] == "not_judged"


def test_the_json_keeps_the_schema_and_the_schema_refuses_what_is_off():
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    data = grade().to_json()
    jsonschema.validate(data, schema)
    assert data["checks"][0]["cases"][0]["measured"] == {"iou": None, "n": 3}
    assert data["run"]["seconds"] == 1.235
    for change in ({"outcome": "passed"}, {"points": -1}, {"extra": 1}, {"checks": []}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, **change}, schema)


def test_a_run_summary_makes_the_round_trip():
    assert RunSummary.from_json(RUN.to_json()) == RunSummary(
        RunStatus.COMPLETED, 1.235, notes=("a note",), printed="hello"
    )


def test_outputs_and_grade_are_stored_and_read(tmp_path):
    book = Gradebook(tmp_path / "reports")
    save(book, grade())
    assert book.read("alice")["points"] == 8
    value = book.outputs("alice").cases["t/one"].value
    assert value[0].tolist() == [0, 1, 2]
    assert not list(tmp_path.rglob("*.partial"))
    save(book, grade())  # a second time, over the first
    assert book.outputs("alice") is not None


def test_a_stored_grade_holds_until_something_it_depends_on_changes(tmp_path):
    book = Gradebook(tmp_path)
    save(book, grade())
    book.report("alice").unlink()
    assert book.kept("alice", DIGESTS, versions()) is None
    book.report("alice").write_text("report")
    assert book.kept("alice", DIGESTS, versions())["submission"] == "alice"
    for name in DIGESTS:
        assert book.kept("alice", {**DIGESTS, name: "changed"}, versions()) is None
    path = book.of("alice") / "grade.json"
    text = path.read_text()
    path.write_text(text.replace(versions()["numpy"], "0.0"))
    assert book.kept("alice", DIGESTS, versions()) is None
    path.write_text(text[: len(text) // 2])
    assert book.kept("alice", DIGESTS, versions()) is None
    path.write_text(text.replace('"format_version": 1', '"format_version": 99'))
    assert book.kept("alice", DIGESTS, versions()) is None


def test_a_run_killed_before_its_report_was_written_leaves_nothing_to_keep(tmp_path, monkeypatch):
    book = Gradebook(tmp_path)
    save(book, grade())
    book.report("alice").write_text("the report of the first grade")
    changed = {**DIGESTS, "submission": "handed in again"}
    second = Grade("alice", grade().checks, RUN, versions(), changed)
    written = write_whole

    def stops(path, data):
        if path.name == "report.html":
            raise KeyboardInterrupt
        written(path, data)

    monkeypatch.setattr("harness.gradebook.write_whole", stops)
    with pytest.raises(KeyboardInterrupt):
        save(book, second)
    assert book.read("alice")["digests"] == changed
    assert book.kept("alice", changed, versions()) is None
    assert not book.report("alice").exists()


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format_version": 1}', "\udcff", "[" * 50])
def test_a_grade_that_somebody_damaged_is_made_again(tmp_path, text):
    book = Gradebook(tmp_path)
    save(book, grade())
    book.report("alice").write_text("report")
    (book.of("alice") / "grade.json").write_text(text, errors="surrogateescape")
    assert book.kept("alice", DIGESTS, versions()) is None


@pytest.mark.parametrize("part", ["digests", "environment"])
def test_a_digest_or_a_version_more_or_less_is_a_change(tmp_path, part):
    book = Gradebook(tmp_path)
    save(book, grade())
    book.report("alice").write_text("report")
    path = book.of("alice") / "grade.json"
    data = json.loads(path.read_text("utf-8"))
    for other in ({**data[part], "new": "1"}, dict(list(data[part].items())[1:]), None):
        path.write_text(json.dumps({**data, part: other}))
        assert book.kept("alice", DIGESTS, versions()) is None
    path.write_text(json.dumps(data))
    assert book.kept("alice", DIGESTS, versions()) == data


def test_a_submission_that_was_never_graded_has_no_grade(tmp_path):
    assert Gradebook(tmp_path).read("alice") is None
    assert Gradebook(tmp_path).kept("alice", DIGESTS, versions()) is None


def changed(data, old, new):
    """The same file with something replaced in its header."""
    size = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + size].replace(old, new).rstrip()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: changed(data, b"outputs", b"others"),
        lambda data: changed(data, b"printed", b"spoken"),
        lambda data: changed(data, b"returned", b"turned"),
        lambda data: data[: len(data) // 2],
        lambda data: b"junk",
        lambda data: b"",
    ],
)
def test_outputs_of_another_layout_or_damaged_are_as_none(tmp_path, change):
    book = Gradebook(tmp_path)
    assert book.outputs("alice") is None
    save(book, grade())
    path = book.outputs_file("alice")
    path.write_bytes(change(path.read_bytes()))
    assert book.outputs("alice") is None


def test_a_second_grader_is_kept_out_until_the_first_is_done(tmp_path):
    said = r"another grader is at work in .*--out"
    with (
        Gradebook(tmp_path).locked(),
        pytest.raises(UsageError, match=said),
        Gradebook(tmp_path).locked(),
    ):
        pass
    with Gradebook(tmp_path).locked():
        pass


def test_a_file_that_cannot_be_written_leaves_the_one_of_before(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_whole(path, b"before")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"after")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"before", ["a.txt"])


def test_a_summary_is_small_and_says_what_pages_need():
    made = summary(grade("alice", case(), case(Outcome.FAILED)).to_json())
    assert made["checks"][0]["cases"] == [
        {"id": "one", "outcome": "passed"},
        {"id": "one", "outcome": "failed"},
    ]
    assert made["points"] == 5.0
    assert made["run"].keys() == {"status", "message", "seconds"}
    assert "environment" not in made


def test_a_grade_that_json_cannot_hold_leaves_the_stored_one_alone(tmp_path):
    book = Gradebook(tmp_path)
    save(book, grade())
    before = (book.of("alice") / "grade.json").read_bytes()
    broken = {**grade().to_json(), "points": float("nan")}
    with pytest.raises(ValueError, match="not JSON compliant"):
        book.save(broken, b"", outputs=b"", remembered=b"")
    assert (book.of("alice") / "grade.json").read_bytes() == before
    assert book.report("alice").is_file()


def test_a_name_that_is_half_a_character_can_be_written_and_read(tmp_path):
    book = Gradebook(tmp_path)
    save(book, grade("al\udcffice 😀"))
    assert book.read("al\udcffice 😀")["submission"] == "al\udcffice 😀"


def test_a_grade_that_was_not_judged_is_not_kept(tmp_path):
    book = Gradebook(tmp_path)
    save(book, grade("alice", case(Outcome.NOT_JUDGED)))
    book.report("alice").write_text("report")
    assert book.kept("alice", DIGESTS, versions()) is None


def test_a_submission_named_as_the_books_own_file_gets_a_folder_all_the_same(tmp_path):
    book = Gradebook(tmp_path)
    for name in ("index.html", "Grades.csv"):
        save(book, grade(name))
    book.index.write_text("index")
    assert book.read("index.html")["submission"] == "index.html"


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"the reports' folder .* cannot be made"):
        Gradebook(tmp_path / "file" / "reports")


def test_the_csv_computes_nothing_and_has_no_zero_for_what_was_not_judged(tmp_path):
    book = Gradebook(tmp_path)
    grades = [
        grade("=HYPERLINK(1)").to_json(),
        grade('bob, the "2nd"', case(Outcome.NOT_JUDGED)).to_json(),
    ]
    with book.write_csv(grades).open(newline="", encoding="utf-8") as stream:
        first, second = csv.DictReader(stream)
    assert first["submission"] == "'=HYPERLINK(1)"
    assert (first["points"], first["class_activation_maps"]) == ("8.0", "6.0")
    assert second["submission"] == 'bob, the "2nd"'
    assert (second["outcome"], second["points"], second["top_predictions"]) == (
        "not_judged",
        "",
        "",
    )


def test_a_technique_that_one_submission_lacks_is_an_empty_cell(tmp_path):
    short = grade("bob").to_json()
    del short["techniques"]["top_predictions"]
    path = Gradebook(tmp_path).write_csv([grade().to_json(), short])
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows[0][-5:-3] == ["class_activation_maps", "top_predictions"]
    assert rows[1][:-3] == ["alice", "judged", "8.0", "8.0", "6.0", "2.0"]
    assert rows[2][:-3] == ["bob", "judged", "8.0", "8.0", "6.0", ""]


def test_a_csv_of_no_submission_has_its_header(tmp_path):
    path = Gradebook(tmp_path).write_csv([])
    assert path.read_text("utf-8").strip() == (
        "submission,outcome,points,max_points,total,total_max,held_back"
    )
    assert {entry.name for entry in tmp_path.iterdir()} == {"grades.csv", ".gitignore"}


def test_names_with_line_breaks_or_half_characters_stay_in_their_cell(tmp_path):
    book = Gradebook(tmp_path)
    path = book.write_csv([grade("a\nb").to_json(), grade("c\udcff").to_json()])
    with path.open(newline="", encoding="utf-8") as stream:
        assert [row["submission"] for row in csv.DictReader(stream)] == ["a⟨U+000A⟩b", "c⟨U+DCFF⟩"]
