"""Whose row is whose: by id, login, e-mail, name; never a guess."""

from __future__ import annotations

from pathlib import Path

import exported
import pytest

from harness.exchange.matching import Person, match, tell
from harness.exchange.preflight import Account, Kind
from harness.exchange.totals import Total, graded_of
from harness.handed_in import HandedIn, Student


def total(submission, *who):
    grade = exported.grade_json(HandedIn(submission, (Student(*who),) if who else ()))
    return Total(Student(*who), graded_of(Path("reports"), submission, grade))


def row(number, *who, **more):
    return Person(number, number + 2, *who, **more)


def pairs(totals, people):
    found = match(totals, people)
    return {place: one.graded.submission for place, one in found.rows.items()}, found


JANE = ("7", "Jane Doe", "jane@x.org")


@pytest.mark.parametrize(
    "person",
    [
        {"id": "7", "names": ("Jane Doe",)},
        {"id": "7", "names": ("Doe, Jane",)},
        {"id": "7", "names": ("janedoe",)},
        {"id": "7"},
        {"id": "99", "logins": ("7",)},
        {"id": "99", "logins": ("JANE@x.org",)},
        {"id": "99", "email": "Jane@X.org", "names": ("J. Doe",)},
        {"id": "99", "names": ("JANE  DOE",)},
        {"id": "99", "names": ("Doe, Jane", "Jane Doe")},
    ],
)
def test_a_student_is_found_by_any_of_them(person):
    others = [row(1, "8", names=("John Roe",)), row(2, "70", email="jane@y.org")]
    assert pairs([total("a", *JANE)], [*others, row(0, **person)])[0] == {0: "a"}


def test_an_id_that_is_another_rows_login_needs_a_name_or_an_address():
    people = [
        row(0, "104", names=("Ann Lee",), logins=("900",), email="ann@x.org"),
        row(1, "900", names=("Bo Li",), email="bo@x.org"),
    ]
    for student in (total("900"), total("a", "900")):
        rows, found = pairs([student], people)
        assert rows == {}
        assert found.unmatched[0][1] == (
            "several rows have this id or login: Bo Li 900 (line 3), Ann Lee 104 (line 2); "
            "correct students.csv"
        )
    assert pairs([total("a", "900", "LI, Bo")], people)[0] == {1: "a"}
    assert pairs([total("a", "900", "", "BO@x.org")], people)[0] == {1: "a"}
    assert pairs([total("a", "104")], people)[0] == {0: "a"}


def test_the_id_comes_before_the_name():
    people = [row(0, "7", names=("Anna Müller",)), row(1, "8", names=("Anna Müller",))]
    twins = [total("b", "8", "Anna Müller"), total("a", "7", "Anna Müller")]
    assert pairs(twins, people)[0] == {0: "a", 1: "b"}


def test_a_name_that_two_rows_have_is_no_match():
    people = [row(0, "7", names=("Anna Müller",)), row(1, "8", names=("Anna Müller",))]
    found = match([total("a", "", "Anna Müller")], people)
    assert not found.rows
    [(_, why)] = found.unmatched
    assert why == (
        "several rows have this name: Anna Müller 7 (line 2), Anna Müller 8 (line 3); "
        "correct students.csv"
    )
    assert found.left == people


def test_a_row_that_two_students_claim_is_neither_s():
    _, found = pairs(
        [total("a", "", "Jane Doe"), total("b", "", "jane doe", "j@x.org")],
        [row(0, "7", names=("Jane Doe",))],
    )
    assert not found.rows
    assert [why for _, why in found.unmatched] == [
        "line 2 would also be that of jane doe (b)",
        "line 2 would also be that of Jane Doe (a)",
    ]


def test_an_id_of_another_system_is_contradicted_by_the_name():
    _, found = pairs([total("a", "7", "Jane Doe")], [row(0, "7", names=("John Roe",))])
    [(_, why)] = found.unmatched
    assert why == "the row with this id is about John Roe 7 (line 2); correct students.csv"


def test_a_mail_address_confirms_an_id_whatever_the_name():
    person = row(0, "7", email="JANE@x.org", names=("Jane Roe",))
    assert pairs([total("a", *JANE)], [person])[0] == {0: "a"}


@pytest.mark.parametrize("name", ["Zoë Åberg", "Zoe\u0308 A\u030aberg", "zoë  åberg", "Åberg, Zoë"])
def test_composed_and_decomposed_names_are_the_same(name):
    people = [row(0, "7", names=("Zoë Åberg", "Åberg, Zoë")), row(1, "8", names=("Zoe Aberg",))]
    assert pairs([total("a", "", name)], people)[0] == {0: "a"}


def test_what_systems_drop_from_names_does_not_contradict_an_id():
    person = row(0, "7", names=("Conan O'Brien-Smith (guest)",))
    assert pairs([total("a", "7", "Conan OBrienSmith guest")], [person])[0] == {0: "a"}


@pytest.mark.parametrize("name", ["Participant 7", "Participant", ""])
def test_a_hidden_name_is_the_participant(name):
    person = row(0, "7", names=("Jane Doe", "Participant 7"))
    assert pairs([total("a", "7", name)], [person])[0] == {0: "a"}


def test_a_submission_of_nobody_is_found_by_its_own_name():
    people = [row(0, "7", logins=("jdoe",)), row(1, "8", names=("John Roe",))]
    assert pairs([total("JDoe"), total("john roe")], people)[0] == {0: "JDoe", 1: "john roe"}


def test_empty_ids_names_and_mails_match_nothing():
    people = [row(0, names=("",), logins=("",)), row(1)]
    found = match([total("a", "", "Jane")], people)
    assert not found.rows
    assert found.unmatched[0][1] == (
        "nobody in the sheet has this id, login, e-mail or name; correct students.csv, where a "
        "group has a row for each member"
    )


def test_the_account_names_who_is_missing_on_both_sides():
    account = Account()
    tell(match([total("a", "1", "Jane")], [row(0, "2", names=("Bo",)), row(1)]), account)
    [told] = account.told[Kind.UNMATCHED]
    assert told.startswith("Jane (a): nobody in the sheet has this id, login, e-mail or name")
    assert account.told[Kind.WITHOUT_GRADE] == ["Bo 2 (line 2)", "nobody (line 3)"]
    assert account.needs_a_person


def test_rows_without_a_grade_alone_need_nobody():
    account = Account()
    tell(match([], [row(0, "2")]), account)
    assert not account.needs_a_person
