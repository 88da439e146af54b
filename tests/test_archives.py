"""Archives: what honest ones may look like, and that no other does any harm."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import opened as opening
from harness.archives import ArchiveError, descend, is_archive, stem, unpack
from harness.opened import prepare
from harness.submission import Submission, find_submissions

CODE = "def top_predictions(model, image, k): return []\n"


def make_zip(path: Path, entries, **more) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **more) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def make_tar(path: Path, entries) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry, content in entries:
            info = entry if isinstance(entry, tarfile.TarInfo) else tarfile.TarInfo(entry)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content.encode() if content else b""))
    return path


def opened(path: Path, folder: Path, max_files=100, max_bytes=10_000) -> list[str]:
    folder.mkdir(exist_ok=True)
    return unpack(path, folder, max_files=max_files, max_bytes=max_bytes)


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_files_come_out_and_litter_does_not(tmp_path, make):
    entries = [("submission.py", CODE), ("a/b.txt", "b"), ("__MACOSX/._submission.py", "x")]
    entries += [("a/Icon\r", "")]
    entries += [(".DS_Store", "x"), ("./c.txt", "c"), ("a/__pycache__/b.pyc", "x")]
    path = make(tmp_path / ("a.zip" if make is make_zip else "a.tar.gz"), entries)
    out = tmp_path / "out"
    assert opened(path, out) == []
    assert names(out) == ["a/b.txt", "c.txt", "submission.py"]
    assert (out / "submission.py").read_text() == CODE


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["../evil"], r"'\.\./evil' leads out of it"),
        (["a/../../evil"], "leads out of it"),
        (["/etc/evil"], "leads out of it"),
        (["C:\\evil"], "leads out of it"),
        (["..\\evil"], "leads out of it"),
        (["a\x1b[31m.py"], "is no name of a file"),
        (["x" * 300], "is too long"),
        (["d/" * 40 + "x"], "too deep in folders"),
        (["a.py", "A.PY"], "'a.py' and 'A.PY' are the same name"),
        (["caf\u00e9.py", "cafe\u0301.py"], "are the same name"),
        (["a.py", "a.py."], "are the same name"),
        (["a.py"] * 2, "are the same name"),
        ([f"{n}" for n in range(101)], "too many files"),
    ],
)
@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_lead_elsewhere_or_clash_are_refused(tmp_path, make, names, said):
    path = make(tmp_path / ("a.zip" if make is make_zip else "a.tgz"), [(n, "x") for n in names])
    with pytest.raises(ArchiveError, match=f"cannot be unpacked: .*{said}"):
        opened(path, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, "out"])


def test_links_and_devices_are_left_out_and_said(tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "../outside"
    device = tarfile.TarInfo("device")
    device.type = tarfile.CHRTYPE
    folder = tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    entries = [(link, ""), (hard, ""), (device, ""), (folder, ""), ("x.py", "x")]
    notes = opened(make_tar(tmp_path / "a.tar.gz", entries), tmp_path / "out")
    assert [note.split(" was")[0] for note in notes] == [
        f"'{name}' in a.tar.gz" for name in ("link", "hard", "device")
    ]
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = make_zip(tmp_path / "b.zip", [(info, "/etc/passwd"), ("folder/", ""), ("y.py", "y")])
    assert opened(path, tmp_path / "out") == [
        "'link' in b.zip was left out: it is not a plain file"
    ]
    assert names(tmp_path / "out") == ["x.py", "y.py"]


def test_bombs_are_counted_as_they_come(tmp_path):
    bomb = make_zip(tmp_path / "a.zip", [("zeros", bytes(10**7))])
    assert bomb.stat().st_size < 20_000
    with pytest.raises(ArchiveError, match="too large when unpacked"):
        opened(bomb, tmp_path / "out", max_bytes=10**6)
    assert sum(p.stat().st_size for p in (tmp_path / "out").iterdir()) <= 10**6
    tar = make_tar(tmp_path / "b.tar.gz", [("zeros", "0" * 10**7)])
    with pytest.raises(ArchiveError, match="too large when unpacked"):
        opened(tar, tmp_path / "out2", max_bytes=10**6)


def test_a_header_that_announces_gigabytes_is_not_read(tmp_path):
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 2**33
    with gzip.open(tmp_path / "a.tar.gz", "wb") as packed:
        packed.write(header.tobuf(tarfile.GNU_FORMAT) + bytes(2**24))
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        opened(tmp_path / "a.tar.gz", tmp_path / "out", max_bytes=10**6)


@pytest.mark.parametrize(
    ("kind", "content", "count", "said"),
    [
        (tarfile.XHDTYPE, b"1" * 2**23, 1, "a header that is too long"),  # digits only: minutes
        (tarfile.GNUTYPE_LONGNAME, b"1" * 2**23, 1, "a header that is too long"),
        (tarfile.XHDTYPE, b"8192 comment=" + b"1" * 8178 + b"\n", 9, "too large when unpacked"),
    ],
    ids=["extended", "name", "many"],
)
def test_long_headers_are_not_read(tmp_path, kind, content, count, said):
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, len(content)
    with gzip.open(tmp_path / "a.tar.gz", "wb") as packed:
        for number in range(count):
            packed.write(header.tobuf(tarfile.GNU_FORMAT) + content)
            packed.write(tarfile.TarInfo(f"x{number}").tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(ArchiveError, match=said):
        unpack(tmp_path / "a.tar.gz", tmp_path, max_files=30, max_bytes=10**8)


def test_long_names_of_tar_files_of_both_kinds_are_read(tmp_path):
    name = "/".join("n" * 100 for _ in range(5))
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=form) as archive:
            archive.addfile(tarfile.TarInfo(f"{form}/{name}"))
        opened(tmp_path / "a.tar.gz", tmp_path / "out")
        assert (tmp_path / "out" / str(form) / name).is_file()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_an_unusual_method_is_not_unpacked(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("x.py", "x")
    with pytest.raises(ArchiveError, match="an unusual method; pack it as a plain zip"):
        opened(tmp_path / "a.zip", tmp_path / "out")


def test_a_list_of_contents_of_millions_is_not_read(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("x", "x")])
    data = bytearray(path.read_bytes())
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="too many files"):
        opened(path, tmp_path / "out")
    whole = make_zip(tmp_path / "b.zip", [("x", "x")]).read_bytes()
    locator = b"PK\x06\x07" + bytes(16)
    path.write_bytes(whole[:end] + locator + whole[end:])
    with pytest.raises(ArchiveError, match="too many files"):
        opened(path, tmp_path / "out")


def test_a_locked_zip_is_said_to_be_locked(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("x", "x")])
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="locked with a password"):
        opened(path, tmp_path / "out")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive at all" * 99])
def test_what_is_no_archive_is_said_to_be_none(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArchiveError, match=rf"{name} cannot be unpacked"):
        opened(tmp_path / name, tmp_path / "out")


VALID = {}
FUZZ = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


def valid(tmp_path_factory, ending):
    if ending not in VALID:
        path = tmp_path_factory.mktemp("valid") / f"a{ending}"
        make = make_zip if ending == ".zip" else make_tar
        make(path, [("submission.py", CODE), ("d/x.txt", "x" * 500), ("d/y.txt", "y")])
        VALID[ending] = path.read_bytes()
    return VALID[ending]


@settings(max_examples=300, **FUZZ)
@given(
    ending=st.sampled_from([".zip", ".tar.gz"]),
    junk=st.binary(max_size=8),
    place=st.floats(0, 1),
    cut=st.floats(0.3, 1),
)
def test_a_damaged_archive_raises_one_error_and_writes_nothing_outside(
    tmp_path_factory, ending, junk, place, cut
):
    data = bytearray(valid(tmp_path_factory, ending))
    start = int(place * len(data))
    data[start : start + len(junk)] = junk
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / f"a{ending}").write_bytes(data[: int(cut * len(data))])
    with contextlib.suppress(ArchiveError):
        opened(folder / f"a{ending}", folder / "out")
    assert sorted(os.listdir(folder)) == sorted([f"a{ending}", "out"])


@settings(max_examples=200, **FUZZ)
@given(entries=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4))
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_of_every_kind_stay_inside_or_are_refused(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("names")
    try:
        path = make_zip(folder / "a.zip", [(name, "x") for name in entries])
    except (ValueError, UnicodeError, IndexError):
        return  # no zip file can have such a name
    with contextlib.suppress(ArchiveError):
        opened(path, folder / "out")
    assert sorted(os.listdir(folder)) == ["a.zip", "out"]


def test_names_of_archives():
    assert all(is_archive(Path(name)) for name in ("a.zip", "A.ZIP", "a.tar.gz", "a.tgz"))
    assert not any(is_archive(Path(name)) for name in ("a.gz", "a.py", "zip"))
    assert [stem(n) for n in ("a.zip", "a.b.tar.gz", "c.tgz", "d")] == ["a", "a.b", "c", "d"]


def test_archives_in_a_cohort_are_submissions(tmp_path):
    for name in ("alice.zip", "bob.tar.gz", "carol"):
        path = tmp_path / name
        path.mkdir() if name == "carol" else path.touch()
    assert [s.name for s in find_submissions(tmp_path)] == ["alice", "bob", "carol"]
    assert find_submissions(tmp_path / "bob.tar.gz")[0].name == "bob"


def test_a_zip_in_a_zip_in_a_folder_is_found_and_said(tmp_path):
    inner = make_zip(
        tmp_path / "work.zip", [("lab/deep/submission.py", CODE), ("lab/deep/h.py", "")]
    )
    outer = make_zip(tmp_path / "alice.zip", [("Alice/work.zip", inner.read_bytes())])
    source = prepare(Submission("alice", outer), tmp_path / "out")
    assert (source.files, source.problem) == (("submission.py",), "")
    assert [note.split(";")[0] for note in source.notes] == [
        "your files were found in the folder 'Alice' within",
        "work.zip was found within, and unpacked",
        "your files were found in the folder 'lab' within",
        "your files were found in the folder 'deep' within",
    ]
    assert names(tmp_path / "out") == ["h.py", "submission.py"]


def test_a_folder_with_one_archive_or_one_folder_is_looked_into(tmp_path):
    (tmp_path / "bob" / "src").mkdir(parents=True)
    (tmp_path / "bob" / "src" / "submission.py").write_text(CODE)
    (tmp_path / "carol").mkdir()
    make_tar(tmp_path / "carol" / "x.tar.gz", [("submission.py", CODE)])
    for name in ("bob", "carol"):
        source = prepare(Submission(name, tmp_path / name), tmp_path / f"{name}-out")
        assert source.files == ("submission.py",)
        assert len(source.notes) == 1


def test_archives_that_hold_no_code_or_cannot_be_opened_are_problems_of_the_submission(tmp_path):
    empty = make_zip(tmp_path / "a.zip", [("readme.txt", "x")])
    assert "expected submission.py" in prepare(Submission("a", empty), tmp_path / "o1").problem
    (tmp_path / "b.zip").write_bytes(b"x")
    problem = prepare(Submission("b", tmp_path / "b.zip"), tmp_path / "o2").problem
    assert "b.zip cannot be unpacked: it is not a zip file" in problem
    many = tmp_path / "z.zip"
    make_zip(many, [("submission.txt", "x")])
    for number in range(6):  # zips in zips without end
        many = make_zip(tmp_path / f"z{number}.zip", [(f"n{number}.zip", many.read_bytes())])
    assert "expected submission.py" in prepare(Submission("z", many), tmp_path / "o3").problem


def test_an_archive_that_may_not_be_read_has_no_files_and_stops_no_cohort(tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    archive = make_zip(tmp_path / "a.zip", [("answers.md", "# x")])
    with opening.opened(Submission("a", archive)) as found:
        assert [name for name, _ in found.own_files()] == ["answers.md"]
    monkeypatch.setattr("harness.archives._entries", denied)
    with opening.opened(Submission("a", archive)) as found:
        assert found.own_files() == []
        assert found.source.problem == "a could not be read ([Errno 13] Permission denied)"


def test_an_archive_larger_than_all_that_may_come_of_it_is_not_read(tmp_path, monkeypatch):
    """Its size says enough: gigabytes are neither unpacked nor made a digest of."""
    archive = make_zip(tmp_path / "a.zip", [("submission.py", "x = 1")])
    with archive.open("r+b") as stream:
        stream.truncate(2**40)  # sparse
    found = Submission("a", archive)
    assert found.digest() == found.digest()
    source = prepare(found, tmp_path / "out")
    assert source.problem == (
        "a.zip cannot be unpacked: it is too large; hand in your own code only"
    )


@pytest.mark.parametrize("damaged", [False, True])
def test_a_full_disk_is_no_fault_of_the_archive(tmp_path, monkeypatch, damaged):
    """Else it would be the student's, and cost all points."""

    def full(*_):
        raise OSError(errno.EINVAL if damaged else errno.ENOSPC, "x")

    archive = make_zip(tmp_path / "a.zip", [("submission.py", CODE)])
    monkeypatch.setattr("harness.archives._write", full)
    with pytest.raises(ArchiveError if damaged else OSError):
        unpack(archive, tmp_path, max_files=9, max_bytes=999)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["lab.RAR"], "lab.RAR is an archive that cannot be opened here; pack it as .zip"),
        (["lab.tar", "readme.md"], "lab.tar is an archive that cannot be opened here"),
        (["a.zip", "b.tgz"], "several archives are there (a.zip, b.tgz), and no code"),
        (["notes.pdf"], "expected submission.py or submission.ipynb, found notes.pdf"),
        ([], "found an empty folder"),
    ],
)
def test_a_student_is_told_what_to_do_where_there_is_no_code(tmp_path, names, told):
    (tmp_path / "s").mkdir()
    for name in names:
        (tmp_path / "s" / name).write_bytes(b"x")
    assert told in prepare(Submission("s", tmp_path / "s"), tmp_path / "out").problem


def test_an_archive_within_is_called_by_its_own_name_and_fine_only_if_it_is(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / f"{'w' * 230}.zip").write_bytes(b"x")
    source = prepare(Submission("s", tmp_path / "s"), tmp_path / "out")
    assert source.problem.startswith(f"{'w' * 230}.zip cannot be unpacked")
    assert source.notes == ()


def test_an_archive_may_hold_a_file_of_its_own_name(tmp_path):
    inner = make_zip(tmp_path / "w.zip", [("submission.py", CODE), ("w.zip", "x")])
    (tmp_path / "s").mkdir()
    inner.rename(tmp_path / "s" / "w.zip")
    source = prepare(Submission("s", tmp_path / "s"), tmp_path / "out")
    assert source.files == ("submission.py",)
    assert names(tmp_path / "out") == ["submission.py", "w.zip"]


def test_descend_leaves_several_entries_alone(tmp_path):
    folder = tmp_path / "f"
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    assert descend(folder) == ""
