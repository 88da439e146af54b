"""Clones: whose they are, when they were made, and that nothing which they configure is run."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import archives
import pytest
from archives import run_git
from test_exchange_incoming import contents

from harness.errors import UsageError
from harness.exchange import git
from harness.exchange.git import GitError, commit_time
from harness.exchange.incoming import Wanted, bring_in
from harness.handed_in import Student, read_table

WHEN = "2026-12-04T22:10:00+01:00"
TIME = datetime(2026, 12, 4, 22, 10, tzinfo=timezone(timedelta(hours=1)))


def clone(path: Path, *init: str) -> Path:
    path.mkdir(parents=True)
    (path / "submission.py").write_text("x = 1\n")
    run_git(path, "init", "-q", "-b", "main", *init)
    run_git(path, "add", "-A")
    run_git(
        path,
        "commit",
        "-q",
        "-m",
        "x",
        GIT_COMMITTER_DATE=WHEN,
        GIT_AUTHOR_DATE="2020-01-01T00:00:00Z",
    )
    return path


def test_the_time_is_the_committers_with_its_offset(tmp_path):
    found = commit_time(clone(tmp_path / "a"))
    assert (found, found.utcoffset()) == (TIME, timedelta(hours=1))


def test_a_time_is_found_however_git_keeps_it(tmp_path):
    packed = clone(tmp_path / "packed")
    run_git(packed, "gc", "-q")
    run_git(packed, "pack-refs", "--all")
    detached = clone(tmp_path / "detached")
    run_git(detached, "checkout", "-q", "--detach")
    shallow = tmp_path / "shallow"
    run_git(
        clone(tmp_path / "deep"),
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "y",
        GIT_COMMITTER_DATE=WHEN,
    )
    run_git(tmp_path, "clone", "-q", "--depth", "1", f"file://{tmp_path}/deep", str(shallow))
    sha256 = clone(tmp_path / "sha256", "--object-format=sha256")
    for path in (packed, detached, shallow, sha256):
        assert commit_time(path) == TIME, path


def hostile(path: Path, told: Path) -> Path:
    """A clone in which everything that can make git run a program does."""
    clone(path)
    script = path / ".git" / "evil"
    script.write_text(f"#!/bin/sh\ntouch {told}\n")
    script.chmod(0o755)
    for hook in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction"):
        target = path / ".git" / "hooks" / hook
        target.parent.mkdir(exist_ok=True)
        target.write_text(script.read_text())
        target.chmod(0o755)
    with (path / ".git" / "config").open("a") as config:
        config.write(
            f"[core]\n\tfsmonitor = {script}\n\tpager = {script}\n\teditor = {script}\n"
            f"\tsshCommand = {script}\n\thooksPath = {path}/.git/hooks\n\tgitProxy = {script}\n"
            f"\talternateRefsCommand = {script}\n"
            f"[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {script}\n"
            f"[diff]\n\texternal = {script}\n[pager]\n\tlog = {script}\n\tcat-file = {script}\n"
            f"[alias]\n\tlog = !{script}\n\tcat-file = !{script}\n[include]\n\tpath = /dev/zero\n"
            f'[remote "o"]\n\turl = ext::{script}\n\tpromisor = true\n\tuploadpack = {script}\n'
            "[protocol]\n\tallow = always\n[extensions]\n\tpartialClone = o\n"
        )
    return path


def test_nothing_that_a_clone_configures_is_run(tmp_path):
    told = tmp_path / "told"
    clone_root = tmp_path / "lab-submissions"
    hostile(clone_root / "lab-eve", told)
    account = bring_in(Wanted(clone_root, "github", tmp_path / "out"))
    [row] = read_table(tmp_path / "out").values()
    assert row.students == (Student("eve"),)
    assert row.at == TIME
    assert not told.exists()
    assert account.files == 1


def test_a_promised_object_is_not_fetched(tmp_path):
    told = tmp_path / "told"
    path = hostile(tmp_path / "a", told)
    for file in (path / ".git" / "objects").rglob("*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(GitError, match="its last commit is not there"):
        commit_time(path)
    assert not told.exists()


def test_the_hostile_clone_would_have_run_something(tmp_path):
    """The test above can fail: plain git does run what this clone configures."""
    told = tmp_path / "told"
    path = hostile(tmp_path / "a", told)
    config = path / ".git" / "config"
    config.write_text(config.read_text().replace("path = /dev/zero", "path = /dev/null"))
    # Whether it then succeeds is not the question.
    subprocess.run(["git", "-C", str(path), "status"], capture_output=True, check=False, timeout=20)
    assert told.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda g: (g / "HEAD").write_text("ref: ../../x\n"), "it has no commit"),
        (lambda g: (g / "HEAD").write_text("ref: refs/heads/../../../x\n"), "it has no commit"),
        (lambda g: (g / "HEAD").write_text("ref: refs/heads/none\n"), "it has no commit"),
        (lambda g: (g / "HEAD").write_text("--batch\n"), "it has no commit"),
        (lambda g: (g / "HEAD").unlink(), "it has no commit"),
        (lambda g: (g / "HEAD").rename(g / "x") and (g / "HEAD").symlink_to("x"), "no commit"),
        (lambda g: (g / "HEAD").write_text("0" * 40), "its last commit is not there"),
    ],
)
def test_a_clone_without_a_commit_is_said(tmp_path, change, told):
    path = clone(tmp_path / "a")
    change(path / ".git")
    with pytest.raises(GitError, match=told):
        commit_time(path)


def test_what_is_no_clone_is_said(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(GitError, match=r"no folder \.git in it"):
        commit_time(tmp_path / "a")
    (tmp_path / "a" / ".git").symlink_to(clone(tmp_path / "b") / ".git")
    with pytest.raises(GitError, match=r"no folder \.git in it"):
        commit_time(tmp_path / "a")


def test_a_commit_with_an_impossible_time_is_said(tmp_path):
    path = clone(tmp_path / "a")
    for zone, stamp in (("+9999", "1"), ("+0100", "999999999999"), ("", "x")):
        text = f"tree {'0' * 40}\nauthor a <a> 1 +0000\ncommitter a <a> {stamp} {zone}\n\nx\n"
        made = subprocess.run(
            ["git", "-C", str(path), "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
            input=text.encode(),
            capture_output=True,
            check=True,
        )
        (path / ".git" / "HEAD").write_bytes(made.stdout)
        with pytest.raises(GitError, match="no time that can be read"):
            commit_time(path)


def test_without_git_there_are_no_times(tmp_path, monkeypatch):
    path = clone(tmp_path / "a")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed here"):
        commit_time(path)


def test_a_git_that_hangs_is_given_up(tmp_path, monkeypatch):
    path = clone(tmp_path / "a")
    (tmp_path / "git").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(git, "_SECONDS", 0.2)
    with pytest.raises(GitError, match="cannot be read"):
        commit_time(path)


def roster(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text("\n".join(('"identifier","github_username","github_id","name"', *rows)) + "\n")
    return path


def test_logins_are_taken_from_the_roster_whatever_hyphens_they_have(tmp_path):
    root = tmp_path / "clones"
    for name in ("lab-5-a-b", "lab-5-b", "lab-5-zed"):
        clone(root / name)
    sheet = roster(tmp_path, '"Ann","A-B","1",""', '"Bo","b","2",""', '"Not yet","","",""')
    account = bring_in(Wanted(root, "github", tmp_path / "out", [sheet]))
    table = read_table(tmp_path / "out")
    assert {name: row.students[0].name for name, row in table.items()} == {
        "a-b": "Ann",
        "b": "Bo",
        "lab-5-zed": "",
    }
    assert account.doubtful
    assert any("'lab-5-zed' nor its login" in line for line in account.lines)


def test_the_time_of_the_push_counts_where_classroom_tells_it(tmp_path):
    root = tmp_path / "clones"
    clone(root / "lab-5-b")
    sheet = tmp_path / "grades.csv"
    heading = "github_username,student_repository_name,submission_timestamp\n"
    for text, time in (
        ("2026-12-05 01:02:03 UTC", datetime(2026, 12, 5, 1, 2, 3, tzinfo=timezone.utc)),
        ("2026-12-05T01:02:03.5Z", datetime(2026, 12, 5, 1, 2, 3, tzinfo=timezone.utc)),
        ("05/12/2026 01:02", TIME),
        ("2026-13-05 01:02:03 UTC", TIME),
        ("", TIME),
    ):
        sheet.write_text(f"{heading}b,lab-5-b,{text}\n")
        bring_in(Wanted(root, "github", tmp_path / "out", [sheet]))
        assert read_table(tmp_path / "out")["b"].at == time, text


def test_a_clone_without_files_is_said_and_other_files_are_nobodys(tmp_path):
    root = tmp_path / "clones"
    clone(root / "b")
    clone(root / "empty")
    (root / "empty" / "submission.py").unlink()
    (root / "notes.txt").write_text("x")
    account = bring_in(Wanted(root, "github", tmp_path / "out"))
    assert "the repository 'empty' has no files" in account.lines
    assert account.counts["unmatched"] == 1
    assert any("no --sheet: times are those of the last commits" in line for line in account.lines)


def test_a_folder_that_is_no_clone_has_no_time_and_that_is_noted(tmp_path):
    archives.pack(tmp_path / "clones", {"b/submission.py": b"x = 1"})
    bring_in(Wanted(tmp_path / "clones", "github", tmp_path / "out"))
    row = read_table(tmp_path / "out")["b"]
    assert (row.at, row.note.startswith("no time: it is not a clone")) == (None, True)


def test_logins_are_known_from_the_name_of_classrooms_folder(tmp_path):
    files = {f"lab-5-submissions/lab-5-{who}/submission.py": b"" for who in ("a-b", "c")}
    archive = archives.pack(tmp_path / "packed.zip", files)
    bring_in(Wanted(archive, "github", tmp_path / "out"))
    assert set(read_table(tmp_path / "out")) == {"a-b", "c"}
    alone = clone(tmp_path / "lab-6-submissions" / "lab-6-d").parent
    bring_in(Wanted(alone, "github", tmp_path / "alone"))
    assert set(read_table(tmp_path / "alone")) == {"d"}


def test_packed_clones_have_no_time_and_no_history(tmp_path):
    root = clone(tmp_path / "clones" / "b").parent
    archive = archives.pack(tmp_path / "clones.zip", contents(root))
    account = bring_in(Wanted(archive, "github", tmp_path / "out"))
    assert account.files == 1
    assert read_table(tmp_path / "out")["b"].at is None
    assert "the clones are packed: no time is taken from git" in account.lines


def test_a_sheet_that_is_not_classrooms_is_refused(tmp_path):
    clone(tmp_path / "clones" / "b")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="'login'; found a, b; download Classroom's roster"):
        bring_in(Wanted(tmp_path / "clones", "github", tmp_path / "out", [tmp_path / "x.csv"]))


def test_hidden_folders_of_a_clone_come_along_but_its_history_does_not(tmp_path):
    path = clone(tmp_path / "clones" / "b")
    os.makedirs(path / ".github" / "workflows")
    (path / ".github" / "workflows" / "x.yml").write_text("on: push\n")
    bring_in(Wanted(tmp_path / "clones", "github", tmp_path / "out"))
    assert set(contents(tmp_path / "out" / "b")) == {"submission.py", ".github/workflows/x.yml"}
