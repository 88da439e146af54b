"""Hostile archives: every file is accounted for, and nothing is written outside of the folder."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import archives
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_exchange_incoming import adds_up, contents

from harness.errors import UsageError
from harness.exchange import entries, names
from harness.exchange.incoming import Wanted, bring_in
from harness.handed_in import is_kept, read_table

PREFIX = "Jane Doe_12_assignsubmission_file/"


def make_zip(path: Path, files) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in files:
            archive.writestr(name, data)
    return path


def imported(archive: Path, out: Path, system="moodle", **more):
    account = bring_in(Wanted(archive, system, out, **more))
    assert adds_up(account)
    return account


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"{PREFIX}../../../../evil.py", "leads out of it"),
        ("../evil.py", "leads out of it"),
        ("/etc/evil.py", "leads out of it"),
        ("C:\\evil.py", "leads out of it"),
        (f"{PREFIX}a\x1b[31m.py", "is no name of a file"),
        (f"{PREFIX}{'d/' * 40}x.py", "too deep in folders"),
        (f"{PREFIX}{'x' * 300}.py", "is too long"),
        ("./.", "it has no name"),
        ("somebody.py", "its name is not as Moodle writes names"),
    ],
)
def test_what_is_nobodys_is_put_aside_with_its_reason(tmp_path, name, reason):
    path = make_zip(tmp_path / "a.zip", [(PREFIX + "submission.py", "x = 1"), (name, "evil")])
    before = set(tmp_path.rglob("*"))
    account = imported(path, tmp_path / "out")
    assert (account.files, account.counts["matched"], account.counts["unmatched"]) == (2, 1, 1)
    assert account.doubtful
    assert any(reason in line and "it is in _unmatched/" in line for line in account.lines)
    aside = contents(tmp_path / "out" / "_unmatched")
    assert list(aside.values()) == [b"evil"]
    outside = {p for p in tmp_path.rglob("*") if tmp_path / "out" not in (p, *p.parents)}
    assert outside == before


def test_names_that_are_one_on_some_systems_are_kept_apart(tmp_path):
    files = ["submission.py", "Submission.py", "submission.py", "caf\u00e9.txt", "cafe\u0301.txt"]
    files += ["a", "a/b.txt", "A/c.txt"]
    path = make_zip(tmp_path / "a.zip", [(PREFIX + name, str(i)) for i, name in enumerate(files)])
    account = imported(path, tmp_path / "out")
    assert account.counts["lost"] == 0
    found = contents(tmp_path / "out" / "jane-doe-12")
    assert sorted(found.values()) == [str(i).encode() for i in range(len(files))]
    assert len({name.casefold() for name in found}) == len(files)


def test_links_and_devices_are_left_out_and_said(tmp_path):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, kind in (
            ("l.py", tarfile.SYMTYPE),
            ("h.py", tarfile.LNKTYPE),
            ("f", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(PREFIX + name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo(PREFIX + "submission.py")
        archive.addfile(info, io.BytesIO())
    account = imported(path, tmp_path / "out")
    assert (account.files, account.counts["left out"], account.counts["matched"]) == (4, 3, 1)
    assert sum("left out; it is a link or a device" in line for line in account.lines) == 3
    assert not (tmp_path / "out" / "jane-doe-12" / "l.py").exists()


def test_a_link_in_a_zip_is_left_out(tmp_path):
    info = zipfile.ZipInfo(PREFIX + "l.py")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    path = make_zip(tmp_path / "a.zip", [(info, "/etc/passwd"), (PREFIX + "submission.py", "")])
    assert imported(path, tmp_path / "out").counts["left out"] == 1


def test_links_in_a_folder_are_not_followed(tmp_path):
    folder = tmp_path / "in" / "jane"
    folder.mkdir(parents=True)
    (folder / "submission.py").write_text("x = 1")
    (folder / "passwd").symlink_to("/etc/passwd")
    (tmp_path / "in" / "etc").symlink_to("/etc")
    account = imported(tmp_path / "in", tmp_path / "out", "folder")
    assert (account.files, account.counts["left out"], account.counts["matched"]) == (3, 2, 1)
    assert contents(tmp_path / "out" / "jane") == {"submission.py": b"x = 1"}


def test_an_archive_of_more_than_a_cohort_is_refused(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "a.zip", [(f"{PREFIX}{n}.txt", "x" * 1000) for n in range(20)])
    for limit in ("MAX_FILES", "MAX_BYTES"):
        with monkeypatch.context() as patched:
            patched.setattr(entries, limit, 19)
            with pytest.raises(UsageError, match="if that is right, unpack it and give the folder"):
                imported(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_ten_thousand_files_are_fine(tmp_path):
    path = make_zip(
        tmp_path / "a.zip", [(f"N_{n}_assignsubmission_file_x.py", "") for n in range(10_000)]
    )
    found, _ = entries.read_entries(path, make_folder(tmp_path / "s")), None
    assert len(found) == 10_000


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_bomb_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "MAX_BYTES", 10 * 2**20)
    path = make_zip(tmp_path / "a.zip", [(PREFIX + "x.py", b"\0" * 50 * 2**20)])
    assert path.stat().st_size < 100_000
    with pytest.raises(UsageError, match="more than 100000 files or"):
        imported(path, tmp_path / "out")


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x05\x06" + b"\0" * 5])
@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_a_damaged_archive_is_refused(tmp_path, data, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"cannot be unpacked \(.*\); download it again"):
        imported(path, tmp_path / "out")


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "a.rar").write_bytes(b"Rar!")
    with pytest.raises(UsageError, match=r"expected \.zip, \.tar\.gz, \.tgz or a folder"):
        imported(tmp_path / "a.rar", tmp_path / "out")
    with pytest.raises(UsageError, match="expected an archive or a folder, found nothing"):
        imported(tmp_path / "none.zip", tmp_path / "out")


def without_flag(data: bytes) -> bytes:
    """The same zip with its names not flagged as UTF-8, as macOS writes it."""
    changed = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = changed.find(mark)
        while start >= 0:
            (flags,) = struct.unpack_from("<H", changed, start + place)
            struct.pack_into("<H", changed, start + place, flags & ~0x800)
            start = changed.find(mark, start + 1)
    return bytes(changed)


def test_names_without_the_flag_for_utf8_are_read_as_utf8_where_they_are(tmp_path):
    name = "Zoë 李_12_assignsubmission_file/submission.py"
    path = tmp_path / "a.zip"
    path.write_bytes(without_flag(archives.zipped({name: b"x = 1"})))
    imported(path, tmp_path / "out")
    [row] = read_table(tmp_path / "out").values()
    assert row.students[0].name == "Zoë 李"


def test_names_in_the_old_code_page_stay_as_zip_says(tmp_path):
    name = "Zo\u00eb_12_assignsubmission_file/submission.py"
    data = archives.zipped({name.replace("\u00eb", "*"): b"x = 1"})
    path = tmp_path / "a.zip"
    path.write_bytes(data.replace(b"Zo*", b"Zo\x89"))  # ë in code page 437
    imported(path, tmp_path / "out")
    [row] = read_table(tmp_path / "out").values()
    assert row.students[0].name == "Zoë"


def test_an_archive_with_the_directory_of_large_ones_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)  # as for more than 65535 files
    path = make_zip(tmp_path / "a.zip", [(f"{PREFIX}{n}.py", "") for n in range(3)])
    assert b"PK\x06\x07" in path.read_bytes()
    assert imported(path, tmp_path / "out").files == 3


def test_marks_that_turn_the_text_are_in_no_name(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("\u202eenaJ_12_assignsubmission_file/\u202eyp.x.py", "")])
    imported(path, tmp_path / "out")
    assert contents(tmp_path / "out" / "enaj-12") == {"yp.x.py": b""}


TEXTS = st.text(
    st.sampled_from('aAé\u0301ß李م.-_ /\\:*?"<>|\0\x1b\u202e\ud800=@1') | st.characters(),
    max_size=12,
)
NAMES = st.one_of(
    TEXTS,
    st.builds("{}_{}_assignsubmission_file/{}".format, TEXTS, st.integers(0, 3), TEXTS),
    st.builds("{}_{}_assignsubmission_file_{}".format, TEXTS, st.integers(0, 3), TEXTS),
    st.builds("{}_{}_{}_{}".format, TEXTS, st.integers(0, 3), st.integers(0, 9), TEXTS),
    st.builds("submission_{}/{}".format, st.integers(0, 3), TEXTS),
    st.sampled_from(
        ["submission.py", "x/CON", "x/nul.py", ".DS_Store", "x/aux.", "x/submission.py"]
    ),
)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=3)), min_size=1, max_size=8),
    st.sampled_from(["moodle", "canvas", "gradescope", "github", "folder"]),
    st.sampled_from([".zip", ".tar.gz"]),
)
def test_every_file_is_accounted_for_and_nothing_is_outside(
    tmp_path_factory, files, system, ending
):
    folder = tmp_path_factory.mktemp("any")
    path = folder / f"a{ending}"
    if ending == ".zip":
        make_zip(path, [(zipfile.ZipInfo(_encodable(name) or "x"), data) for name, data in files])
        with zipfile.ZipFile(path) as archive:
            count = sum(not info.filename.endswith("/") for info in archive.infolist())
    else:
        with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
            for name, data in files:
                info = tarfile.TarInfo(_encodable(name).replace("\0", "") or "x")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        with tarfile.open(path) as archive:
            count = sum(not member.isdir() for member in archive)
    try:
        account = imported(path, folder / "out", system)
    except UsageError:  # no name is of the system's form
        assert {p.name for p in folder.iterdir()} == {path.name}
        return
    assert account.files == count
    assert account.counts["lost"] == 0
    assert {p.name for p in folder.iterdir()} == {path.name, "out"}
    kept = [p for p in (folder / "out").rglob("*") if p.is_file()]
    ours = {"students.csv", "_imported.json"}
    written = [p for p in kept if p.parent != folder / "out" or p.name not in ours]
    left = sum(account.counts[kind] for kind in ("earlier", "own", "left out"))
    assert len(written) == count - left
    for one in written:
        parts = one.relative_to(folder / "out").parts
        assert names.file_parts(parts) == parts or "." in parts[-1]
        assert not any(part in ("", ".", "..") for part in parts)


def _encodable(name: str) -> str:
    return name.encode("utf-8", "ignore").decode()


@given(TEXTS, TEXTS)
def test_names_of_submissions_are_safe_everywhere(label, key):
    name = names.submission_name(label, key)
    assert 0 < len(name) <= names.MAX_CHARACTERS + len("student-")
    assert len(name.encode()) <= 255
    assert not name.startswith((".", "-", "_"))
    assert not name.endswith((".", " "))
    assert not set(name) & set('<>:"|?*\\/\0')
    assert not names._RESERVED.match(name)
    assert not is_kept(name)
    assert names.submission_name(name) == name


@pytest.mark.parametrize(
    ("label", "key", "name"),
    [
        ("Jane Doe", "1234", "jane-doe-1234"),
        ("Doe, Jane", "", "doe-jane"),
        ("Zoe\u0308 Müller-Lüdenscheidt", "7", "zoe-muller-ludenscheidt-7"),
        ("Łukasz Straße", "", "lukasz-strasse"),
        ("李 明", "5", "李-明-5"),
        ("김가영", "", "김가영"),
        ("हिन्दी", "", "हिन्दी"),
        ("CON", "", "student-con"),
        ("Fixtures", "", "student-fixtures"),
        ("models", "7", "models-7"),
        ("../..", "", "student"),
        ("\u202eenaJ", "", "enaj"),
        ("Jane_Doe", "9", "jane-doe-9"),
        ("\U00020000" * 80, "7", "\U00020000" * 49 + "-7"),  # 4 bytes each, 200 in all
    ],
)
def test_names_of_submissions_are_readable(label, key, name):
    assert names.submission_name(label, key) == name


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("con.tar.py",), ("con_.tar.py",)),
        (("AUX",), ("AUX_",)),
        (("a?b.py",), ("a_b.py",)),
        ((" x .py",), ("x .py",)),
        (("dir", "nul"), ("dir", "nul_")),
        (("x" * 300 + ".py",), ("x" * 197 + ".py",)),
        (("submission.py",), ("submission.py",)),
    ],
)
def test_names_of_files_are_fit_for_every_system(before, after):
    assert names.file_parts(before) == after
