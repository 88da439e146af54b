"""Marks are never lost and never silently kept: history, undo, locks, kills, totals."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
from filelock import FileLock

from harness.answers import Answers
from harness.assessing import Assessor, Work
from harness.cohort import _kept, _save
from harness.engine import Answer, answer
from harness.errors import UsageError
from harness.exchange.totals import read_graded
from harness.final import marked_points
from harness.gradebook import Gradebook, summary
from harness.grading import Graded, open_lab
from harness.language import speaking
from harness.marking.desk import ChangedMeanwhileError, Desk, Mark, Soon, graded_names, key_of
from harness.marks import Change, Marks, locked, questions_of, read_marks, stored_marks, write_marks
from harness.outputs import Outputs
from harness.report.of_questions import LONGEST, question_lines, questions_part
from harness.results import SCHEMA_FILE, RunStatus
from harness.results import RunSummary as Run
from harness.submission import Submission
from harness.written import refreshed, remarked, settled, stored_work

TWO = {"alice": {"map-class": "it does", "use": "yes"}, "bob": {"map-class": "no"}}


@pytest.fixture
def book(graded_book) -> Gradebook:
    return graded_book(TWO)


@pytest.fixture
def desk(book, asking_lab):
    made = Desk(book, asking_lab, "ada", ["alice", "bob"])
    yield made
    made.close()


def give(desk, name, question, level, comment="", *, seen=None, answer=None):
    asked = desk.questions[question]
    seen = desk.marks(name).seen(question) if seen is None else seen
    digest = desk.answers(name).digest(question) if answer is None else answer
    desk.mark(name, asked, Mark(level, comment, digest, seen))


def stored(book, name="alice"):
    """What grade.json says about each question: points, or what else there is."""
    return {q["id"]: "stale" if q["stale"] else q["points"] for q in book.read(name)["questions"]}


def row(book, name="alice"):
    with (book.folder / "grades.csv").open(newline="", encoding="utf-8") as stream:
        return {row["submission"]: row for row in csv.DictReader(stream)}[name]


def change(question="use", level="yes", **changes):
    given = {"points": 1.0, "comment": "", "answer": "0", "by": "ada", **changes}
    return Change(question=question, level=level, **given)


def test_a_mark_reaches_grade_report_csv_and_board(desk, book, asking_lab):
    give(desk, "alice", "map-class", "described", "more <b>detail</b>")
    desk.close()
    grade = book.read("alice")
    assert grade["questions"][0] == {
        **{"id": "map-class", "title": "Does the map reflect the class?", "points": 1},
        **{"max_points": 2, "level": "described", "comment": "more <b>detail</b>", "stale": False},
    }
    jsonschema.validate(grade, json.loads(SCHEMA_FILE.read_text("utf-8")))
    report = book.report("alice").read_text("utf-8")
    assert "more &lt;b&gt;detail&lt;/b&gt;" in report
    assert "1 of 2 written answers are marked" in report
    assert "the map of this student" in report  # figures are those that were stored
    assert book.report("bob").read_bytes() == b"the first report of bob"
    assert (row(book)["points"], row(book)["question_map-class"]) == ("2.0", "1")
    assert (row(book)["marked_points"], row(book)["total"]) == ("", "")
    assert "1 of 2" in book.index.read_text("utf-8")


def names_in_csv(book):
    with (book.folder / "grades.csv").open(newline="", encoding="utf-8") as stream:
        return [row["submission"] for row in csv.DictReader(stream)]


def test_marking_one_submission_leaves_the_others_on_the_board(book, asking_lab, graded_book):
    alone = Desk(book, asking_lab, "ada", ["alice"])
    give(alone, "alice", "use", "yes")
    alone.board._thread.submit(int).result()  # the board of this mark is written
    assert names_in_csv(book) == ["alice", "bob"]
    graded_book({**TWO, "dave": {}})  # graded while this desk is open
    give(alone, "alice", "map-class", "reasoned")
    alone.close()
    assert names_in_csv(book) == ["alice", "bob", "dave"]
    assert row(book)["question_map-class"] == "2"


def test_a_board_is_of_the_grades_when_it_is_written(book, asking_lab, monkeypatch):
    ada, bea = (Desk(book, asking_lab, marker, ["alice", "bob"]) for marker in ("ada", "bea"))
    monkeypatch.setattr(bea.board, "want", lambda: None)
    with locked(book, "board"):  # ada's board has to wait, and bea marks meanwhile
        give(ada, "alice", "use", "yes")
        time.sleep(0.2)
        give(bea, "bob", "map-class", "described")
    ada.close()
    bea.close()
    assert (row(book)["question_use"], row(book, "bob")["question_map-class"]) == ("1", "1")


def test_totals_are_there_once_everything_is_marked(desk, book, asking_lab):
    give(desk, "alice", "map-class", "reasoned")
    give(desk, "alice", "use", "no")
    desk.close()
    # Automatic 2 of 2, marked 2 + 0 of 2 + 1.
    assert (row(book)["question_use"], row(book)["marked_points"]) == ("0", "2.0")
    assert (row(book)["points"], row(book)["max_points"], row(book)["total"]) == (
        "2.0",
        "2.0",
        "4.0",
    )
    assert row(book, "bob")["total"] == ""
    part = questions_part(book.read("alice"), asking_lab, book.answers("alice"))
    assert (part.marked, part.points) == (2, 2.0)
    final = book.read("alice")["final"]
    assert (final["points"], final["max_points"]) == (4.0, 5.0)
    assert "4 of 5 points" in book.report("alice").read_text("utf-8")


def test_what_is_not_marked_is_never_a_zero(desk, book, asking_lab):
    part = questions_part(book.read("alice"), asking_lab, book.answers("alice"))
    assert [one.state for one in part.parts] == ["unmarked", "unmarked"]
    assert book.read("alice")["final"]["points"] is None
    assert marked_points(book.read("alice")["questions"]) is None
    give(desk, "alice", "use", None, "only a comment")
    assert stored(book) == {"map-class": None, "use": None}
    assert "not marked yet" in book.report("alice").read_text("utf-8")
    assert [line.mean for line in question_lines([summary(book.read("alice"))])] == [None, None]


def test_a_submission_not_judged_has_no_total(desk, book, asking_lab):
    give(desk, "alice", "map-class", "reasoned")
    give(desk, "alice", "use", "yes")
    desk.close()
    grade = settled(asking_lab, {**book.read("alice"), "outcome": "not_judged"}, None)
    book.write_csv([grade])
    assert (row(book)["marked_points"], row(book)["total"]) == ("3.0", "")


def test_the_history_keeps_everything_in_order(desk, book):
    give(desk, "alice", "use", "yes")
    give(desk, "alice", "use", "no", "why")
    give(desk, "alice", "use", None)
    history = read_marks(book, "alice").history
    assert [(one.level, one.points, one.comment, one.by) for one in history] == [
        ("yes", 1, "", "ada"),
        ("no", 0, "why", "ada"),
        (None, None, "", "ada"),
    ]
    assert [one.at for one in history] == sorted({one.at for one in history})
    assert stored(book)["use"] is None
    assert json.loads(book.marks_file("alice").read_text("utf-8"))["marks"]["use"]["level"] is None


def test_the_same_mark_again_changes_nothing(desk, book):
    give(desk, "alice", "use", "yes", "good")
    give(desk, "alice", "use", "yes", "good", seen="another window's")
    give(desk, "bob", "use", None)
    assert len(read_marks(book, "alice").history) == 1
    assert not book.marks_file("bob").exists()


def test_undo_takes_back_one_after_another_over_the_whole_cohort(desk, book):
    give(desk, "alice", "use", "yes")
    give(desk, "bob", "map-class", "reasoned")
    give(desk, "alice", "use", "no")
    undone = []
    while found := desk.undo():
        undone.append((found[0], found[1].level, stored(book)["use"]))
    assert undone == [("alice", "no", 1), ("bob", "reasoned", 1), ("alice", "yes", None)]
    assert stored(book, "bob")["map-class"] is None
    # Nothing was taken out of the files.
    assert len(read_marks(book, "alice").history) == 4
    desk.close()
    assert row(book)["question_use"] == ""


def test_undo_goes_on_after_new_marks_and_in_a_new_session(desk, book, asking_lab):
    give(desk, "alice", "use", "yes")
    give(desk, "alice", "use", "no")
    desk.undo()
    give(desk, "alice", "map-class", "described")
    again = Desk(book, asking_lab, "ada", ["alice", "bob"])
    assert again.undo()[1].question == "map-class"
    assert again.undo()[1].level == "yes"
    assert again.undo() is None
    again.close()


def test_undo_leaves_the_marks_of_others_alone(desk, book, asking_lab):
    other = Desk(book, asking_lab, "bea", ["alice", "bob"])
    give(desk, "alice", "use", "yes")
    give(other, "alice", "use", "no")
    assert desk.undo()[1].level == "yes"
    assert stored(book)["use"] == 0  # bea's mark stands
    assert desk.undo() is None
    other.close()


def test_two_windows_lose_nothing_and_tell_of_each_other(desk, book, asking_lab):
    other = Desk(book, asking_lab, "bea", ["alice", "bob"])
    give(desk, "alice", "use", "yes", seen="")
    give(other, "alice", "map-class", "missing", seen="")
    assert stored(book) == {"map-class": 0, "use": 1}
    with pytest.raises(ChangedMeanwhileError):
        give(other, "alice", "use", "no", seen="")
    assert stored(book)["use"] == 1
    give(other, "alice", "use", "no")
    assert desk.marks("alice").current["use"].by == "bea"
    other.close()


SCRIPT = """
import sys
from pathlib import Path
from harness.gradebook import Gradebook
from harness.grading import open_lab
from harness.marking.desk import Desk, Mark
lab, folder, marker, question = sys.argv[1:]
desk = Desk(Gradebook(Path(folder)), open_lab(Path(lab)), marker, ["alice"])
asked = desk.questions[question]
for turn in range(15):
    label = asked.levels[turn % 2].label
    digest = desk.answers("alice").digest(question)
    desk.mark("alice", asked, Mark(label, str(turn), digest, desk.marks("alice").seen(question)))
desk.close()
"""


def test_two_programs_at_once_lose_nothing(book, asking_lab):
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, asking_lab.source.path, book.folder, who, question],
            cwd=Path(__file__).parents[1],
        )
        for who, question in (("ada", "use"), ("bea", "map-class"))
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    history = read_marks(book, "alice").history
    for who in ("ada", "bea"):
        assert [one.comment for one in history if one.by == who] == [str(n) for n in range(15)]
    # The fifteenth is the first level: "yes" of 1 and "reasoned" of 2 points.
    assert stored(book) == {"map-class": 2, "use": 1}
    assert "2 of 2 written answers are marked" in book.report("alice").read_text("utf-8")


def test_a_new_answer_makes_its_mark_stale_and_nothing_else(desk, book, asking_lab):
    give(desk, "alice", "map-class", "reasoned")
    give(desk, "alice", "use", "yes", "fine")
    book.answers_file("alice").write_bytes(
        Answers({"map-class": "it does", "use": "changed"}).to_bytes()
    )
    assert desk.refresh() == 1
    desk.close()
    assert stored(book) == {"map-class": 2, "use": "stale"}
    assert (row(book)["question_use"], row(book)["total"]) == ("", "")
    report = book.report("alice").read_text("utf-8")
    assert "given for an earlier answer" in report
    assert "fine" in report
    assert desk.refresh() == 0


def test_a_stale_mark_counts_again_once_it_is_given_again(desk, book):
    give(desk, "alice", "use", "yes", answer="0" * 64)
    assert stored(book)["use"] == "stale"
    give(desk, "alice", "use", "yes")
    assert stored(book)["use"] == 1


def test_points_follow_the_rubric_and_a_lost_level_is_stale(asking_lab):
    answers = Answers({"use": "a"})
    marks = Marks((change(points=7.0, answer=answers.digest("use")),))
    [_, use] = questions_of(asking_lab.questions, answers, marks)
    assert (use["points"], use["stale"]) == (1, False)  # not the 7 of an earlier rubric
    gone = Marks((change(level="maybe", points=0.5, answer=answers.digest("use")),))
    [_, use] = questions_of(asking_lab.questions, answers, gone)
    assert (use["points"], use["level"], use["stale"]) == (0.5, "maybe", True)


def test_a_write_that_is_killed_leaves_the_marks_of_before(desk, book, monkeypatch):
    give(desk, "alice", "use", "yes")
    before = book.marks_file("alice").read_bytes()
    replace = Path.replace

    def killed(path, target):
        if target.name == "marks.json":
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        give(desk, "alice", "use", "no")
    monkeypatch.undo()
    assert book.marks_file("alice").read_bytes() == before
    assert stored(book)["use"] == 1
    give(desk, "alice", "use", "no")
    assert stored(book)["use"] == 0


@pytest.mark.parametrize("name", ["report.html", "grade.json"])
def test_a_kill_after_the_mark_is_mended_by_the_next_session(
    desk, book, asking_lab, monkeypatch, name
):
    replace = Path.replace

    def killed(path, target):
        if target.name == name:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        give(desk, "alice", "use", "yes")
    monkeypatch.undo()
    assert book.report("alice").is_file()
    assert stored(book)["use"] is None
    told = {one.submission: one for one in read_graded(book.folder)}["alice"]
    assert told.held_back == "its marks were changed after the grade was made of them"
    assert told.remedy == "run `harness grade` again: nothing is run for it"
    again = Desk(book, asking_lab, "ada", ["alice", "bob"])
    assert again.refresh() == 1
    again.close()
    assert stored(book)["use"] == 1
    told = {one.submission: one for one in read_graded(book.folder)}["alice"]
    assert "marks were changed" not in told.held_back
    assert "1 of 2 written answers are marked" in book.report("alice").read_text("utf-8")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format_version": 2, "history": []}', '{"format_version": 1}',
             '{"format_version": 1, "history": [{"level": 1}]}']
)  # fmt: skip
def test_damaged_marks_are_said_and_never_overwritten(desk, book, text):
    path = book.marks_file("alice")
    path.write_text(text)
    with pytest.raises(UsageError, match=r"marks.json: expected marks of format version 1"):
        give(desk, "alice", "use", "yes", seen="")
    assert path.read_text() == text


def test_a_lock_that_is_not_let_go_is_named(book, monkeypatch):
    monkeypatch.setattr("harness.marks.LOCK_SECONDS", 0.05)
    with (
        FileLock(book.folder / ".marks.lock"),
        pytest.raises(UsageError, match=r"another program has held .*\.marks\.lock for 0.05 s"),
        locked(book),
    ):
        pass


def test_marking_does_not_wait_for_a_grader(desk, book):
    with book.locked():
        give(desk, "alice", "use", "yes")
    assert stored(book)["use"] == 1


def test_marks_make_the_round_trip_with_names_that_are_half_characters(book, tmp_path):
    name = "al\udcff"
    (book.folder / name).mkdir()
    marks = Marks((change(comment="é\ud800"), change(level=None)))
    write_marks(book, name, marks)
    assert read_marks(book, name) == marks
    assert stored_marks(book, "nobody") == b""


def test_a_soon_does_it_once_for_many_and_tells_of_trouble():
    done = []

    def act():
        done.append(len(done))
        if len(done) == 1:
            raise OSError("no room")

    soon = Soon(act)
    soon.want()
    soon._thread.submit(int).result()
    assert soon.problem == "OSError: no room"
    for _ in range(50):
        soon.want()
    soon.close()
    assert soon.problem == ""
    assert 2 <= len(done) <= 51


# Grading beside marking.


def made_now(lab, marks=b"", answers=Answers()):  # noqa: B008
    """Of alice's work, what would be stored."""
    outputs = Outputs("alice", Run(RunStatus.COMPLETED, 1.0), {})
    digests = {"lab": "new", "submission": "b", "golden": "c"}
    alice, nowhere = Submission("alice", Path("nowhere")), Path("nowhere")
    work = Work(alice, None, nowhere, outputs, True, b"", {"python": "3"}, digests, marks)
    assessed = Assessor(lab, (), None).without_submission(work, None, answers)
    return answer(Graded(assessed, outputs, ran=True))


def test_grading_again_keeps_the_marks(desk, book, asking_lab):
    give(desk, "alice", "use", "yes", "good")
    grader = SimpleNamespace(lab=asking_lab)
    made = made_now(asking_lab, stored_marks(book, "alice"), desk.answers("alice"))
    assert [q["points"] for q in made.grade["questions"]] == [None, 1]
    assert b"1 of 2 written answers are marked" in made.report
    _save(grader, book, made)
    assert (book.read("alice")["points"], stored(book)["use"]) == (0, 1)
    assert book.answers("alice") == desk.answers("alice")


def test_a_mark_given_while_its_submission_is_graded_is_in_the_new_grade(desk, book, asking_lab):
    grader = SimpleNamespace(lab=asking_lab)
    made = made_now(asking_lab, stored_marks(book, "alice"), desk.answers("alice"))
    give(desk, "alice", "use", "yes")
    grade = _save(grader, book, made)
    assert [q["points"] for q in grade["questions"]] == [None, 1]
    assert (book.read("alice")["points"], stored(book)["use"]) == (0, 1)
    assert b"1 of 2 written answers are marked" in book.report("alice").read_bytes()


def test_damaged_marks_stop_grading_rather_than_vanish(asking_lab):
    with pytest.raises(UsageError, match="the marks of alice: expected marks of format version 1"):
        made_now(asking_lab, b"junk")


def test_a_kept_grade_has_the_marks_of_now(book, asking_lab):
    class Grader(SimpleNamespace):
        def digests(self, submission):
            return book.read("alice")["digests"]

    grader = Grader(lab=asking_lab, environment={"python": "3"})
    alice = SimpleNamespace(name="alice", handed_in=None)
    assert _kept(grader, alice, book) == (book.read("alice"), None)
    assert book.report("alice").read_bytes() == b"the first report of alice"
    digest = book.answers("alice").digest("use")
    write_marks(book, "alice", Marks((change(answer=digest),)))
    now, change_of_points = _kept(grader, alice, book)
    assert [q["points"] for q in now["questions"]] == [None, 1]
    assert change_of_points is None  # one answer is not marked yet, so the total is held back still
    assert stored(book)["use"] == 1
    grader.environment = {"python": "4"}
    assert _kept(grader, alice, book) is None


def test_a_summary_takes_up_marks_given_since(book, asking_lab):
    brief = summary(book.read("alice"))
    assert "comment" not in brief["questions"][0]
    assert remarked(book, asking_lab, brief) is brief
    digest = book.answers("alice").digest("use")
    write_marks(book, "alice", Marks((change(answer=digest, comment="long"),)))
    assert remarked(book, asking_lab, brief)["questions"][1] == {
        **{"id": "use", "title": "How can activation maximization be useful?"},
        **{"points": 1, "max_points": 1, "stale": False},
    }


def test_a_grade_that_could_not_be_made_has_no_pictures_of_an_earlier_run(book, asking_lab):
    grade = book.read("alice")
    assert stored_work(book, grade)[1]
    unmade = {**grade, "run": {**grade["run"], "status": "not_run"}}
    outputs, figures = stored_work(book, unmade)
    assert (outputs.run.status, figures) == (RunStatus.NOT_RUN, {})


def test_a_lab_without_questions_leaves_grades_alone(book, asking_lab, lab_file, asking):
    lab_file.write_text(asking.partition("questions:")[0], "utf-8")
    lab = open_lab(lab_file)
    grade = settled(lab, book.read("alice"), None)
    assert refreshed(book, lab, grade, None) is grade
    made = made_now(lab)
    assert isinstance(made, Answer)
    assert ("questions" in made.grade, made.answers) == (False, b"")
    assert questions_part(made.grade, lab, None) is None
    path = book.write_csv([made.grade])
    assert path.read_text("utf-8").splitlines()[0].endswith(",max_points,total,total_max,held_back")


def test_a_long_answer_is_cut_in_the_report_only(asking_lab, book):
    answers = Answers({"use": "x" * (LONGEST + 1)})
    part = questions_part(book.read("alice"), asking_lab, answers)
    assert [(len(one.answer), one.cut) for one in part.parts] == [(0, False), (LONGEST, True)]


def test_the_names_to_mark_are_those_of_the_last_cohort(book, graded_book):
    assert graded_names(book) == ["alice", "bob"]
    names = ["=1+1", "index.html", "al\udcff", "zoë", "zoë.submission"]
    graded_book({name: {} for name in names})
    assert sorted(graded_names(book)) == sorted(names)  # alice and bob are in no row
    (book.folder / "grades.csv").unlink()
    assert set(graded_names(book)) == {*names, "alice", "bob"}
    assert len({key_of(name) for name in names}) == 5


def test_claims_are_told_in_words_and_levels_with_their_description(desk, book, asking_lab):
    give(desk, "alice", "map-class", "reasoned")
    with speaking("en"):
        part = questions_part(book.read("alice"), asking_lab, book.answers("alice"))
    assert (part.parts[0].level, part.parts[0].description) == ("reasoned", "gives a reason")
    assert part.other == "other text of alice"
