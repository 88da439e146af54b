"""Temporary folders: held by who made them, and removed once that process is gone."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from harness.execution.folders import Folder, remove_left

MAKES_ONE = """
import sys, time
from pathlib import Path
from harness.execution.folders import Folder
folder = Folder(Path(sys.argv[1]))
(folder.path / "homes").mkdir(mode=0)
print(folder.path, flush=True)
time.sleep(60)
"""


def test_a_folder_is_there_until_it_is_closed(tmp_path):
    one = Folder(tmp_path, passable=True)
    two = Folder(tmp_path)
    remove_left(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([one.path, two.path])
    assert [folder.path.stat().st_mode & 0o777 for folder in (one, two)] == [0o711, 0o700]
    (two.path / "run").mkdir()
    two.close()
    assert list(tmp_path.iterdir()) == [one.path]
    one.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    command = [sys.executable, "-c", MAKES_ONE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        left = Path(process.stdout.readline().strip())
        remove_left(tmp_path)
        assert (left / "homes").is_dir()
        process.kill()
    assert left.is_dir()
    now = Folder(tmp_path)
    assert list(tmp_path.iterdir()) == [now.path]
    now.close()


def test_a_process_that_it_started_does_not_hold_it(tmp_path):
    folder = Folder(tmp_path)
    sleeper = subprocess.Popen(["sleep", "60"])
    folder._lock.close()  # as the system does where its process ends
    remove_left(tmp_path)
    sleeper.kill()
    sleeper.wait()
    assert not folder.path.exists()


def test_what_is_not_known_to_be_left_stays(tmp_path, monkeypatch):
    (tmp_path / "harness-lab-1").mkdir()
    (tmp_path / "harness-notes.txt").write_text("mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".held").touch()
    theirs = tmp_path / "harness-theirs"
    theirs.mkdir()
    (theirs / ".held").touch()
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(os, "geteuid", lambda: theirs.stat().st_uid + 1)
    remove_left(tmp_path)
    assert sorted(tmp_path.iterdir()) == before
    monkeypatch.undo()
    remove_left(tmp_path)
    assert sorted(tmp_path.iterdir()) == [path for path in before if path != theirs]


def test_a_link_of_that_name_leads_nobody_elsewhere(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".held").touch()
    (tmp_path / "harness-link").symlink_to(elsewhere)
    remove_left(tmp_path)
    assert (tmp_path / "harness-link" / ".held").exists()


def test_where_there_are_no_locks_nothing_is_taken_for_left(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    one = Folder(tmp_path)
    monkeypatch.undo()
    remove_left(tmp_path)
    assert list(tmp_path.iterdir()) == [one.path]
    one.close()


def test_several_that_begin_at_once_do_not_hinder_one_another(tmp_path):
    command = [sys.executable, "-c", MAKES_ONE, str(tmp_path)]
    many = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(6)]
    made = {Path(one.stdout.readline().decode().strip()) for one in many}
    deadline = time.monotonic() + 20
    assert set(tmp_path.iterdir()) == made
    for one in many:
        one.kill()
        one.communicate()
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        remove_left(tmp_path)
    assert list(tmp_path.iterdir()) == []
