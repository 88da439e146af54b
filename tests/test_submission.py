"""Finding and reading submissions: what is there, what is missing, what is left out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import finding, reading
from harness import opened as opening
from harness import submission as module
from harness.errors import UsageError
from harness.finding import holds_submission
from harness.opened import prepare
from harness.submission import Submission, find_submissions


def write(path, text="x = 1\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_folder_of_folders_and_files_is_a_cohort_sorted_by_name(tmp_path):
    write(tmp_path / "bob" / "submission.py")
    write(tmp_path / "Jane Doe 😀" / "submission.ipynb")
    write(tmp_path / ("x" * 200) / "submission.py")
    write(tmp_path / "_notes" / "submission.py")
    write(tmp_path / ".git" / "config")
    write(tmp_path / "readme.txt")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    names = [found.name for found in find_submissions(tmp_path)]
    assert names == ["Jane Doe 😀", "bob", "link", "x" * 200]


def test_files_go_by_their_name_unless_two_would_share_it(tmp_path):
    write(tmp_path / "students" / "alice" / "submission.py")
    for name in ("alice.py", "carol.ipynb", "dave.py", "dave.ipynb"):
        write(tmp_path / "mixed" / name)
    (tmp_path / "mixed" / "alice").mkdir()
    # A folder with Python files directly in it is one submission.
    assert [s.name for s in find_submissions(tmp_path / "mixed")] == ["mixed"]
    assert [s.name for s in find_submissions(tmp_path / "students")] == ["alice"]
    assert find_submissions(tmp_path / "mixed" / "alice.py")[0].name == "alice"


def test_a_name_without_its_ending_is_nobody_elses_name(tmp_path):
    (tmp_path / "bob").mkdir()
    for name in ("bob.zip", "bob.zip.zip", "carol.zip"):
        write(tmp_path / name)
    names = [s.name for s in find_submissions(tmp_path)]
    assert names == ["bob", "bob.zip", "bob.zip.zip", "carol"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: None, "expected a submission or a folder of submissions, found nothing"),
        (lambda p: p.symlink_to("gone"), "found a link to gone, which is not there"),
        (lambda p: p.mkdir(), "one folder per student, each with submission.py .* an empty folder"),
        (lambda p: write(p / "a.txt"), "found a.txt"),
        (lambda p: write(p), r"expected a .py, .ipynb, .zip or .tar.gz file or a folder, found"),
    ],
)
def test_a_path_without_submissions_says_what_was_expected(tmp_path, make, said):
    path = tmp_path / "cohort"
    make(path)
    with pytest.raises(UsageError, match=said):
        find_submissions(path)


def test_a_script_is_copied_with_its_helpers_and_links_are_left_out(tmp_path):
    folder = tmp_path / "alice"
    write(folder / "submission.py")
    write(folder / "helpers" / "more.py")
    write(folder / "__pycache__" / "old.pyc")
    write(folder / ".git" / "config")
    (folder / "secret").symlink_to("/etc/passwd")
    source = prepare(Submission("alice", folder), tmp_path / "run")
    assert source.files == ("submission.py",)
    copied = {path.relative_to(tmp_path / "run").as_posix() for path in tmp_path.rglob("run/**/*")}
    assert copied == {"submission.py", "helpers", "helpers/more.py"}
    assert source.notes == ("links among the files were left out; hand in the files themselves",)


@pytest.mark.parametrize(
    ("names", "files", "said"),
    [
        (["submission.py", "submission.ipynb"], ("submission.py",), "both submission.py and"),
        (["lab_final(2).py"], ("lab_final(2).py",), r"lab_final(2).py is run; its name should be"),
        (["submission.py", "utils.py"], ("submission.py",), ""),
        (["a.py", "b.py"], (), "expected submission.py or submission.ipynb, found a.py, b.py"),
    ],
)
def test_the_file_to_run_is_chosen_and_said(tmp_path, names, files, said):
    for name in names:
        write(tmp_path / "alice" / name)
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.files == files
    assert said in " ".join((*source.notes, source.problem))


@pytest.mark.parametrize("name", ["submission.py", "submission.ipynb"])
def test_a_main_file_that_is_a_link_is_said_to_be_one(tmp_path, name):
    write(tmp_path / "elsewhere.py")
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / name).symlink_to(tmp_path / "elsewhere.py")
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.files == ()
    assert source.problem == f"{name} is a link; hand in the file itself"


def test_a_submission_that_is_itself_a_link_is_followed(tmp_path):
    write(tmp_path / "store" / "submission.py", "x = 5\n")
    for name, target in (("alice", "store"), ("bob.py", "store/submission.py")):
        (tmp_path / name).symlink_to(tmp_path / target)
        source = prepare(Submission(name, tmp_path / name), tmp_path / f"run-{name}")
        [file] = source.files
        assert (tmp_path / f"run-{name}" / file).read_text() == "x = 5\n"


def test_a_link_that_leads_nowhere_is_a_problem_and_no_error(tmp_path):
    (tmp_path / "alice").symlink_to(tmp_path / "gone")
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.problem == "alice is a link that leads nowhere"


def test_what_is_neither_file_nor_folder_is_left_where_it_is(tmp_path):
    write(tmp_path / "alice" / "submission.py")
    os.mkfifo(tmp_path / "alice" / "pipe")
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.files == ("submission.py",)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["submission.py"]


def test_one_file_more_than_allowed_is_too_many(tmp_path, monkeypatch):
    for name in ("submission.py", "a.py", "b.py"):
        write(tmp_path / "alice" / name)
    submission = Submission("alice", tmp_path / "alice")
    monkeypatch.setattr(opening, "MAX_FILES", 3)
    assert prepare(submission, tmp_path / "run").files == ("submission.py",)
    monkeypatch.setattr(opening, "MAX_FILES", 2)
    problem = prepare(submission, tmp_path / "again").problem
    assert problem.startswith("more than 2 files or 200 MB were handed in")


def test_the_digest_of_a_file_that_cannot_be_read_is_made_all_the_same(tmp_path, monkeypatch):
    write(tmp_path / "alice" / "submission.py")
    submission = Submission("alice", tmp_path / "alice")
    before = submission.digest()

    def refuse(path, *mode):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(module.Path, "open", refuse)
        unread = submission.digest()
    with monkeypatch.context() as patched:
        patched.setattr(module.Path, "iterdir", refuse)
        unlisted = submission.digest()
    assert len({before, unread, unlisted}) == 3


def test_the_digest_of_more_than_may_be_handed_in_reads_no_more_than_that(tmp_path):
    write(tmp_path / "alice" / "a.py")
    with (tmp_path / "alice" / "zeros").open("wb") as file:
        file.truncate(2**43)  # 8 TB, of which none is on the disk
    submission = Submission("alice", tmp_path / "alice")
    before = submission.digest()
    assert prepare(submission, tmp_path / "run").problem.startswith("more than 1000 files")
    write(tmp_path / "alice" / "a.py", "changed")
    assert submission.digest() != before


def nested(folder: Path, depth: int) -> None:
    """Folders in folders, deeper than any path can name."""
    folder.mkdir()
    at = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d" * 9, dir_fd=at)
        below = os.open("d" * 9, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def test_folders_nested_without_end_are_not_looked_into(tmp_path):
    nested(tmp_path / "alice", 2000)
    write(tmp_path / "alice" / "submission.py")
    write(tmp_path / "alice" / "/".join("a" * 32) / "in.py")
    write(tmp_path / "alice" / "/".join("b" * 33) / "out.py")
    write(tmp_path / "alice" / "/".join(["c" * 240] * 5) / "out.py")
    submission = Submission("alice", tmp_path / "alice")
    assert submission.digest()
    assert prepare(submission, tmp_path / "run").files == ("submission.py",)
    assert [path.name for path in (tmp_path / "run").rglob("*.py")] == ["submission.py", "in.py"]
    subprocess.run(["rm", "-rf", str(tmp_path / "alice")], check=True)


def test_a_pipe_in_the_place_of_a_gitignore_is_not_waited_for(tmp_path):
    write(tmp_path / "alice" / "submission.py")
    write(tmp_path / "alice" / "more" / "helper.py")
    os.mkfifo(tmp_path / "alice" / "more" / ".gitignore")
    names = [name for name, _ in module.files_of(tmp_path / "alice")]
    assert names == ["more/helper.py", "submission.py"]


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path, monkeypatch):
    write(tmp_path / "secret.py", "secret")
    write(tmp_path / "alice" / "submission.py")
    found = list(module.files_of(tmp_path / "alice"))
    (tmp_path / "alice" / "submission.py").unlink()
    (tmp_path / "alice" / "submission.py").symlink_to(tmp_path / "secret.py")
    monkeypatch.setattr(opening, "files_of", lambda path: found)
    prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert (tmp_path / "run" / "submission.py").is_symlink()


def test_an_archive_with_the_longest_of_names_is_unpacked(tmp_path):
    name = "n" * 251 + ".zip"
    (tmp_path / "alice").mkdir()
    with zipfile.ZipFile(tmp_path / "alice" / name, "w") as archive:
        archive.writestr("submission.py", "x = 1")
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.files == ("submission.py",)


def test_an_archive_with_a_folder_in_it_may_lie_beside_other_files(tmp_path):
    inner = tmp_path / "lab.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("lab5/submission.py", "x = 1")
        archive.writestr("lab5/answers.md", "the archive's")
    handed_in = tmp_path / "alice"
    write(handed_in / "answers.md", "beside it")
    write(handed_in / "report.pdf", "pdf")
    inner.rename(handed_in / "lab.zip")
    source = prepare(Submission("alice", handed_in), tmp_path / "run")
    assert (source.files, source.problem) == (("submission.py",), "")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        *("answers.md", "report.pdf", "submission.py")
    ]
    assert (tmp_path / "run" / "answers.md").read_text() == "the archive's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alice", "run"]
    # The same, all of it packed once more.
    with zipfile.ZipFile(tmp_path / "bob.zip", "w") as archive:
        for path in handed_in.iterdir():
            archive.write(path, f"bob/{path.name}")
    source = prepare(Submission("bob", tmp_path / "bob.zip"), tmp_path / "again")
    assert (source.files, source.problem) == (("submission.py",), "")
    assert (tmp_path / "again" / "report.pdf").read_text() == "pdf"


def test_moving_bytes_from_one_file_to_the_next_changes_the_digest(tmp_path):
    write(tmp_path / "alice" / "a.py", "12")
    write(tmp_path / "alice" / "b.py", "3")
    before = Submission("alice", tmp_path / "alice").digest()
    write(tmp_path / "alice" / "a.py", "1")
    write(tmp_path / "alice" / "b.py", "23")
    assert Submission("alice", tmp_path / "alice").digest() != before


def test_environments_and_hidden_folders_do_not_count(tmp_path):
    write(tmp_path / "alice" / "submission.py")
    submission = Submission("alice", tmp_path / "alice")
    before = submission.digest()
    for name in ("venv", "node_modules", "__pycache__", ".ipynb_checkpoints"):
        write(tmp_path / "alice" / name / "more.py")
    assert submission.digest() == before


def test_a_folder_is_known_to_hold_a_submission_by_the_files_name(tmp_path):
    write(tmp_path / "alice" / "submission.ipynb")
    write(tmp_path / "bob" / "lab.py")
    assert holds_submission(tmp_path / "alice")
    assert not holds_submission(tmp_path / "bob")


def test_a_submission_in_the_root_folder_has_a_name(monkeypatch):
    monkeypatch.setattr(finding, "code_in", lambda path: [path / "submission.py"])
    [found] = find_submissions(module.Path("/"))
    assert found.name == "submission"


def test_too_many_files_or_bytes_are_refused(tmp_path, monkeypatch):
    write(tmp_path / "alice" / "submission.py")
    write(tmp_path / "alice" / "data.csv", "1,2,3\n" * 100)
    monkeypatch.setattr(opening, "MAX_BYTES", 100)
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.files == ()
    assert "hand in your own code only" in source.problem


def test_the_digest_follows_names_and_bytes(tmp_path):
    path = write(tmp_path / "alice" / "submission.py")
    submission = Submission("alice", tmp_path / "alice")
    before = submission.digest()
    assert submission.digest() == before
    path.write_text("x = 2\n")
    changed = submission.digest()
    path.rename(path.with_name("other.py"))
    assert len({before, changed, submission.digest()}) == 3
    assert Submission("gone", tmp_path / "gone").digest()


def notebook(*cells):
    made = [
        nbformat.v4.new_markdown_cell(text[3:])
        if text.startswith("md:")
        else nbformat.v4.new_code_cell(text)
        for text in cells
    ]
    return nbformat.writes(nbformat.v4.new_notebook(cells=made))


def test_a_notebook_becomes_a_file_per_code_cell(tmp_path):
    text = notebook("md:# Title", "%matplotlib inline\nx = 1", "!ls\n%%bash is not first")
    write(tmp_path / "alice" / "submission.ipynb", text)
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.files == ("cell_001.py", "cell_002.py")
    assert (tmp_path / "run" / "cell_001.py").read_text() == "pass\nx = 1\n"
    assert source.notes[0] == "cell 1: left out '%matplotlib inline', which is not Python"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', notebook("md:only words")])
def test_a_notebook_that_cannot_be_read_or_has_no_code_says_so(tmp_path, text):
    write(tmp_path / "alice" / "submission.ipynb", text)
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.files == ()
    assert re.search("is not a notebook that can be read|no code cell", source.problem)


def cells(*sources, minor=5, **changes):
    """A notebook as some editor wrote it: cells without ids, or whatever is asked for."""
    empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    made = [{**empty, "source": source, **changes} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": made})


def test_a_cell_without_a_source_is_an_empty_one_and_a_byte_order_mark_is_no_fault(tmp_path):
    document = json.loads(cells("x = 1", "y = 2"))
    del document["cells"][1]["source"]
    write(tmp_path / "submission.ipynb", "\ufeff" + json.dumps(document))
    source = prepare(Submission("alice", tmp_path / "submission.ipynb"), tmp_path / "run")
    assert (source.problem, source.files) == ("", ("cell_001.py", "cell_002.py"))
    assert [(tmp_path / "run" / name).read_text() for name in source.files] == ["x = 1\n", "\n"]


@pytest.mark.parametrize("changes", [{}, {"id": "same"}, {"minor": 0}, {"id": "not an id!"}])
def test_what_nbformat_only_warns_of_is_no_fault(tmp_path, changes):
    write(tmp_path / "submission.ipynb", cells(["x = 1\n", "y = 2"], "z = 3", **changes))
    source = prepare(Submission("alice", tmp_path / "submission.ipynb"), tmp_path / "run")
    assert source.files == ("cell_001.py", "cell_002.py")
    assert (tmp_path / "run" / "cell_001.py").read_text() == "x = 1\ny = 2\n"


@pytest.mark.parametrize("source", [5, None, [1, 2]])
def test_a_cell_whose_source_is_no_text_is_a_fault_of_the_file(tmp_path, source):
    write(tmp_path / "submission.ipynb", cells(source))
    found = prepare(Submission("alice", tmp_path / "submission.ipynb"), tmp_path / "run")
    assert found.files == ()
    assert "submission.ipynb is not a notebook that can be read (" in found.problem


def test_a_notebook_of_too_many_cells_or_parts_is_not_run(tmp_path, monkeypatch):
    path = tmp_path / "submission.ipynb"
    for text, said in (
        (cells(*["x"] * 1001), "submission.ipynb has more than 1000 cells; hand in"),
        (
            cells("x", metadata={"a": [[]] * 10**6}),
            "submission.ipynb is too large to be read; clear",
        ),
    ):
        write(path, text)
        source = prepare(Submission("alice", path), tmp_path / said[17:22])
        assert (source.files, source.problem[: len(said)]) == ((), said)
    old = {"cell_type": "code", "input": "x", "outputs": [], "language": "python"}
    sheets = [{"cells": [old] * 501}] * 2
    write(
        path, json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": sheets})
    )
    with pytest.raises(reading.NotebookError, match="more than 1000 cells"):
        reading.read_cells(path, "code")
    monkeypatch.setattr(reading, "MOST_NOTEBOOK_BYTES", 10)
    with pytest.raises(reading.NotebookError, match="too large to be read"):
        reading.read_cells(path, "code")


def test_outputs_of_a_notebook_may_be_anything(tmp_path):
    text = cells("x = 1", outputs=[1, [[[]]], {"output_type": "stream"}], metadata={"a": {"b": []}})
    write(tmp_path / "submission.ipynb", text)
    assert reading.read_cells(tmp_path / "submission.ipynb", "code") == ["x = 1"]


_KEY = st.sampled_from(["cell_type", "source", "input", "outputs", "metadata", "cells", "code"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=4),
    max_leaves=15,
)


@given(
    st.fixed_dictionaries(
        {"nbformat": st.sampled_from([4, 3, 2, 1]) | _JSON},
        optional={
            "nbformat_minor": _JSON,
            "metadata": _JSON,
            "cells": _JSON | st.lists(st.dictionaries(_KEY, _JSON), max_size=3),
            "worksheets": _JSON | st.lists(st.dictionaries(_KEY, _JSON), max_size=3),
        },
    )
    | _JSON
)
def test_any_json_is_a_notebook_or_raises_one_error(document):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.ipynb"
        path.write_text(json.dumps(document))
        with suppress(reading.NotebookError):
            assert all(isinstance(cell, str) for cell in reading.read_cells(path, "code"))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_notebook_or_raise_one_error(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.ipynb"
        path.write_bytes(data)
        with suppress(reading.NotebookError):
            reading.read_cells(path, "markdown")


def test_lines_that_were_left_out_are_told_up_to_a_number(tmp_path):
    write(tmp_path / "submission.ipynb", cells("!ls " + "x" * 500 + "\n" + "!ls\n" * 29))
    notes = prepare(Submission("alice", tmp_path / "submission.ipynb"), tmp_path / "run").notes
    assert len(notes) == 21
    assert len(notes[0]) < 130
    assert notes[-1] == "and 10 more lines that are not Python"


def test_a_folder_in_the_place_of_a_cell_is_said(tmp_path):
    write(tmp_path / "alice" / "submission.ipynb", cells("x = 1"))
    write(tmp_path / "alice" / "cell_001.py" / "x.txt")
    source = prepare(Submission("alice", tmp_path / "alice"), tmp_path / "run")
    assert source.files == ()
    assert source.problem.startswith("cell_001.py is a folder, and cell 1 would be a file")


def test_a_cell_with_half_a_character_is_written_all_the_same(tmp_path):
    write(tmp_path / "submission.ipynb", cells("x = '\ud83d'"))
    source = prepare(Submission("alice", tmp_path / "submission.ipynb"), tmp_path / "run")
    assert (tmp_path / "run" / source.files[0]).read_text("utf-8") == "x = '?'\n"
