"""One grade per student: attempts, groups, and what may not be told for certain."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import exported
import pytest

from harness.errors import UsageError
from harness.exchange.totals import folders_of, read_graded, totals
from harness.gradebook import Gradebook
from harness.handed_in import HandedIn, Student

ANN, BO = Student("1", "Ann", "ann@x.org"), Student("2", "Bo")
DAY = datetime(2026, 12, 4, tzinfo=timezone.utc)


def found(tmp_path, *grades):
    reports = exported.store(tmp_path / "reports", grades)
    return {total.who: total for total in totals(read_graded(reports))}


def attempt(number, passed, *, students=(ANN,), days=None, name=None, **final):
    at = DAY + timedelta(days=days) if days is not None else None
    handed_in = HandedIn(name or f"ann-{number}", students, at, attempt=number)
    return exported.grade_json(handed_in, passed, **final)


def test_the_last_attempt_counts(tmp_path):
    told = found(tmp_path, attempt(1, 4), attempt(3, 2), attempt(2, 3))
    assert (told["Ann"].points, told["Ann"].graded.attempt) == (10.0, 3)


def test_attempts_are_in_the_order_of_their_numbers_and_not_of_names(tmp_path):
    assert found(tmp_path, attempt(9, 4), attempt(10, 1))["Ann"].points == 5.0


def test_the_best_attempt_counts_where_the_lab_says_so(tmp_path):
    grades = [attempt(n, passed, attempts="best") for n, passed in ((1, 1), (2, 4), (3, 2))]
    assert found(tmp_path, *grades)["Ann"].graded.attempt == 2


def test_of_two_equally_good_attempts_the_later_one_counts(tmp_path):
    grades = [attempt(number, 3, attempts="best") for number in (2, 1)]
    assert found(tmp_path, *grades)["Ann"].graded.attempt == 2


def test_an_earlier_attempt_that_is_held_back_does_not_matter_where_the_last_counts(tmp_path):
    total = found(tmp_path, exported.not_judged(attempt(1, 4)), attempt(2, 2))["Ann"]
    assert (total.points, total.held_back) == (10.0, "")


def test_a_last_attempt_that_is_held_back_holds_the_student_back(tmp_path):
    total = found(tmp_path, attempt(1, 4), exported.not_judged(attempt(2, 4)))["Ann"]
    assert (total.points, total.held_back) == (None, "not all of it could be judged (out of disk)")


def test_any_attempt_that_is_held_back_could_be_the_best(tmp_path):
    held_back = attempt(1, 4, attempts="best", points=None, held_back="answers not marked")
    total = found(tmp_path, held_back, attempt(2, 4, attempts="best"))["Ann"]
    assert total.points is None
    assert total.held_back == "the best attempt counts, and ann-1 is held back: answers not marked"


def test_one_attempt_again_at_a_later_time_is_told_by_its_time(tmp_path):
    grades = [attempt(1, 4, days=2, name="a"), attempt(1, 2, days=3, name="b")]
    assert found(tmp_path, *grades)["Ann"].points == 10.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"days": 1}, {}),
        ({"days": 1}, {"days": 1}),
        ({"days": 1}, {"days": 2, "students": (ANN, BO)}),
    ],
    ids=["no times", "one time", "the same time", "another group"],
)
def test_two_submissions_of_one_attempt_are_a_conflict(tmp_path, one, other):
    told = found(tmp_path, attempt(1, 4, name="a", **one), attempt(1, 2, name="b", **other))
    assert told["Ann"].points is None
    assert told["Ann"].held_back == (
        "in several submissions of the same attempt (a, b); correct students.csv and grade again"
    )


def test_another_group_in_another_attempt_is_no_conflict(tmp_path):
    told = found(
        tmp_path, attempt(1, 4, students=(ANN, BO), name="a"), attempt(2, 2, name="b", days=1)
    )
    assert (told["Ann"].points, told["Bo"].points) == (10.0, 20.0)


def test_grades_under_different_policies_are_not_compared(tmp_path):
    total = found(tmp_path, attempt(1, 4, attempts="best"), attempt(2, 2))["Ann"]
    assert "different policies (ann-1, ann-2); run `harness grade` again" in total.held_back


def test_one_id_for_two_people_is_a_conflict_in_any_attempt(tmp_path):
    told = found(
        tmp_path,
        attempt(1, 4, students=(Student("1", "Ann Lee"),), name="a"),
        attempt(2, 2, students=(Student("1", "Bo Lee"),), name="b"),
    )
    [total] = told.values()
    assert total.points is None
    assert total.held_back == (
        "Ann Lee, Bo Lee have the same id or address (a, b); correct students.csv and grade again"
    )


def test_a_name_written_in_another_order_is_the_same_person(tmp_path):
    other = Student("1", "LEE, Ann")
    told = found(
        tmp_path,
        attempt(1, 4, students=(Student("1", "Ann Lee"),)),
        attempt(2, 2, students=(other, other)),
    )
    assert told["LEE, Ann"].points == 10.0


def test_students_of_the_same_name_are_told_apart_by_id(tmp_path):
    twins = [HandedIn(f"m{n}", (Student(str(n), "Anna Müller"),)) for n in (1, 2)]
    reports = exported.store(tmp_path / "r", [exported.grade_json(one) for one in twins])
    assert len(totals(read_graded(reports))) == 2


def test_students_without_an_id_are_told_apart_by_mail_then_by_name(tmp_path):
    people = [
        *(Student(name="Ann", email="a@x.org"), Student(name="Ann", email="A@X.org")),
        *(Student(name="Zoë"), Student(name="zoe\u0308")),
    ]
    grades = [
        exported.grade_json(HandedIn(f"h{n}", (who,), attempt=n)) for n, who in enumerate(people, 1)
    ]
    reports = exported.store(tmp_path / "r", grades)
    assert [total.graded.submission for total in totals(read_graded(reports))] == ["h2", "h4"]


def test_two_people_of_one_name_do_not_become_one(tmp_path):
    novak = Student(name="Jan Novak")
    grades = [attempt(1, n, students=(novak,), days=n, name=f"novak-{n}") for n in (2, 3)]
    told = found(tmp_path, *grades)["Jan Novak"]
    assert told.points is None
    assert told.held_back == (
        "in several submissions of the same attempt (novak-2, novak-3); correct students.csv and "
        "grade again"
    )


def test_a_grade_from_before_policies_is_held_back(tmp_path):
    grade = attempt(1, 4)
    del grade["final"]
    assert "run `harness grade` again" in found(tmp_path, grade)["Ann"].held_back


def test_a_folder_of_a_taken_name_is_found_where_it_is(tmp_path):
    reports = exported.store(tmp_path / "r", [attempt(1, 4, name="grades.csv")])
    (reports / "grades.csv").rename(reports / "grades.csv.submission")
    [graded] = read_graded(reports)
    assert (graded.submission, graded.report) == ("grades.csv", "grades.csv.submission/report.html")


def test_what_is_left_of_another_lab_is_held_back(tmp_path):
    # Ann's second attempt and Bo are of the lab before; the CSV is of the last cohort.
    left = [attempt(2, 1), attempt(1, 4, students=(BO,), name="bo")]
    for grade in left:
        grade["digests"]["lab"] = "before"
    now = attempt(1, 4)
    reports = exported.store(tmp_path / "r", [now, *left])
    Gradebook(reports).write_csv([now])
    told = {total.who: total for total in totals(read_graded(reports))}
    assert {who: total.points for who, total in told.items()} == {"Ann": None, "Bo": None}
    assert "graded with another lab" in told["Bo"].held_back
    assert told["Bo"].graded.remedy == "grade it again, or move its folder out of the reports"
    # One that was graded with this lab stays, though not in the last cohort.
    left[1]["digests"]["lab"] = "a"
    (reports / "bo" / "grade.json").write_text(json.dumps(left[1]))
    told = {total.who: total for total in totals(read_graded(reports))}
    assert (told["Bo"].points, told["Ann"].points) == (20.0, None)


def test_no_folder_and_no_grade_are_said(tmp_path):
    with pytest.raises(UsageError, match="expected the folder that `harness grade` left"):
        folders_of(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no grade here"):
        folders_of(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "cannot be read"), ("[]", "expected a grade of format version 1"), ("{}", "format")],
)
def test_a_damaged_grade_is_said_and_not_left_out(tmp_path, text, told):
    reports = exported.store(tmp_path / "r", [attempt(1, 4)])
    (reports / "ann-1" / "grade.json").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=told):
        list(read_graded(reports))


def test_nothing_is_exported_while_a_grader_is_at_work(tmp_path):
    reports = exported.store(tmp_path / "r", [attempt(1, 4)])
    with Gradebook(reports).locked(), pytest.raises(UsageError, match="another grader is at work"):
        list(read_graded(reports))
    assert len(list(read_graded(reports))) == 1


def test_what_is_kept_of_a_grade_is_small(tmp_path):
    grade = attempt(1, 4)
    grade["run"]["printed"] = "x" * 10**6
    reports = exported.store(tmp_path / "r", [grade])
    [graded] = read_graded(reports)
    assert len(json.dumps(repr(graded))) < 1000
