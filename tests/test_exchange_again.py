"""Importing again: what a person corrected stays, what is the same is left, nothing is deleted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import archives
import pytest
from test_exchange_incoming import contents

from harness.errors import UsageError
from harness.exchange import writing
from harness.exchange.incoming import Wanted, bring_in
from harness.handed_in import FILE, HandedIn, Student, read_table, write_table

WHO = [archives.Person(n, "Jane", name) for n, name in ((1, "Doe"), (2, "Roe"), (3, "'=Poe "))]
WORKS = [archives.Work((who,), {"submission.py": b"# 1\n"}) for who in WHO]


def imported(folder: Path, works, *, sheet: bool = True, **more):
    made = archives.moodle(folder, works)
    sheets = made.sheets if sheet else ()
    return bring_in(Wanted(made.archive, "moodle", folder / "out", sheets, **more))


def said(account, text: str) -> str:
    """The one line of an account with a text in it."""
    [line] = [line for line in account.lines if text in line]
    return line


def test_the_same_archive_again_changes_no_byte(tmp_path):
    imported(tmp_path, WORKS)
    before = contents(tmp_path / "out")
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("submission.py")}
    account = imported(tmp_path, WORKS)
    assert contents(tmp_path / "out") == before
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("submission.py")} == times
    assert said(account, "left as they are") == "there already and left as they are: 3"
    assert not [line for line in account.lines if "corrected" in line]


def test_what_a_person_corrected_stays_column_by_column(tmp_path):
    imported(tmp_path, WORKS)
    table = read_table(tmp_path / "out")
    jane = Student("77", "Jane D. Doe", "right@example.org")
    table["jane-doe-1"] = replace(table["jane-doe-1"], students=(jane,), note="by hand")
    write_table(tmp_path / "out" / FILE, table.values())
    later = replace(WORKS[0], files={"submission.py": b"# 2\n"})
    for _ in range(3):
        account = imported(tmp_path, [later, *WORKS[1:]])
        assert said(account, "corrected by hand") == (
            "corrected by hand in students.csv, and kept: jane-doe-1"
        )
        row = read_table(tmp_path / "out")["jane-doe-1"]
        assert (row.students, row.note, row.at) == ((jane,), "by hand", WORKS[0].at)


def test_a_time_that_was_corrected_is_of_the_files_of_then(tmp_path):
    imported(tmp_path, WORKS)
    table = read_table(tmp_path / "out")
    earlier = WORKS[0].at - timedelta(days=5)
    table["jane-doe-1"] = replace(table["jane-doe-1"], at=earlier, note="by hand")
    write_table(tmp_path / "out" / FILE, table.values())
    imported(tmp_path, WORKS)
    assert read_table(tmp_path / "out")["jane-doe-1"].at == earlier
    again = replace(WORKS[0], files={"submission.py": b"# 2\n"})
    account = imported(tmp_path, [again, *WORKS[1:]])
    row = read_table(tmp_path / "out")["jane-doe-1"]
    assert (row.at, row.note) == (WORKS[0].at, "by hand")
    assert said(account, "as the archive tells it").endswith(": jane-doe-1 (at)")
    account = imported(tmp_path, [again, *WORKS[1:]])
    assert not [line for line in account.lines if "as the archive tells it" in line]
    assert said(account, "corrected by hand in") is not None


def test_who_handed_in_again_has_the_new_files_and_the_old_are_kept(tmp_path):
    imported(tmp_path, WORKS)
    for n in (2, 3):
        account = imported(
            tmp_path, [replace(WORKS[0], files={"submission.py": f"# {n}\n".encode()}), *WORKS[1:]]
        )
        assert "jane-doe-1" in said(account, "handed in again")
    out = tmp_path / "out"
    assert contents(out / "jane-doe-1") == {"submission.py": b"# 3\n"}
    assert contents(out / "_replaced") == {
        "jane-doe-1/submission.py": b"# 1\n",
        "jane-doe-1-2/submission.py": b"# 2\n",
    }


def test_files_that_a_person_put_right_stay_until_something_else_is_handed_in(tmp_path):
    unclear = replace(WORKS[0], files={"a.ipynb": b"x", "b.ipynb": b"y"})
    account = imported(tmp_path, [unclear, *WORKS[1:]])
    assert account.doubtful
    folder = tmp_path / "out" / "jane-doe-1"
    (folder / "a.ipynb").rename(folder / "submission.ipynb")
    for _ in range(2):
        account = imported(tmp_path, [unclear, *WORKS[1:]])
        assert not account.doubtful
        assert said(account, "files corrected") == "files corrected by hand, and kept: jane-doe-1"
        assert contents(folder) == {"submission.ipynb": b"x", "b.ipynb": b"y"}
        assert not [line for line in account.lines if "handed in again" in line]
        assert account.counts["lost"] == 0
    account = imported(tmp_path, WORKS)
    assert "jane-doe-1" in said(account, "handed in again")
    assert contents(folder) == WORKS[0].files
    kept = tmp_path / "out" / "_replaced" / "jane-doe-1"
    assert contents(kept) == {"submission.ipynb": b"x", "b.ipynb": b"y"}


def test_files_that_are_gone_come_back(tmp_path):
    imported(tmp_path, WORKS)
    shutil.rmtree(tmp_path / "out" / "jane-doe-1")
    imported(tmp_path, WORKS)
    assert contents(tmp_path / "out" / "jane-doe-1") == WORKS[0].files


def test_what_a_file_manager_leaves_in_a_folder_is_no_correction(tmp_path):
    imported(tmp_path, WORKS)
    (tmp_path / "out" / "jane-doe-1" / ".DS_Store").touch()
    account = imported(tmp_path, WORKS)
    assert said(account, "there already").endswith(f": {len(WORKS)}")


def test_whose_it_is_needs_no_eye_once_a_person_has_said_so(tmp_path):
    made = archives.canvas(tmp_path, WORKS)
    gone = made.sheets[0].read_text("utf-8-sig").replace(",400001,", ",999999,")
    made.sheets[0].write_text(gone, "utf-8")
    wanted = Wanted(made.archive, "canvas", tmp_path / "out", made.sheets)
    account = bring_in(wanted)
    assert account.doubtful
    assert "write it into students.csv" in said(account, "where it is not clear whose it is")
    table = read_table(tmp_path / "out")
    [name] = [name for name in table if name.endswith("400001")]
    table[name] = replace(table[name], students=(Student("999999", "Jane"),))
    write_table(tmp_path / "out" / FILE, table.values())
    account = bring_in(wanted)
    assert not account.doubtful
    assert not [line for line in account.lines if "not clear" in line]


def test_who_is_gone_from_the_archive_is_kept_and_said(tmp_path):
    imported(tmp_path, WORKS)
    account = imported(tmp_path, WORKS[:2])
    assert said(account, "not in this archive") == "not in this archive, and kept: jane-poe-3"
    assert (tmp_path / "out" / "jane-poe-3" / "submission.py").exists()
    assert "jane-poe-3" in read_table(tmp_path / "out")


def test_a_row_that_was_removed_comes_back_and_is_said(tmp_path):
    imported(tmp_path, WORKS)
    table = read_table(tmp_path / "out")
    del table["jane-roe-2"]
    write_table(tmp_path / "out" / FILE, table.values())
    account = imported(tmp_path, WORKS)
    assert said(account, "removed from students.csv").endswith(": jane-roe-2")
    assert "jane-roe-2" in read_table(tmp_path / "out")


def test_without_the_sheet_what_the_sheet_told_is_not_forgotten(tmp_path):
    imported(tmp_path, WORKS)
    before = read_table(tmp_path / "out")
    account = imported(tmp_path, WORKS, sheet=False)
    assert read_table(tmp_path / "out") == before
    assert not [line for line in account.lines if "corrected" in line]
    imported(tmp_path, [replace(WORKS[0], files={"submission.py": b"# 2\n"})], sheet=False)
    assert read_table(tmp_path / "out")["jane-doe-1"].at is None  # no longer that time


def test_with_the_sheet_later_the_same_students_keep_their_folder(tmp_path):
    made = archives.canvas(tmp_path, WORKS)
    out = tmp_path / "out"
    bring_in(Wanted(made.archive, "canvas", out))
    before = set(read_table(out))
    assert "doejane-400001" in before
    bring_in(Wanted(made.archive, "canvas", out, made.sheets))
    table = read_table(out)
    assert set(table) == before
    assert table["doejane-400001"].students[0].name == "Doe, Jane"


def test_a_table_that_was_made_by_hand_is_a_persons(tmp_path):
    (tmp_path / "out").mkdir()
    mine = HandedIn(
        "jane-doe-1", (Student("1", "Mine"),), datetime(2026, 1, 1, tzinfo=timezone.utc)
    )
    write_table(tmp_path / "out" / FILE, [mine])
    account = imported(tmp_path, WORKS)
    assert read_table(tmp_path / "out")["jane-doe-1"] == mine
    assert "jane-doe-1" in said(account, "corrected by hand")


def test_a_crash_before_the_table_is_mended_by_importing_again(tmp_path, monkeypatch):
    imported(tmp_path, WORKS)
    later = [replace(WORKS[0], files={"lab.py": b"# 2\n"}, kind="renamed"), *WORKS[1:]]
    real = Path.replace

    def crash(self, target):
        if self.name == FILE:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            imported(tmp_path, later)
    assert read_table(tmp_path / "out")["jane-doe-1"].note == ""  # the table is the old one
    account = imported(tmp_path, later)
    assert not [line for line in account.lines if "corrected" in line]
    assert "lab.py" in read_table(tmp_path / "out")["jane-doe-1"].note
    assert not (tmp_path / "out" / "_partial").exists()


def test_a_crash_while_writing_leaves_no_half_of_a_submission(tmp_path, monkeypatch):
    copied = []

    def crash(source, target):
        copied.append(target)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(writing.shutil, "copyfile", crash)
        with pytest.raises(OSError, match="No space"):
            imported(tmp_path, WORKS)
    assert copied
    assert not (tmp_path / "out").exists()
    assert imported(tmp_path, WORKS).counts["matched"] == 3


def test_a_file_that_disappears_is_said_to_be_lost(tmp_path, monkeypatch):
    real = writing._copy

    def careless(one, folder):
        real(one, folder)
        (folder / "submission.py").write_bytes(b"")

    monkeypatch.setattr(writing, "_copy", careless)
    account = imported(tmp_path, WORKS)
    assert account.summary() == ("6 files: 0 matched, 0 renamed, 0 nested zips, 3 left out, 3 lost")
    assert account.doubtful


def test_memory_that_cannot_be_read_is_said(tmp_path):
    imported(tmp_path, WORKS)
    for text in ("{", "[]", '{"a": [{}]}', json.dumps({"a": 1})):
        (tmp_path / "out" / "_imported.json").write_text(text)
        with pytest.raises(UsageError, match="remove it, and all of students"):
            imported(tmp_path, WORKS)


def test_files_that_are_nobodys_are_put_aside_once(tmp_path):
    archive = archives.pack(
        tmp_path / "a.zip",
        {
            "Jane Doe_1_assignsubmission_file/submission.py": b"",
            "x.py": b"1",
        },
    )
    for _ in range(2):
        bring_in(Wanted(archive, "moodle", tmp_path / "out"))
    assert contents(tmp_path / "out" / "_unmatched") == {"x.py": b"1"}
    archives.pack(archive, {"Jane Doe_1_assignsubmission_file/submission.py": b"", "x.py": b"2"})
    bring_in(Wanted(archive, "moodle", tmp_path / "out"))
    assert contents(tmp_path / "out" / "_unmatched") == {"x.py": b"1", "x-2.py": b"2"}


def test_every_attempt_becomes_a_submission_where_that_is_wanted(tmp_path):
    work = archives.Work(
        (WHO[0],),
        {"submission.py": b"# new\n", "a.txt": b"a"},
        earlier={"submission.py": b"# old\n"},
    )
    made = archives.canvas(tmp_path, [work])
    out = tmp_path / "out"
    account = bring_in(Wanted(made.archive, "canvas", out, attempts="all"))
    table = read_table(out)
    assert {name: row.attempt for name, row in table.items()} == {
        "doejane-400001.attempt1": 1,
        "doejane-400001.attempt2": 2,
    }
    assert contents(out / "doejane-400001.attempt1") == {"submission.py": b"# old\n"}
    assert contents(out / "doejane-400001.attempt2") == {"submission.py": b"# new\n", "a.txt": b"a"}
    assert account.counts["earlier"] == 0
    bring_in(Wanted(made.archive, "canvas", out, made.sheets, attempts="all"))
    assert set(read_table(out)) == set(table)


def test_the_last_attempt_counts_and_that_is_said(tmp_path):
    work = archives.Work(
        (WHO[0],), {"submission.py": b"# new\n"}, earlier={"submission.py": b"# old\n"}
    )
    made = archives.canvas(tmp_path, [work])
    account = bring_in(Wanted(made.archive, "canvas", tmp_path / "out"))
    assert contents(tmp_path / "out" / "doejane-400001") == {"submission.py": b"# new\n"}
    assert said(account, "attempt 2 of 2 counts, the last")
    assert "submission.py" in said(account, "of earlier attempts: ")
    [row] = read_table(tmp_path / "out").values()
    assert (row.attempt, row.note) == (2, "attempt 2 of 2 counts, the last")


def test_an_import_can_be_imported_from_its_own_layout(tmp_path):
    imported(tmp_path, WORKS)
    again = tmp_path / "again"
    account = bring_in(Wanted(tmp_path / "out", "folder", again))
    assert read_table(again) == read_table(tmp_path / "out")
    assert account.counts["own"] == 2  # students.csv and _imported.json
    assert contents(again / "jane-doe-1") == contents(tmp_path / "out" / "jane-doe-1")


def test_submissions_are_never_written_into_where_they_come_from(tmp_path):
    made = archives.plain_folder(tmp_path, WORKS)
    for out in (made.archive, made.archive / "out", tmp_path):
        with pytest.raises(
            UsageError, match="cannot be written into the folder that they come from"
        ):
            bring_in(Wanted(made.archive, "folder", out))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="expected a folder to write to, found a file"):
        bring_in(Wanted(made.archive, "folder", tmp_path / "file"))
