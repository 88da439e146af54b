"""Which lab is used: the course's, and never one that a student could have written."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timezone

import pytest

from harness.errors import UsageError
from harness.finding import find_lab, folder_of_submissions, nearest_lab, own_lab
from harness.handed_in import HandedIn, Student, has_table, is_kept, write_table
from harness.submission import find_submissions, passed_over

CODE = "def top_predictions(model, image, k=5):\n    return []\n"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course's folder with a lab; the current folder is another one."""
    course = tmp_path / "course"
    write(course / "fixtures" / "lab.yaml")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return course


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def cohort(course, *names):
    """Submissions with code at their top."""
    for name in names:
        write(course / "submissions" / name / "submission.py", CODE)
    return course / "submissions"


def table(folder, *names):
    at = datetime(2026, 12, 4, tzinfo=timezone.utc)
    write_table(folder / "students.csv", [HandedIn(name, (Student(name),), at) for name in names])


def test_the_lab_is_found_above_the_submissions_or_where_it_is_given(course, tmp_path):
    folder, lab = cohort(course, "alice"), course / "fixtures" / "lab.yaml"
    for path in (folder, folder / "alice", folder / "alice" / "submission.py"):
        assert find_lab(None, path) == lab
    assert find_lab(course / "fixtures", folder) == find_lab(lab, folder) == lab
    with pytest.raises(UsageError, match=r"no lab file at .*gone.yaml; give the path of a lab"):
        find_lab(tmp_path / "gone.yaml", folder)


def test_submissions_that_lie_elsewhere_are_of_the_lab_of_the_present_folder(
    course, tmp_path, monkeypatch
):
    elsewhere = tmp_path / "downloads" / "cohort"
    elsewhere.mkdir(parents=True)
    monkeypatch.chdir(course)
    assert find_lab(None, elsewhere) == find_lab(None) == course / "fixtures" / "lab.yaml"
    nearer = write(tmp_path / "downloads" / "lab.yaml")
    assert find_lab(None, elsewhere) == nearer


def test_no_lab_anywhere_says_what_to_do(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there" / "cohort"
    for folder in (here, there):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    said = rf"no lab.yaml or fixtures/lab.yaml in {there.parent} or {here} or above; go to .* --lab"
    with pytest.raises(UsageError, match=said):
        find_lab(None, there)
    with pytest.raises(UsageError, match=rf"in {here} or above; go to the course's folder"):
        find_lab(None)
    with pytest.raises(UsageError, match=rf"in {there} or {here} or above; go to the course's"):
        own_lab(there)


@pytest.mark.parametrize(
    "planted",
    [
        "alice/lab.yaml",
        "alice/fixtures/lab.yaml",
        "lab.yaml",
        "fixtures/lab.yaml",
        "lab.yaml/lab.yaml",
    ],
)
@pytest.mark.parametrize("present", ["", "submissions", "submissions/alice", "submissions/bob"])
def test_a_lab_in_or_among_submissions_is_passed_over_from_wherever_it_is_asked(
    course, planted, present, monkeypatch
):
    folder, lab = cohort(course, "alice", "bob"), course / "fixtures" / "lab.yaml"
    write(folder / planted)
    monkeypatch.chdir(course / present)
    paths = [folder, folder / "alice", folder / "bob", os.path.relpath(folder / "alice")]
    for path in paths:
        assert find_lab(None, type(folder)(path)) == lab
    assert find_lab(None, folder / "alice" / "submission.py") == lab
    assert find_lab(None, folder / "not" / ".." / "alice") == lab


def test_a_lab_that_is_passed_over_is_named_where_there_is_no_other(course, monkeypatch):
    shutil.rmtree(course / "fixtures")
    folder = cohort(course, "alice", "bob")
    planted = write(folder / "fixtures" / "lab.yaml")
    said = rf"{planted} is not used: students write in {folder}; .* or give --lab PATH"
    for path in (folder, folder / "alice"):
        with pytest.raises(UsageError, match=said):
            find_lab(None, path)
    monkeypatch.chdir(folder)
    with pytest.raises(UsageError, match=said):
        find_lab(None, folder)


def test_of_a_submission_without_code_at_its_top_the_neighbours_lab_is_not_used(course):
    """Its folder looks like a folder of submissions of its own."""
    folder, lab = cohort(course, "bob"), course / "fixtures" / "lab.yaml"
    write(folder / "alice" / "work" / "submission.py", CODE)
    planted = write(folder / "fixtures" / "lab.yaml")
    assert folder_of_submissions(folder / "alice") == folder
    assert find_lab(None, folder / "alice") == lab
    assert find_lab(None, folder / "alice" / "work") == lab
    shutil.rmtree(folder / "bob")
    # Nobody beside it tells that it is one of several, but the planted lab has code beside it.
    write(planted.parent / "deep" / "submission.ipynb")
    assert find_lab(None, folder / "alice") == lab
    shutil.rmtree(planted.parent / "deep")
    table(folder, "alice", "bob")
    for path in (folder / "alice", folder / "alice" / "work", folder / "carol"):
        assert find_lab(None, path) == lab


def test_code_beside_a_lab_is_told_as_the_reason(course):
    write(course / "fixtures" / "tools" / "draw.py")
    said = r"there is code beside it \(tools/draw.py\), as in a submission; if .*, give --lab"
    with pytest.raises(UsageError, match=said):
        find_lab(None, cohort(course, "alice"))


def test_the_courses_own_folders_make_no_submission_of_a_cohort_of_one(course):
    write(course / "reference" / "submission.py", CODE)
    write(course / "kit" / "submission.py", CODE)
    folder = cohort(course, "alice")
    assert folder_of_submissions(folder) == folder
    assert find_lab(None, folder) == course / "fixtures" / "lab.yaml"
    write(course / "solution" / "submission.py", CODE)
    with pytest.raises(
        UsageError, match=rf"fixtures/lab.yaml is not used: students write in {course}"
    ):
        find_lab(None, folder)
    cohort(course, "bob")
    assert find_lab(None, folder) == course / "fixtures" / "lab.yaml"


def test_a_table_of_something_else_makes_no_folder_of_submissions(course):
    write(course / "students.csv", "id,name\n1,Jane\n")
    assert not has_table(course)
    assert find_lab(None, cohort(course, "alice")) == course / "fixtures" / "lab.yaml"
    table(course, "jane")
    assert has_table(course)
    with pytest.raises(UsageError, match=rf"students write in {course}"):
        find_lab(None, course / "submissions")
    (course / "students.csv").write_bytes(b"\xff\xfe")
    assert not has_table(course)


def test_a_link_to_the_submissions_is_of_the_lab_that_it_lies_beside(course, tmp_path):
    write(tmp_path / "disk" / "cohort" / "alice" / "submission.py", CODE)
    (course / "submissions").symlink_to(tmp_path / "disk" / "cohort")
    assert find_lab(None, course / "submissions") == course / "fixtures" / "lab.yaml"


def test_a_folder_of_submissions_called_fixtures_has_no_lab_of_its_own(tmp_path, monkeypatch):
    write(tmp_path / "fixtures" / "alice" / "submission.py", CODE)
    write(tmp_path / "fixtures" / "lab.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="is not used: students write in"):
        find_lab(None, tmp_path / "fixtures")


def test_a_student_at_home_has_the_kits_lab(course, monkeypatch):
    lab = write(course / "submissions" / "alice" / "fixtures" / "lab.yaml")
    home = cohort(course, "alice") / "alice"
    assert own_lab(home) == nearest_lab(home) == lab
    monkeypatch.chdir(home)
    assert own_lab(course.parent) == lab
    assert own_lab(home, course / "fixtures") == course / "fixtures" / "lab.yaml"


def test_times_come_from_the_table_beside_a_submission_and_never_from_its_own(course):
    folder = cohort(course, "bob")
    write(folder / "alice" / "work" / "submission.py", CODE)
    table(folder / "alice", "work", "alice")
    [one] = find_submissions(folder / "alice")  # a folder of one, as far as it can be known
    assert one.name == "work"
    table(folder, "bob")
    [one] = find_submissions(folder / "alice")
    assert one.handed_in is None
    [one] = find_submissions(folder / "alice" / "work")
    assert one.handed_in is None
    table(folder, "alice", "bob")
    [one] = find_submissions(folder / "alice")
    assert (one.name, one.handed_in.students[0].id) == ("alice", "alice")
    assert [one.name for one in find_submissions(folder)] == ["alice", "bob"]


def test_a_folder_called_as_the_table_is_no_table_and_no_submission(course):
    folder = cohort(course, "bob", "students.csv")
    assert [one.name for one in find_submissions(folder)] == ["bob"]
    assert passed_over(folder) == ["students.csv"]


NAMES = ("fixtures", "Fixtures", "ｆixtures", "MODELS", "lab.yaml", "Kit.json", "golden.zip")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_means_something_is_passed_over_and_refused_by_itself(course, name):
    folder = cohort(course, "bob")
    if name.endswith(".zip"):
        write(folder / name)
    else:
        cohort(course, name)
    assert [one.name for one in find_submissions(folder)] == ["bob"]
    assert passed_over(folder) == [name]
    assert passed_over(folder / "bob") == passed_over(folder / "gone") == []
    with pytest.raises(UsageError, match="which means something to the harness; rename it"):
        find_submissions(folder / name)
    [own] = find_submissions(folder / name, own=True)
    assert is_kept(own.name)
    table(folder, "bob", own.name)
    with pytest.raises(UsageError, match=r"means something .*, and its row in students.csv"):
        find_submissions(folder)


def test_where_all_are_passed_over_there_is_no_submission(course):
    with pytest.raises(UsageError, match=r"no submission here; .* found fixtures"):
        find_submissions(cohort(course, "fixtures"))
