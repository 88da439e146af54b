"""Changed files of the kit are noticed, whatever its list of them says."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import pytest

from harness import kitfiles
from harness.kitfiles import Changed, changed_files, find_kit, foreign_labs, sentence


def digest(data):
    return hashlib.sha256(data).hexdigest()


FILES = {
    "lab/lab.yaml": b"format_version: 1\ntitle: Lab\n",
    "lab/golden/arrays.safetensors": bytes(range(256)) * 3 + b"\r\n",
    ".github/workflows/check.yml": "name: é\n".encode(),
}


def listed(folder, files):
    content = {"format_version": 1, "files": files}
    (folder / "kit.json").write_text(json.dumps(content))


@pytest.fixture
def kit(tmp_path):
    folder = tmp_path / "kit"
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    listed(folder, {name: digest(data) for name, data in FILES.items()})
    (folder / "submission.py").write_text("x = 1\n")
    return folder


def test_a_kit_as_it_was_given_out_has_no_changed_files(kit):
    assert changed_files(kit) == []
    assert changed_files(kit, digest((kit / "kit.json").read_bytes())) == []


def test_changed_and_missing_files_are_named(kit):
    (kit / "lab" / "lab.yaml").write_text("title: easier\n")
    (kit / ".github" / "workflows" / "check.yml").unlink()
    (kit / "submission.py").write_text("x = 2\n")
    found = changed_files(kit)
    assert found == [
        Changed(".github/workflows/check.yml", "missing"),
        Changed("lab/lab.yaml", "changed"),
    ]
    assert sentence(found) == (
        "these files of the kit were changed: .github/workflows/check.yml (missing), lab/lab.yaml "
        "(changed); what you see here may differ from your grade; take them from the kit again"
    )


def test_line_endings_of_windows_are_no_change(kit):
    text = kit / "lab" / "lab.yaml"
    text.write_bytes(text.read_bytes().replace(b"\n", b"\r\n"))
    own = kit / "kit.json"
    own.write_text(json.dumps(json.loads(own.read_text()), indent=1))
    expected = digest(own.read_bytes())
    own.write_bytes(own.read_bytes().replace(b"\n", b"\r\n"))
    assert changed_files(kit, expected) == []


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 7, 100])
def test_line_endings_are_seen_across_pieces_of_a_file(kit, monkeypatch, chunk):
    monkeypatch.setattr(kitfiles, "_CHUNK", chunk)
    given = b"a\nb\r\n\rc\n\n\r"
    lf = b"a\nb\n\rc\n\n\r"
    for there in (given, given.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
        (kit / "lab" / "lab.yaml").write_bytes(there)
        listed(kit, {"lab/lab.yaml": digest(lf)})
        assert changed_files(kit) == []
    (kit / "lab" / "lab.yaml").write_bytes(b"a\r\nb\n\rc\n\nx\r")
    assert changed_files(kit) == [Changed("lab/lab.yaml", "changed")]


def test_another_list_than_the_one_given_out_is_noticed(kit):
    expected = digest((kit / "kit.json").read_bytes())
    (kit / "lab" / "lab.yaml").write_text("title: easier\n")
    listed(kit, {"lab/lab.yaml": digest(b"title: easier\n")})
    assert changed_files(kit) == []
    assert changed_files(kit, expected) == [Changed("kit.json", "changed")]
    (kit / "kit.json").unlink()
    gone = [Changed("kit.json", "missing, or no file that can be read")]
    assert changed_files(kit, expected) == gone


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b'{"format_version": 2, "files": {"a": "b"}}',
        b'{"format_version": 1}',
        b'{"format_version": 1, "files": {}}',
        b'{"format_version": 1, "files": ["a"]}',
        b'{"format_version": 1, "files": {"a": 3}}',
        b'{"format_version": 1, "files": {"a": "short"}}',
        b'{"format_version": ' + b"1" * 5000 + b"}",
    ],
)
def test_a_list_that_is_damaged_is_said_to_be(kit, text):
    (kit / "kit.json").write_bytes(text)
    [found] = changed_files(kit)
    assert found.file == "kit.json"
    assert found.how.startswith("damaged: ")


@pytest.mark.parametrize(
    "name",
    [
        *("../secret", "lab/../../secret", "/etc/passwd", "C:\\secret", "c:secret", "..\\secret"),
        *("", ".", "a\x00b", "a\nb", "\ud800", "\\\\server\\share", "//server/share"),
    ],
)
def test_a_list_that_leads_outside_opens_nothing(kit, name):
    (kit.parent / "secret").write_text("42")
    listed(kit, {name: digest(b"42")})
    assert changed_files(kit) == [Changed("kit.json", "damaged: it names a file outside the kit")]


def test_links_are_never_followed(kit, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "lab.yaml").write_bytes(FILES["lab/lab.yaml"])
    (kit / "lab" / "lab.yaml").unlink()
    (kit / "lab" / "lab.yaml").symlink_to(outside / "lab.yaml")
    assert changed_files(kit) == [Changed("lab/lab.yaml", "changed")]
    listed(kit, {"way/lab.yaml": digest(FILES["lab/lab.yaml"])})
    (kit / "way").symlink_to(outside)
    assert changed_files(kit) == [Changed("way/lab.yaml", "changed")]
    (kit / "kit.json").rename(outside / "kit.json")
    (kit / "kit.json").symlink_to(outside / "kit.json")
    assert changed_files(kit)[0].file == "kit.json"


def test_what_is_no_plain_file_is_never_opened(kit):
    (kit / "lab" / "lab.yaml").unlink()
    os.mkfifo(kit / "lab" / "lab.yaml")
    (kit / ".github" / "workflows" / "check.yml").unlink()
    (kit / ".github" / "workflows" / "check.yml").mkdir()
    assert [one.how for one in changed_files(kit)] == ["missing", "missing"]
    listed(kit, {"a" * 5000: digest(b""), "lab/lab.yaml/x": digest(b"")})
    assert [one.how for one in changed_files(kit)] == ["missing", "missing"]


def test_a_file_that_cannot_be_read_counts_as_changed(kit, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr(kitfiles, "_digests", refuse)
    assert {one.how for one in changed_files(kit)} == {"changed"}


def test_a_list_that_is_too_large_is_not_read(kit, monkeypatch):
    monkeypatch.setattr(kitfiles, "MAX_FILES", 2)
    assert "1 to 2 entries" in changed_files(kit)[0].how
    monkeypatch.setattr(kitfiles, "MAX_BYTES", 10)
    assert changed_files(kit) == [Changed("kit.json", "missing, or no file that can be read")]


def test_the_nearest_list_upward_counts_within_the_repository(kit):
    assert find_kit(kit / "submission.py") == kit
    assert find_kit(kit / "lab" / "golden") == kit
    assert find_kit(kit.parent) is None
    inner = kit / "work"
    (inner / ".git").mkdir(parents=True)
    assert find_kit(inner) is None


def test_many_changed_files_are_counted():
    assert "9.txt (missing) and 3 more; what" in sentence(
        [Changed(f"{number}.txt", "missing") for number in range(13)]
    )


def test_labs_that_are_not_the_kits_own_are_told(tmp_path):

    lab = tmp_path / "fixtures" / "lab.yaml"
    lab.parent.mkdir()
    lab.write_bytes(b"title: ours\n")
    digest = hashlib.sha256(lab.read_bytes()).hexdigest()
    about = json.dumps({"format_version": 1, "files": {"fixtures/lab.yaml": digest}})
    (tmp_path / "kit.json").write_text(about)
    expected = hashlib.sha256(about.encode()).hexdigest()
    assert foreign_labs(tmp_path, expected) == foreign_labs(tmp_path) == []
    assert foreign_labs(tmp_path, "0" * 64) == ["fixtures/lab.yaml"]
    # A kit in a folder of its own, unpacked with the line endings of Windows.
    inner = tmp_path / "inner"
    shutil.copytree(tmp_path / "fixtures", inner / "fixtures")
    (inner / "kit.json").write_bytes((tmp_path / "kit.json").read_bytes())
    (inner / "fixtures" / "lab.yaml").write_bytes(b"title: ours\r\n")
    assert foreign_labs(tmp_path, expected) == []
    lab.write_bytes(b"title: mine\n")
    (inner / "lab.yaml").touch()
    assert foreign_labs(tmp_path, expected) == ["fixtures/lab.yaml", "inner/lab.yaml"]
    assert foreign_labs(lab) == foreign_labs(tmp_path / "gone") == []
    for damaged in ("[]", "{", ""):
        (tmp_path / "kit.json").write_text(damaged)
        assert "fixtures/lab.yaml" in foreign_labs(tmp_path)
