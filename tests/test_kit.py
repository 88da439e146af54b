"""The kit: all that a student needs, nothing that only the course may know, the same every time."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from opening import opening
from packaging.requirements import Requirement
from small_lab import Page

import harness
from harness import calibrated, golden, techniques
from harness.errors import LabError, UsageError
from harness.grading import open_lab
from harness.kit import requirements
from harness.kit.building import STARTERS, kit_files, write_kit
from harness.kit.examples import described
from harness.kit.labs import copy_public, copy_whole
from harness.kitfiles import FILE as DIGESTS
from harness.kitfiles import changed_files
from harness.opened import opened
from harness.outputs import Outputs
from harness.preflight import look, problems
from harness.report.words import words
from harness.starters import is_untouched
from harness.submission import Submission

ROOT = Path(__file__).parents[1]
LATE = {
    **{"deadline": "2026-12-04 23:59:59", "time_zone": "Europe/Paris", "percent": 10},
    **{"grace_minutes": 10, "at_most_percent": 50, "closes": "2026-12-11", "per": "day"},
    "extensions": "secret-extensions.csv",
}


def with_hidden_cases(folder: Path) -> Path:
    """The lab of this repository with hidden cases: all of probe3, of rugby01 and a data set."""
    shutil.copytree(ROOT / "fixtures", folder)
    data = yaml.safe_load((folder / "lab.yaml").read_text())
    for entries in data["cases"].values():
        for entry in entries:
            if entry["model"] == "probe3" or "rugby01" in (entry.get("image"), entry["id"]):
                entry["hidden"] = True
            if entry.get("dataset") == "probe2":
                entry["hidden"] = True
    data["late"] = LATE
    data["attempts"] = "best"
    data["rounding"] = {"step": 0.5}
    data["reference"] = str(ROOT / "reference")
    (folder / "secret-extensions.csv").write_text("student,hours\nsomebody-ill,48\n")
    (folder / "lab.yaml").write_text(yaml.safe_dump(data))
    return folder / "lab.yaml"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return open_lab(with_hidden_cases(tmp_path_factory.mktemp("course") / "lab"))


@pytest.fixture(scope="module")
def kit(lab):
    return dict(kit_files(lab))


def everything(files: dict[str, bytes]) -> dict[str, bytes]:
    """All files, those within archives and notebooks included."""
    found = dict(files)
    for name, data in files.items():
        if name.endswith((".whl", ".zip", ".npz", ".keras")):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                found |= {f"{name}/{inner}": archive.read(inner) for inner in archive.namelist()}
    return found


def arrays_of(value) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [a for one in value for a in arrays_of(one)] if isinstance(value, list) else []


def telling(array: np.ndarray) -> bool:
    """Whether an array is one that is found nowhere by chance."""
    return array.size >= 8 and np.unique(array).size >= 8


def only_hidden(lab, of) -> set:
    """What hidden cases are about, and no public one."""
    found = {hidden: {of(c) for c in lab.cases if c.hidden is hidden} for hidden in (True, False)}
    assert len([case for case in lab.cases if case.hidden]) >= 10
    return found[True] - found[False] - {None}


def secret_files(lab) -> Iterator[tuple[str, bytes]]:
    yield "extension", b"somebody-ill"
    for name in only_hidden(lab, lambda case: case.model):
        yield f"model {name}", lab.models[name].file.read_bytes()[64:4096]
    for name in only_hidden(lab, lambda case: case.arguments.get("image")):
        yield f"image {name}", lab.images[name].file.read_bytes()
        yield f"pixels {name}", lab.images[name].pixels().tobytes()[:3000]
        for _, mask in lab.images[name].objects:
            yield f"mask {name}", mask.read_bytes()
    for name in only_hidden(lab, lambda case: case.arguments.get("dataset")):
        yield f"data set {name}", lab.datasets[name].read_bytes()[:2000]
        yield f"digits {name}", lab.dataset(name)[0].tobytes()[:2000]


def secret_outputs(lab) -> Iterator[tuple[str, bytes]]:
    keys = {techniques.key(case) for case in lab.cases if case.hidden}
    for folder in (lab.golden / "reference", lab.golden / "facts", *lab.golden.glob("variants/*")):
        for key, output in Outputs.load(folder).cases.items():
            for number, array in enumerate(arrays_of(output.value)):
                start = array.ravel()[: 400 // array.itemsize]
                if key in keys and telling(start):
                    yield f"{folder.name} {key} {number}", start.tobytes()
    groups = only_hidden(lab, lambda case: case.id) | only_hidden(lab, lambda case: case.group)
    for mistake in calibrated.load(lab).known:
        for key, failure in mistake.failures.items():
            start = failure.trace.value.astype("float16").ravel()[:100]
            if key.partition("/")[2] in groups and telling(start):
                yield f"mistake {mistake.name} {key}", start.tobytes()


def secrets(lab) -> dict[str, bytes]:
    """Bytes of everything that only hidden cases have."""
    return {**dict(secret_files(lab)), **dict(secret_outputs(lab))}


def test_nothing_of_hidden_cases_is_in_it(lab, kit):
    files = everything(kit)
    sought = secrets(lab)
    for kind in ("model", "image", "data set", "reference", "facts", "mistake", "cam_", "mask"):
        assert any(name.startswith(kind) for name in sought), kind
    for what, data in sought.items():
        assert [name for name, content in files.items() if data in content] == [], what
    for case in lab.cases:
        if case.hidden and not any(case.id in (o.id, o.group) for o in lab.cases if not o.hidden):
            named = re.compile(rb"(?<![\w-])" + re.escape(case.id).encode() + rb"(?![\w-])")
            kept = [name for name, content in files.items() if named.search(content)]
            assert kept == [], case.id


def test_the_search_would_find_what_is_there(lab):
    """The same search over a copy for graders, which has all of it."""
    folder = lab.folder.parent / "whole"
    copy_whole(lab, folder)
    files = everything(
        {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    )
    for what, data in secrets(lab).items():
        if not what.startswith(("pixels", "digits")):  # those are compressed
            assert [name for name, content in files.items() if data in content] != [], what


def code_lines(path: Path) -> set[bytes]:
    """Lines of code that could only be copied: long ones, without comments and docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Module, ast.ClassDef)) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    lines = ast.unparse(tree).splitlines()
    own = (line.strip() for line in lines if not line.strip().startswith(("import", "from")))
    return {line.encode() for line in own if len(line) >= 40 and not line.startswith("def ")}


def test_nothing_of_the_reference_is_in_it(kit):
    ours = "\n".join(
        ast.unparse(ast.parse(path.read_text("utf-8")))
        for path in Path(harness.__file__).parent.rglob("*.py")
    ).encode()
    files = everything(kit)
    text = b"\n".join(files.values()) + ours
    sources = [path for path in (ROOT / "reference").rglob("*.py") if "models" not in path.parts]
    lines = {line for path in sources for line in code_lines(path)}
    assert len(lines) > 300
    assert sorted(line.decode() for line in lines if line in text) == []
    names = [name for name in files if "reference" in name and "golden" not in name]
    assert [name for name in names if not name.endswith(".md")] == []


def test_the_lab_in_it_is_whole_and_has_the_public_cases_alone(lab, tmp_path):
    public = copy_public(lab, tmp_path / "fixtures")
    expected = [techniques.key(case) for case in lab.cases if not case.hidden]
    assert [techniques.key(case) for case in public.cases] == expected
    assert 0 < len(expected) < len(lab.cases)
    stored, original = golden.load(public), golden.load(lab)
    for key in expected:
        np.testing.assert_equal(stored.accepted[key], original.accepted[key])
    assert "probe3" not in public.models
    assert "rugby01" not in public.images
    assert "probe2" not in public.datasets
    assert public.reference is None
    assert public.policy.late.extensions == {}
    kept = calibrated.load(public)
    whole = calibrated.load(lab)
    assert kept.thresholds == {
        check: values
        for check, values in whole.thresholds.items()
        if check in {one.id for one in public.checks}
    }
    assert {one.name for one in kept.known} <= {one.name for one in whole.known}
    assert len(kept.known) > 60


def test_a_graders_copy_has_everything_but_the_reference(lab, tmp_path):
    whole = copy_whole(lab, tmp_path / "whole")
    assert [techniques.key(case) for case in whole.cases] == [
        techniques.key(case) for case in lab.cases
    ]
    assert [case.hidden for case in whole.cases] == [case.hidden for case in lab.cases]
    assert whole.policy == lab.policy
    assert whole.reference is None
    assert calibrated.load(whole).thresholds == calibrated.load(lab).thresholds
    golden.load(whole)


def test_a_hidden_set_gives_the_kit_of_the_lab_that_students_have(lab, tmp_path):
    shutil.copytree(lab.folder, tmp_path / "hidden")
    data = yaml.safe_load((tmp_path / "hidden" / "lab.yaml").read_text())
    for entries in data["cases"].values():
        for entry in entries:
            entry["hidden"] = True
    del data["questions"]
    text = yaml.safe_dump({**data, "public_lab": str(lab.source.path)})
    (tmp_path / "hidden" / "lab.yaml").write_text(text)
    hidden = open_lab(tmp_path / "hidden" / "lab.yaml")
    public = copy_public(hidden, tmp_path / "kit")
    assert not any(case.hidden for case in public.cases)
    whole = copy_whole(hidden, tmp_path / "whole")
    assert whole.public_lab is not None
    assert {case.hidden for case in whole.cases} == {True}
    del data["late"]
    (tmp_path / "hidden" / "lab.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(UsageError, match="all cases are hidden, and it names no public_lab"):
        copy_public(open_lab(tmp_path / "hidden" / "lab.yaml"), tmp_path / "none")


def test_files_from_outside_the_labs_folder_come_along(tmp_path):
    shutil.copytree(ROOT / "fixtures", tmp_path / "lab")
    (tmp_path / "lab" / "models" / "digits.keras").rename(tmp_path / "digits.keras")
    text = (tmp_path / "lab" / "lab.yaml").read_text()
    text = text.replace("file: models/digits.keras", "file: ../digits.keras")
    (tmp_path / "lab" / "lab.yaml").write_text(text)
    with pytest.raises(
        LabError, match=r"models.digits.file: '../digits.keras' is .*--lab-files DIR"
    ):
        open_lab(tmp_path / "lab" / "lab.yaml")
    public = copy_public(open_lab(tmp_path / "lab" / "lab.yaml", [tmp_path]), tmp_path / "copy")
    assert re.fullmatch(r"[0-9a-f]{8}-digits\.keras", public.models["digits"].file.name)
    golden.load(public)


def test_the_same_lab_gives_the_same_bytes(lab, kit, tmp_path):
    names, digest = write_kit(lab, tmp_path / "kit.zip")
    assert names == list(kit)
    assert digest == hashlib.sha256(kit[DIGESTS]).hexdigest()
    first = (tmp_path / "kit.zip").read_bytes()
    write_kit(lab, tmp_path / "kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "kit.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == kit


def test_digests_are_of_all_that_students_leave_alone(kit):
    stored = json.loads(kit[DIGESTS])
    assert set(stored["files"]) == set(kit) - {*STARTERS, DIGESTS}
    for name, digest in stored["files"].items():
        assert hashlib.sha256(kit[name]).hexdigest() == digest


def test_a_kit_is_as_it_was_given_out_until_somebody_changes_it(lab, kit, tmp_path):
    for name, data in kit.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    expected = hashlib.sha256(kit[DIGESTS]).hexdigest()
    assert changed_files(tmp_path, expected) == []
    asked = techniques.contract_of(lab.cases)
    handed_in = Submission("s", tmp_path)
    assert problems(opening(look, handed_in, asked, expected)) == []
    path = tmp_path / "fixtures" / "lab.yaml"
    path.write_text(path.read_text().replace("points: 4", "points: 400"))
    (tmp_path / "requirements.txt").unlink()
    changed, ignored = problems(opening(look, handed_in, asked, expected))
    assert changed.startswith("files of the kit were changed: fixtures/lab.yaml; what the check")
    assert ignored.startswith("a lab was handed in, fixtures/lab.yaml; it is not used")
    with opened(handed_in) as ready:
        assert problems(look(ready, asked, expected, own_lab=True)) == [changed]
    about = json.loads(kit[DIGESTS])
    about["files"]["fixtures/lab.yaml"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / DIGESTS).write_text(json.dumps(about))
    # A forged list tells nothing by itself.
    assert problems(opening(look, handed_in, asked, "")) == []
    changed, ignored = problems(opening(look, handed_in, asked, expected))
    assert changed.startswith("files of the kit were changed: kit.json;")
    assert ignored.startswith("a lab was handed in, fixtures/lab.yaml;")


def test_starters_define_what_is_asked_for_and_nothing_more(lab, kit, tmp_path):
    asked = techniques.contract_of([case for case in lab.cases if not case.hidden])
    for name in ("submission.py", "submission.ipynb"):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_bytes(kit[name])
        assert is_untouched(folder / name)
        assert problems(opening(look, Submission("s", folder), asked)) == []
    headings = re.findall("(?m)^## (.*)$", kit["answers.md"].decode())
    assert headings == [question.title for question in lab.questions]


def test_the_handout_says_what_a_fair_grade_needs(lab, kit, tmp_path):
    text = kit["handout.md"].decode()
    for function in techniques.contract_of(lab.cases):
        assert f"### `{function}`" in text
    assert "the gradient is that of the class's **logit**" in text
    assert "Hand in `answers.md` with it" in text
    assert "- time for a case: 20 s" in text
    for check in calibrated.with_thresholds(lab, calibrated.load(lab).thresholds).checks:
        _, metric = techniques.metric_of(check)
        for name, value in {**metric.threshold, **check.threshold}.items():
            told = {"largest_difference": "give the same image", "pixels_agreeing": f"{value:.0%}"}
            shown = (f"{value:.2f}", f"{value:g}", told.get(name, ""))
            [line] = re.findall(rf"(?m)^- \*\*{words(check.id)}\*\*: (.*)\.$", text)
            assert any(one and one in line for one in shown), (check.id, name)
    assert "[('soccer_ball', 0.985)," in text
    assert "| Top predictions | Top 5 | 4 | 9 | 2 |" in text
    assert "The deadline is 2026-12-04 23:59:59 (Europe/Paris)." in text
    assert "Nothing is taken off in the 10 min after it." in text
    assert "Each day late that was begun takes off 10 % of the points earned, at most 50 %." in text
    assert "After 2026-12-11 23:59:59, nothing counts any more." in text
    assert "the best attempt counts" in text
    assert "multiples of 0.5" in text
    for question in lab.questions:
        assert question.title in text
    (tmp_path / "handout.html").write_bytes(kit["handout.html"])
    page = Page(tmp_path / "handout.html")
    assert page.all("script") == []
    assert len(page.all("h3")) == len(techniques.contract_of(lab.cases)) + len(lab.questions)
    assert "soccer_ball" in page.words


def test_the_handout_speaks_the_labs_language(lab, tmp_path):
    shutil.copytree(lab.folder, tmp_path / "fr")
    path = tmp_path / "fr" / "lab.yaml"
    path.write_text(path.read_text() + "language: fr\n")
    files = dict(kit_files(open_lab(path)))
    text = files["handout.md"].decode()
    assert "## Ce qui est évalué" in text
    assert "L’échéance est le 2026-12-04 23:59:59 (Europe/Paris)." in text
    assert "What is graded" not in text
    assert "Complétez" in files["submission.py"].decode()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([("a", 0.123456), ("b", 1e-9)], "[('a', 0.123), ('b', 1e-09)]"),
        ({"x": np.arange(6.0).reshape(2, 3)}, "{'x': array (2, 3), from 0 to 5}"),
        (np.array([[1, 2]], "uint8"), "array (1, 2), from 1 to 2"),
    ],
)
def test_values_are_described_in_short(value, told):
    assert described(value) == told


def test_requirements_are_locked_and_serve_other_systems():
    lines = requirements.locked().splitlines()
    assert lines[1] == f"./{requirements.wheel_name()}"
    pins = [Requirement(line) for line in lines[2:]]
    names = {pin.name for pin in pins}
    assert {"keras", "numpy", "scikit-image", "tensorflow", "markupsafe", "tzdata"} <= names
    assert "xai-grading-harness" not in names
    assert "playwright" not in names  # of an extra
    assert all(re.fullmatch(r"==[\w.!+]+", str(pin.specifier)) for pin in pins)
    mac = {"sys_platform": "darwin", "platform_machine": "arm64", "platform_system": "Darwin"}
    linux = {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux"}
    for system, expected in ((mac, "tensorflow"), (linux, "tensorflow-cpu")):
        found = [
            pin.name
            for pin in pins
            if pin.name.startswith("tensorflow") and (not pin.marker or pin.marker.evaluate(system))
        ]
        assert found.count(expected) == 1
        assert not {"tensorflow", "tensorflow-cpu"} - {expected} & set(found)


def test_without_an_installation_nothing_can_be_locked(monkeypatch):
    monkeypatch.setattr(requirements, "NAME", "nobody-has-this")
    with pytest.raises(UsageError, match="nobody-has-this is not installed, only there"):
        requirements.locked()


def test_a_package_that_is_missing_here_is_named(monkeypatch):
    original = requirements._installed
    monkeypatch.setattr(
        requirements, "_installed", lambda name: None if name == "keras" else original(name)
    )
    with pytest.raises(UsageError, match="keras is not installed here"):
        requirements.locked()


def test_the_wheel_is_this_package():
    data = requirements.wheel()
    assert data == requirements.wheel()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        [record] = [name for name in names if name.endswith("/RECORD")]
        rows = [line.split(",") for line in archive.read(record).decode().splitlines()]
        assert {row[0] for row in rows} == set(names)
        for name, digest, size in rows:
            if name != record:
                content = archive.read(name)
                assert requirements._hash(content) == digest.removeprefix("sha256=")
                assert len(content) == int(size)
        metadata = archive.read(record.replace("RECORD", "METADATA")).decode()
        assert f"Version: {harness.__version__}" in metadata
    assert "harness/cli.py" in names
    assert "harness/locale/fr.po" in names
    assert "harness/report/style.css" in names
    assert not any("__pycache__" in name for name in names)
