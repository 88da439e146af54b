"""Importing whole cohorts: every file is accounted for, everything arrives, nothing is lost."""

from __future__ import annotations

import re
from pathlib import Path

import archives
import pytest

from harness.exchange.incoming import Account, Wanted, bring_in
from harness.handed_in import HandedIn, read_table
from harness.opened import prepare
from harness.submission import find_submissions

COHORT = archives.cohort(60)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def adds_up(account: Account) -> bool:
    total, *parts = map(int, re.findall(r"\b\d+\b(?= [a-z])", account.summary()))
    return total == account.files == sum(parts) == sum(account.counts.values())


def check(made: archives.Made, out: Path, account: Account) -> dict[str, HandedIn]:
    """Everybody's files are there under their name, and the numbers are right."""
    table = read_table(out)
    assert len(table) == len(made.truths)
    by_who = {
        (tuple(s.id for s in r.students), tuple(s.name for s in r.students)): r
        for r in table.values()
    }
    for truth in made.truths:
        row = by_who[truth.ids, truth.names]
        assert contents(out / row.submission) == truth.files
        assert (row.at, row.late) == (truth.at, truth.late)
    kinds = [truth.kind for truth in made.truths]
    assert account.files == made.files
    assert adds_up(account)
    expected = {
        "renamed": kinds.count("renamed"),
        "nested": kinds.count("nested"),
        "left out": made.litter,
        "own": made.own,
        "earlier": made.earlier,
        "lost": 0,
        "unmatched": 0,
    }
    assert {name: account.counts[name] for name in expected} == expected
    assert account.doubtful  # "unclear" works are among them
    return table


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ""])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"folders": False},
        {"trailing": True},
        {"blind": True},
        {"language": "de"},
        {"folders": False, "blind": True, "language": "de"},
    ],
    ids=str,
)
def test_sixty_of_sixty_from_moodle(tmp_path, options, ending):
    made = archives.moodle(tmp_path, COHORT, ending=ending, **options)
    out = tmp_path / "out"
    account = bring_in(Wanted(made.archive, "moodle", out, made.sheets))
    check(made, out, account)


def test_sixty_of_sixty_from_canvas(tmp_path):
    made = archives.canvas(tmp_path, COHORT)
    out = tmp_path / "out"
    check(made, out, bring_in(Wanted(made.archive, "canvas", out, made.sheets)))


def test_sixty_of_sixty_from_canvas_without_names(tmp_path):
    made = archives.canvas(tmp_path, COHORT, anonymous=True)
    out = tmp_path / "out"
    check(made, out, bring_in(Wanted(made.archive, "canvas", out)))


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ""])
def test_sixty_of_sixty_from_gradescope(tmp_path, ending):
    made = archives.gradescope(tmp_path, COHORT, ending=ending)
    out = tmp_path / "out"
    check(made, out, bring_in(Wanted(made.archive, "gradescope", out)))


@pytest.mark.parametrize("sheets", [True, False])
def test_sixty_of_sixty_from_github(tmp_path, sheets):
    made = archives.github(tmp_path, COHORT, sheets=sheets)
    out = tmp_path / "out"
    check(made, out, bring_in(Wanted(made.archive, "github", out, made.sheets)))


@pytest.mark.parametrize("ending", ["", ".zip", ".tar.gz"])
def test_sixty_of_sixty_from_a_folder(tmp_path, ending):
    made = archives.plain_folder(tmp_path, COHORT, ending=ending)
    out = tmp_path / "out"
    check(made, out, bring_in(Wanted(made.archive, "folder", out)))


def test_the_grader_finds_what_the_account_says(tmp_path):
    made = archives.moodle(tmp_path, COHORT)
    out = tmp_path / "out"
    bring_in(Wanted(made.archive, "moodle", out, made.sheets))
    table = read_table(out)
    kinds = {truth.ids: truth.kind for truth in made.truths}
    found = find_submissions(out)
    assert {submission.name for submission in found} == table.keys()
    for submission in found:
        ready = prepare(submission, tmp_path / "ready" / submission.name)
        kind = kinds[tuple(s.id for s in table[submission.name].students)]
        assert bool(ready.files) == (kind != "unclear"), submission.name
