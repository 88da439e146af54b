"""What Moodle, Canvas, Gradescope and folders call things, one rule at a time."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import archives
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_exchange_incoming import adds_up, contents

from harness import cli
from harness.errors import UsageError
from harness.exchange import gradescope
from harness.exchange.incoming import SYSTEMS, Wanted, bring_in
from harness.exchange.planning import Kind, shape_of
from harness.handed_in import HandedIn, Student, read_table
from harness.opened import prepare
from harness.policy import LatePolicy, Policy
from harness.starters import signed_notebook, signed_script
from harness.submission import Submission


def imported(tmp_path: Path, system: str, files, *sheets: str, **more):
    """Import files; the account, and the table."""
    archive = archives.pack(
        tmp_path / "a.zip", {name: data or b"x" for name, data in files.items()}
    )
    paths = []
    for number, text in enumerate(sheets):
        paths.append(tmp_path / f"sheet{number}.csv")
        paths[-1].write_text(text, "utf-8")
    account = bring_in(Wanted(archive, system, tmp_path / "out", paths, **more))
    assert adds_up(account)
    return account, read_table(tmp_path / "out")


FILE = "_assignsubmission_file"


@pytest.mark.parametrize(
    ("names", "submission", "inside"),
    [
        ([f"Jane Doe_12{FILE}/submission.py"], "jane-doe-12", {"submission.py"}),
        ([f"Jane Doe_12{FILE}/src/a.py"], "jane-doe-12", {"src/a.py"}),
        ([f"Jane Doe_12{FILE}_/submission.py"], "jane-doe-12", {"submission.py"}),
        ([f"Jane Doe_12{FILE}_a_b_1.py"], "jane-doe-12", {"a_b_1.py"}),
        ([f"Jane Doe_12{FILE}_x{FILE}_y.py"], "jane-doe-12", {f"x{FILE}_y.py"}),
        ([f"Participant_12{FILE}_a.py"], "participant-12", {"a.py"}),
        ([f"Team 5_9{FILE}/a.py"], "team-5-9", {"a.py"}),
        ([f"Default group{FILE}/a.py"], "default-group", {"a.py"}),
        (
            ["J_1_assignsubmission_onlinetext/onlinetext.html", f"J_1{FILE}/a.py"],
            "j-1",
            {"onlinetext.html", "a.py"},
        ),
        (["J_1_assignsubmission_onlinetext_onlinetext.html"], "j-1", {"onlinetext.html"}),
        ([f"all/of/them/J_1{FILE}/a.py"], "j-1", {"a.py"}),
    ],
)
def test_moodles_names(tmp_path, names, submission, inside):
    account, table = imported(tmp_path, "moodle", dict.fromkeys(names))
    assert set(table) == {submission}
    assert set(contents(tmp_path / "out" / submission)) == inside
    assert account.counts["unmatched"] == 0


def test_what_was_only_typed_into_moodle_needs_an_eye(tmp_path):
    account, table = imported(tmp_path, "moodle", {"J_1_assignsubmission_onlinetext_o.html": b""})
    assert "typed into Moodle, no file; no code at the top; found o.html" in table["j-1"].note
    assert account.doubtful


HEAD = "Identifier,Full name,Email address,Group,Grade,Maximum Grade,Last modified (submission)\n"


def test_the_worksheet_tells_name_address_and_time(tmp_path):
    sheet = HEAD + 'Participant 12,Jane O\'Doe,j@x.org,-,,20,"Friday, 4 December 2026, 10:10 PM"\n'
    _, table = imported(tmp_path, "moodle", {f"Jane ODoe_12{FILE}/submission.py": b""}, sheet)
    assert table["jane-o-doe-12"] == HandedIn(
        "jane-o-doe-12",
        (Student("12", "Jane O'Doe", "j@x.org"),),
        datetime(2026, 12, 4, 22, 10, tzinfo=timezone.utc),
    )


def test_a_group_is_one_submission_of_its_members(tmp_path):
    time = '"Friday, 4 December 2026, 10:10 PM"'
    sheet = HEAD + "".join(f"Participant {n},N{n},n{n}@x.org,Team_A,,20,{time}\n" for n in (1, 2))
    sheet += f"Participant 9,Other,o@x.org,Team B,,20,{time}\n"
    account, table = imported(tmp_path, "moodle", {f"Team A_9{FILE}/submission.py": b""}, sheet)
    assert [student.id for student in table["team-a-9"].students] == ["1", "2"]
    assert not account.doubtful
    assert "in the sheet, without a file in the archive (1): Other" in account.lines


def test_a_group_that_handed_in_at_two_times_has_none(tmp_path):
    sheet = HEAD + 'Participant 1,A,,T,,20,"Friday, 4 December 2026, 10:10 PM"\n'
    sheet += 'Participant 2,B,,T,,20,"Friday, 4 December 2026, 10:11 PM"\n'
    _, table = imported(tmp_path, "moodle", {f"T_9{FILE}/submission.py": b""}, sheet)
    assert table["t-9"].at is None


def test_a_name_that_the_sheet_does_not_confirm_needs_an_eye(tmp_path):
    sheet = HEAD + "Participant 12,Somebody Else,s@x.org,-,,20,-\n"
    files = {f"Jane_12{FILE}/submission.py": b"", f"Bo_13{FILE}/submission.py": b""}
    account, table = imported(tmp_path, "moodle", files, sheet)
    assert (
        "the sheet calls participant 12 'Somebody Else', the archive 'Jane'"
        in table["jane-12"].note
    )
    assert table["jane-12"].students == (Student("12", "Jane"),)
    assert "'Bo' is not in the sheet" in table["bo-13"].note
    assert account.doubtful


def test_times_that_have_no_one_reading_are_left_empty_and_said(tmp_path):
    sheet = HEAD + "Participant 12,Jane,s@x.org,-,,20,4/12/2026 10:10\n"
    account, table = imported(tmp_path, "moodle", {f"Jane_12{FILE}/submission.py": b""}, sheet)
    assert table["jane-12"].at is None
    assert any(
        "1 times of the sheet have no one reading, such as '4/12/2026" in x for x in account.lines
    )


def test_a_column_that_is_not_recognised_is_said_and_can_be_named(tmp_path):
    sheet = "Xa,Xb,Xc\nZz 12,Jane,anything\n"
    account, _ = imported(tmp_path, "moodle", {f"Jane_12{FILE}/submission.py": b""}, sheet)
    assert any("--column submitted=HEADING" in line for line in account.lines)
    sheet = 'Xa,Xb,Xc,Xd\nZz 12,Jane,"Friday, 4 December 2026, 10:10 PM",\n'
    _, table = imported(
        tmp_path,
        "moodle",
        {f"Jane_12{FILE}/submission.py": b""},
        sheet,
        columns={"submitted": "Xc"},
    )
    assert table["jane-12"].at == datetime(2026, 12, 4, 22, 10, tzinfo=timezone.utc)


@pytest.mark.parametrize("system", ["moodle", "canvas"])
def test_one_sheet_is_enough(tmp_path, system):
    with pytest.raises(UsageError, match="--sheet is given twice"):
        imported(tmp_path, system, {f"J_1{FILE}/a.py": b"", "doe_1_2_a.py": b""}, HEAD, HEAD)


@pytest.mark.parametrize(
    ("name", "submission", "inside", "late"),
    [
        ("doejane_4001_9001_submission.py", "doejane-4001", "submission.py", False),
        ("doejane_LATE_4001_9001_my_lab_5.py", "doejane-4001", "my_lab_5.py", True),
        ("van_der_4001_9001_a.py", "van-der-4001", "a.py", False),
        ("_4001_9001_a.py", "4001", "a.py", False),
        ("李明_4001_9001_a.py", "李明-4001", "a.py", False),
        ("शर्मा_4001_9001_a.py", "शर्मा-4001", "a.py", False),
        ("doe_4001_9001_2_3_a.py", "doe-4001", "2_3_a.py", False),
        ("doe_4001_9001_submission-1.py", "doe-4001", "submission.py", False),
        ("doe_4001_9001_lab-5.py", "doe-4001", "lab-5.py", False),
        ("doe_4001_text.html", "doe-4001", "text.html", False),
        ("doe_LATE_4001_link.html", "doe-4001", "link.html", True),
        ("anon_aB3dE_9001_a.py", "anonymous-ab3de", "a.py", False),
        ("LATE_anon_aB3dE_9001_a.py", "anonymous-ab3de", "a.py", True),
        ("anon_aB3dE_text.html", "anonymous-ab3de", "text.html", False),
    ],
)
def test_canvass_names(tmp_path, name, submission, inside, late):
    _, table = imported(tmp_path, "canvas", {name: b""})
    assert set(contents(tmp_path / "out" / submission)) == {inside}
    assert table[submission].late == late


GRADEBOOK = 'Student,ID,SIS Login ID,Section,Lab (7)\n"Doe, Jane",4001,jane,A,\n'


def test_the_gradebook_tells_names_and_doubts(tmp_path):
    files = {f"{who}_9_submission.py": b"" for who in ("doejane_4001", "team1_4002", "bo_4003")}
    sheet = GRADEBOOK + '"Roe, Ann",4002,a@x.org,A,\n'
    account, table = imported(tmp_path, "canvas", files, sheet)
    assert table["doe-jane-4001"].students == (Student("4001", "Doe, Jane"),)
    assert table["roe-ann-4002"].students[0].email == "a@x.org"
    assert "a group? then add a row per member" in table["roe-ann-4002"].note
    assert "user 4003 ('bo') is not in the gradebook" in table["bo-4003"].note
    assert account.doubtful


def test_anonymous_work_stays_so_with_a_gradebook(tmp_path):
    account, table = imported(tmp_path, "canvas", {"anon_aB_9_submission.py": b""}, GRADEBOOK)
    assert table["anonymous-ab"].students == (Student("aB"),)
    assert "anonymous: the gradebook does not tell who is who" in account.lines


METADATA = """\
submission_7:
  :submitters:
  - :name: Ann
    :sid: '100'
    :email: a@x.org
  - :name: Bo
    :sid:
    :email: b@x.org
  :created_at: {created}
  :results: !ruby/object:Thing
    :a:
    - !ruby/sym b
    - !ruby/array:Thing [x]
"""


@pytest.mark.parametrize(
    ("created", "at"),
    [
        ("2026-12-04 21:10:00.123456789 Z", "2026-12-04T21:10:00.123456+00:00"),
        ("'2026-12-04T22:10:00+01:00'", "2026-12-04T22:10:00+01:00"),
        ("2026-12-04 21:10:00", "2026-12-04T21:10:00+00:00"),
        ("!ruby/object:Time {utc: 2026-12-04 21:10:00 Z, zone: x}", "2026-12-04T21:10:00+00:00"),
        ("'2026-12-04T22:10:00'", None),
        ("yesterday", None),
        ("[1]", None),
    ],
)
def test_gradescopes_metadata(tmp_path, created, at):
    text = METADATA.format(created=created)
    files = {"submission_metadata.yml": text.encode(), "submission_7/submission.py": b""}
    _, table = imported(tmp_path, "gradescope", files)
    [row] = table.values()
    assert row.submission == "ann-bo-100"
    assert row.students == (Student("100", "Ann", "a@x.org"), Student("b@x.org", "Bo", "b@x.org"))
    assert (row.at.isoformat() if row.at else None) == at


def test_a_large_group_has_a_short_name(tmp_path):
    people = "".join(f"  - :name: N{n}\n    :sid: '{n}'\n" for n in range(5))
    files = {"submission_metadata.yml": f"submission_7:\n  :submitters:\n{people}".encode()}
    _, table = imported(tmp_path, "gradescope", {**files, "submission_7/submission.py": b""})
    assert [len(row.students) for row in table.values()] == [5]
    assert set(table) == {"n0-and-4-more-0"}


def test_what_the_metadata_does_not_tell_is_nobodys(tmp_path):
    text = METADATA.format(created="x") + "submission_8:\n  :submitters: []\nsubmission_9: {}\n"
    files = {"submission_metadata.yml": text.encode(), "README": b"", "submission_8/a.py": b""}
    files |= {"submission_7/submission.py": b"", "submission_10/a.py": b""}
    account, table = imported(tmp_path, "gradescope", files)
    assert len(table) == 1
    assert account.counts["unmatched"] == 3
    assert any("does not say whose submission_10 is; export again" in x for x in account.lines)
    assert "submission_9 is in the metadata and has no files" in account.lines


def test_a_later_submission_of_the_same_student_counts(tmp_path):
    entry = "submission_{}:\n  :submitters:\n  - :sid: '1'\n  :created_at: 2026-12-0{} 10:00:00 Z\n"
    files = {"submission_metadata.yml": (entry.format(7, 5) + entry.format(8, 4)).encode()}
    files |= {"submission_7/submission.py": b"late", "submission_8/submission.py": b"early"}
    account, table = imported(tmp_path, "gradescope", files)
    assert list(table) == ["1"]
    assert contents(tmp_path / "out" / "1") == {"submission.py": b"late"}
    assert account.counts["earlier"] == 1


def test_the_folder_of_gradescopes_autograder_is_one_submission(tmp_path):
    users = [{"email": "a@x.org", "id": 3, "name": "Ann"}, "no user", {}]
    said = {"id": 1, "created_at": "2026-12-04T22:10:00.5-08:00", "users": users}
    files = {"submission_metadata.json": json.dumps(said).encode(), "submission/submission.py": b""}
    _, table = imported(tmp_path, "gradescope", files)
    assert table["ann-a-x-org"].students == (Student("a@x.org", "Ann", "a@x.org"),)
    assert table["ann-a-x-org"].at.isoformat() == "2026-12-04T22:10:00.500000-08:00"


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("submission_metadata.yml", b"a: [", "not YAML that can be read"),
        ("submission_metadata.yml", DEEP.encode(), "not YAML that can be read"),
        ("submission_metadata.yml", b"[" * 60, "more than 50 levels deep"),
        ("submission_metadata.yml", b"a: &a {x: 1}\nb: {<<: *a}", "it merges mappings"),
        ("submission_metadata.yml", b"a: !!python/object:os.system x", "not YAML that can be read"),
        ("submission_metadata.yml", b"- a", "expected submissions by folder, found list"),
        ("submission_metadata.yml", b"\xff", "not UTF-8; export again"),
        ("submission_metadata.json", b"{", "not JSON that can be read"),
        ("submission_metadata.json", DEEP.encode(), "not JSON that can be read"),
    ],
)
def test_metadata_that_cannot_be_read_is_said(tmp_path, name, data, told):
    with pytest.raises(UsageError, match=told):
        imported(tmp_path, "gradescope", {name: data, "submission_1/a.py": b""})
    assert not (tmp_path / "out").exists()


def test_metadata_that_is_far_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(gradescope, "_MAX_BYTES", 3)
    with pytest.raises(UsageError, match="larger than 3 bytes"):
        imported(
            tmp_path, "gradescope", {"submission_metadata.yml": b"a: 1", "submission_1/a": b""}
        )


@pytest.mark.parametrize("system", ["gradescope", "folder"])
def test_a_sheet_that_no_one_reads_is_refused(tmp_path, system):
    with pytest.raises(UsageError, match="--sheet: "):
        imported(tmp_path, system, {"submission_1/a.py": b""}, "a,b\n")


def test_a_folder_has_folders_and_files(tmp_path):
    files = {"jane/lab.py": b"", "bo.py": b"", "ann.zip": archives.zipped({"submission.py": b""})}
    files |= {"ann.ipynb": b"{}", "notes.txt": b"", "_unmatched/x.py": b"", ".hidden": b""}
    account, table = imported(tmp_path, "folder", files)
    assert set(table) == {"jane", "bo", "ann-zip", "ann-ipynb"}
    assert (account.counts["own"], account.counts["unmatched"]) == (2, 1)


def test_the_table_of_a_folder_tells_who_is_who_each_time(tmp_path):
    for name in ("Ann", "Ann Doe"):
        table = f"submission,id,name\ns1,,{name}\n".encode()
        _, read = imported(tmp_path, "folder", {"students.csv": table, "s1/submission.py": b""})
        assert read["s1"].students == (Student("", name),)


def test_attempts_of_a_folder_are_told_by_its_name(tmp_path):
    files = {"jane.attempt2/submission.py": b"2", "jane.attempt10/submission.py": b"10"}
    _, table = imported(tmp_path, "folder", files)
    assert contents(tmp_path / "out" / "jane") == {"submission.py": b"10"}
    assert list(table) == ["jane"]


@pytest.mark.parametrize("system", ["folder", "github"])
@pytest.mark.parametrize(
    ("names", "submissions"),
    [
        (["all/jane/submission.py", "all/bo/submission.py"], {"jane", "bo"}),
        (["x/all/jane/a.py", "x/all/bo/a.py", "x/all/bo/b.py"], {"jane", "bo"}),
        (["jane/submission.py", "jane/data/x.txt"], {"jane"}),
        (["jane/src/submission.py"], {"jane"}),
    ],
)
def test_a_folder_around_the_whole_cohort_is_no_submission(tmp_path, system, names, submissions):
    account, table = imported(tmp_path, system, dict.fromkeys(names))
    assert set(table) == submissions
    around = any("everything lies in the folder" in line for line in account.lines)
    assert around == (len(submissions) > 1)


def test_two_of_one_name_stay_two(tmp_path):
    files = {"Jane Doe/submission.py": b"1", "jane_doe/submission.py": b"2", "JANE-DOE.py": b"3"}
    account, table = imported(tmp_path, "folder", files)
    assert set(table) == {"jane-doe", "jane-doe-2", "jane-doe-3"}
    found = contents(tmp_path / "out")
    assert {
        found[f"{name}/{file}"]
        for name, file in (
            ("jane-doe", "JANE-DOE.py"),
            ("jane-doe-2", "submission.py"),
            ("jane-doe-3", "submission.py"),
        )
    } == {b"1", b"2", b"3"}
    assert account.counts["matched"] + account.counts["renamed"] == 3
    before = dict(found)
    del files["JANE-DOE.py"]  # the others keep their names when one of them goes
    account, table = imported(tmp_path, "folder", files)
    assert len(table) == 3
    found = contents(tmp_path / "out")
    assert {n: d for n, d in found.items() if n.endswith(".py")} == {
        n: d for n, d in before.items() if n.endswith(".py")
    }


def test_one_number_under_two_names_stays_two(tmp_path):
    files = {f"Ann_1{FILE}/submission.py": b"1", f"Bo_1{FILE}/submission.py": b"2"}
    for _ in range(2):
        _, table = imported(tmp_path, "moodle", files)
        assert set(table) == {"ann-1", "bo-1"}
        assert contents(tmp_path / "out" / "bo-1") == {"submission.py": b"2"}


def test_an_archive_without_anybodys_work_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").write_text("")
    with pytest.raises(UsageError, match="no file in it could be somebody's work"):
        bring_in(Wanted(tmp_path / "empty", "folder", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_another_system_than_was_said_is_noticed(tmp_path):
    with pytest.raises(UsageError) as error:
        imported(tmp_path, "canvas", {f"Jane_1{FILE}/a.py": b""})
    assert "no name in it is as Canvas writes names; found 'Jane_1" in str(error.value)
    assert "is --from canvas right? others: moodle, canvas" in str(error.value)


FILES = ["submission.py", "submission.ipynb", "a.py", "b.ipynb", "x.txt", "_p.py", ".h.py", "z.zip"]
PATHS = st.builds(
    lambda folders, file: (*folders, file),
    st.lists(st.sampled_from(["s", "t", ".d"]), max_size=3),
    st.sampled_from(FILES),
)


@settings(deadline=None, max_examples=150)
@given(st.sets(PATHS, min_size=1, max_size=4))
def test_what_is_said_of_the_code_is_what_the_grader_finds(names):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        for parts in sorted(names):
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archives.NOTEBOOK if target.suffix == ".ipynb" else b"x = 1\n"
            zipped = archives.zipped({"submission.py": b"x = 1\n"})
            target.write_bytes(zipped if target.suffix == ".zip" else content)
        said = shape_of(sorted(names))
        found = prepare(Submission("s", folder), Path(name) / "ready")
        assert bool(found.files) == (said.kind is not Kind.UNCLEAR)
        was_unpacked = any("unpacked" in note for note in found.notes)
        assert was_unpacked == (said.kind is Kind.NESTED)
        was_renamed = any("its name should be" in note for note in found.notes)
        assert was_renamed == (said.kind is Kind.RENAMED)


LOCKED = archives.zipped({"submission.py": b"x = 1\n"}).replace(b"\x14\0\0\0", b"\x14\0\1\0")
STARTER = signed_script("def f():\n    raise NotImplementedError\n").encode()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"w.zip": LOCKED}, "w.zip cannot be unpacked: it is locked with a password"),
        ({"w.zip": b"PK"}, "w.zip cannot be unpacked"),
        (
            {"w.zip": archives.zipped({"a.pdf": b"x"})},
            "expected submission.py or submission.ipynb, found a.pdf",
        ),
        (
            {"w.zip": archives.zipped({"v.zip": archives.zipped({"w.7z": b"x"})})},
            "w.7z is an archive that cannot be opened here",
        ),
        ({"w.RAR": b"x"}, "'w.RAR' cannot be unpacked here; do it by hand"),
        ({"a.ipynb": archives.NOTEBOOK, "b.ipynb": b"x"}, "rename one to submission.py or"),
        (
            {"submission.py": b"x = 1", "submission (1).py": b"x = 2"},
            "'submission (1).py' is there, too, and will not be run",
        ),
        (
            {"submission.py": b"x = 1", "submission.ipynb": archives.NOTEBOOK},
            "are both there, and both are work; submission.py will be run",
        ),
    ],
)
def test_what_the_grader_cannot_run_or_choose_needs_an_eye(tmp_path, files, told):
    own = {f"jane/{name}": data for name, data in files.items()}
    account, table = imported(tmp_path, "folder", {**own, "joe/submission.py": b"x = 1"})
    assert account.doubtful
    assert any(line.startswith("jane: ") and told in line for line in account.lines)
    assert told in table["jane"].note
    assert any("what you change there is kept" in line for line in account.lines)


def test_an_empty_file_needs_an_eye(tmp_path):
    (tmp_path / "in" / "jane").mkdir(parents=True)
    (tmp_path / "in" / "jane" / "submission.py").touch()
    account = bring_in(Wanted(tmp_path / "in", "folder", tmp_path / "out"))
    assert account.doubtful
    assert "jane: its submission.py is empty; ask for it again" in account.lines


@pytest.mark.parametrize("left", ["submission.py", "submission.ipynb"])
def test_a_starter_that_was_left_alone_is_no_choice(tmp_path, left):
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    files = {
        "submission.py": STARTER if left == "submission.py" else b"x = 1\n",
        "submission.ipynb": json.dumps(signed_notebook(notebook)).encode()
        if left == "submission.ipynb"
        else archives.NOTEBOOK,
    }
    account, table = imported(tmp_path, "folder", {f"jane/{name}": d for name, d in files.items()})
    assert not account.doubtful
    assert table["jane"].note == ""


def test_a_submission_larger_than_what_is_graded_needs_an_eye(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.exchange.planning.MAX_FILES", 1)
    account, _ = imported(tmp_path, "folder", {"j/submission.py": b"", "j/x": b"", "k/x.py": b""})
    assert any("2 files, 0 MB; at most 1 files and 200 MB are graded" in x for x in account.lines)


def run(*arguments: object) -> int:
    return cli.main(["import", *map(str, arguments)])


def test_the_command_says_the_account_and_what_needs_an_eye(tmp_path, capsys):
    work = archives.cohort(3)[:1]
    made = archives.moodle(tmp_path, work)
    out = tmp_path / "out"
    common = ("--from", "moodle", "--out", out, "--sheet", made.sheets[0])
    assert run(made.archive, *common) == 0
    told = capsys.readouterr().out
    assert told.startswith("4 files: 1 matched, 0 renamed, 0 nested zips, 3 left out, 0 lost\n")
    assert f"who is who: {out / 'students.csv'}" in told
    archives.pack(made.archive, {"\x1b[31mevil.py": b"", f"J_1{FILE}/a.py": b""})
    assert run(made.archive, *common) == 1
    assert "\x1b" not in capsys.readouterr().out
    assert run(tmp_path / "none.zip", *common) == 2
    assert "expected an archive or a folder" in capsys.readouterr().err
    assert run(made.archive, *common, "--lab", tmp_path / "no.yaml") == 2
    assert "no lab file at" in capsys.readouterr().err


def test_the_command_knows_every_system(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    assert "{" + ",".join(SYSTEMS) + "}" in capsys.readouterr().out


def test_a_column_is_said_as_meaning_and_heading(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run("a.zip", "--from", "moodle", "--column", "grade")
    assert "expected MEANING=HEADING, found 'grade'" in capsys.readouterr().err


def test_a_lab_says_the_zone_and_which_attempt_counts(tmp_path, monkeypatch):
    (tmp_path / "lab.yaml").write_text("x")
    work = archives.Work(
        (archives.Person(1, "A", "B"),), {"submission.py": b"2"}, earlier={"submission.py": b"1"}
    )
    made, moodle = archives.canvas(tmp_path, [work]), archives.moodle(tmp_path / "m", [work])
    late = LatePolicy(datetime(2026, 12, 4), ZoneInfo("Europe/Paris"))
    lab = SimpleNamespace(policy=Policy(late, attempts="best"))
    monkeypatch.setattr("harness.exchange.incoming.read_lab", lambda path, files: lab)
    bring_in(Wanted(made.archive, "canvas", tmp_path / "all"))
    assert len(read_table(tmp_path / "all")) == 2
    bring_in(Wanted(made.archive, "canvas", tmp_path / "one", attempts="last"))
    assert len(read_table(tmp_path / "one")) == 1
    account = bring_in(Wanted(moodle.archive, "moodle", tmp_path / "m-out", moodle.sheets))
    [row] = read_table(tmp_path / "m-out").values()
    assert row.at.utcoffset().total_seconds() == 3600
    assert any("read as Europe/Paris (from " in line for line in account.lines)
    lab.policy = Policy()
    account = bring_in(Wanted(moodle.archive, "moodle", tmp_path / "m-utc", moodle.sheets))
    assert any("read as UTC" in line and "gives no time zone" in line for line in account.lines)
