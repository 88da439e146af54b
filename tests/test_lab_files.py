"""Where a lab's files may lie: whoever writes a lab reaches nothing that only its reader can."""

from __future__ import annotations

import shutil
from contextlib import suppress
from types import SimpleNamespace

import pytest
import yaml

from harness import cli
from harness.commands import grading as commands_grading
from harness.engine import Work, grader_of
from harness.errors import LabError
from harness.grading import open_lab
from harness.lab import read_lab

LATE = {"deadline": "2026-12-04", "time_zone": "UTC", "percent": 10, "extensions": "late.csv"}


@pytest.fixture
def inside(lab_file, tmp_path):
    """The small lab in a folder of its own, with one of everything, and a change of its data."""
    folder = tmp_path / "outer" / "inner"
    folder.mkdir(parents=True)
    for name in ("net.keras", "net.json", "photo.png", "grey.png", "set.npz"):
        shutil.move(tmp_path / name, folder / name)
    (folder / "late.csv").write_text("student,hours\nJane,1\n")
    shutil.copy(folder / "grey.png", folder / "mask.png")
    data = yaml.safe_load(lab_file.read_text("utf-8"))
    data |= {"golden": "golden", "calibration": "calibration", "late": LATE}
    data["images"]["photo"]["objects"] = [{"class": "cat", "mask": "mask.png"}]
    # A model of Keras's own, with weights from a file.
    shutil.copy(folder / "net.keras", folder / "weights.h5")
    lab_file.unlink()

    def write(change=lambda data: None):
        changed = yaml.safe_load(yaml.safe_dump(data))
        change(changed)
        (folder / "lab.yaml").write_text(yaml.safe_dump(changed), "utf-8")
        return folder / "lab.yaml"

    return write


def _set(*place):
    *parents, last = place

    def change(data, name):
        for step in parents:
            data = data[step]
        data[last] = name

    return change


def _application(data, name):
    data["models"]["net"] = {"application": "VGG16", "weights": name, "classes": "net.json",
                             "preprocessing": "caffe"}  # fmt: skip


FILES = {
    "models.net.file": (_set("models", "net", "file"), "net.keras"),
    "models.net.classes": (_set("models", "net", "classes"), "net.json"),
    "models.net.weights": (_application, "weights.h5"),
    "images.photo.file": (_set("images", "photo", "file"), "photo.png"),
    "images.photo.objects.0.mask": (_set("images", "photo", "objects", 0, "mask"), "mask.png"),
    "datasets.set.file": (_set("datasets", "set", "file"), "set.npz"),
    "golden": (_set("golden"), "golden"),
    "calibration": (_set("calibration"), "calibration"),
    "late.extensions": (_set("late", "extensions"), "late.csv"),
}


@pytest.mark.parametrize("how", ["above", "absolute", "linked", "linked folder"])
@pytest.mark.parametrize("key", FILES)
def test_a_file_outside_of_the_labs_folder_is_named_and_refused(inside, tmp_path, key, how):
    change, name = FILES[key]
    folder = inside().parent
    read_lab(folder / "lab.yaml")  # it is right as it is
    outside = tmp_path / "elsewhere" / name
    outside.parent.mkdir()
    if (folder / name).exists():
        shutil.move(folder / name, outside)
    if how.startswith("linked"):
        wanted = f"link/{name}" if how == "linked folder" else f"link-{name}"
        target = outside.parent if how == "linked folder" else outside
        (folder / wanted.partition("/")[0]).symlink_to(target)
    else:
        wanted = f"../../elsewhere/{name}" if how == "above" else str(outside)
    lab = inside(lambda data: change(data, wanted))
    with pytest.raises(LabError) as caught:
        read_lab(lab)
    said = str(caught.value)
    assert said.startswith(f"{lab}:")
    assert f", {key}: '{wanted}' is {outside}, and a lab's" in said
    assert said.endswith("allow the folder that it lies in: --lab-files DIR")
    # Its owner allows it.
    if key != "models.net.weights":  # there is no such application to look up here
        assert read_lab(lab, [tmp_path / "elsewhere"]).source.allowed == (outside.parent,)
    with pytest.raises(LabError, match="a lab's files lie in its own folder"):
        read_lab(lab, [tmp_path / "outer" / "inner" / "other"])


def test_a_link_from_folder_to_folder_within_the_lab_is_followed(inside):
    folder = inside().parent
    (folder / "photos").mkdir()
    shutil.move(folder / "photo.png", folder / "photos" / "real.png")
    (folder / "photo.png").symlink_to("photos/real.png")
    assert read_lab(folder / "lab.yaml").images["photo"].pixels().shape == (8, 12, 3)


def test_a_lab_within_a_lab_may_use_the_outer_ones_files(inside, tmp_path):
    folder = inside().parent
    shutil.move(folder / "photo.png", folder.parent / "photo.png")
    lab = inside(lambda data: data["images"]["photo"].update(file="../photo.png"))
    with pytest.raises(LabError, match=r"images.photo.file: '../photo.png' is"):
        read_lab(lab)
    (folder.parent / "lab.yaml").mkdir()  # no lab, whatever it is called
    with pytest.raises(LabError, match=r"images.photo.file: '../photo.png' is"):
        read_lab(lab)
    (folder.parent / "lab.yaml").rmdir()
    (folder.parent / "lab.yaml").touch()
    read_lab(lab)
    shutil.move(folder.parent / "photo.png", tmp_path / "photo.png")
    lab = inside(lambda data: data["images"]["photo"].update(file="../../photo.png"))
    with pytest.raises(LabError, match=r"images.photo.file: '../../photo.png' is"):
        read_lab(lab)


def test_a_public_lab_lies_elsewhere_and_keeps_its_files_beside_itself(inside, lab_file, tmp_path):
    public = inside()
    hidden = tmp_path / "hidden"
    shutil.copytree(public.parent, hidden)
    text = (hidden / "lab.yaml").read_text() + "public_lab: ../outer/inner/lab.yaml\n"
    text += "reference: ../../no/matter\n"
    (hidden / "lab.yaml").write_text(text)
    lab = open_lab(hidden / "lab.yaml")
    assert lab.public_lab.images["photo"].file.resolve() == public.parent / "photo.png"
    shutil.move(public.parent / "photo.png", tmp_path / "photo.png")
    inside(lambda data: data["images"]["photo"].update(file="../../photo.png"))
    with pytest.raises(LabError, match=r"inner/lab.yaml:\d+, images.photo.file: '../../photo"):
        read_lab(hidden / "lab.yaml")
    read_lab(hidden / "lab.yaml", [tmp_path])


def test_what_the_owner_allows_reaches_every_worker(inside, tmp_path, monkeypatch):
    folder = inside().parent
    shutil.move(folder / "photo.png", tmp_path / "photo.png")
    lab = inside(lambda data: data["images"]["photo"].update(file="../../photo.png"))
    options = SimpleNamespace(scheduler=None, unsandboxed=True, jobs=1)
    engine = commands_grading._engine(options, open_lab(lab, [tmp_path]))
    assert engine.work.lab_files == (str(tmp_path),)
    monkeypatch.setattr("harness.engine.Grader", lambda lab, **_: lab)
    monkeypatch.setattr("harness.engine._graders", {})
    opened = grader_of(engine.work)
    assert opened.images["photo"].file.resolve() == tmp_path / "photo.png"
    with pytest.raises(LabError, match="--lab-files DIR"):
        grader_of(Work(str(lab), unsandboxed=True))


def test_every_command_takes_the_option_and_says_so_where_it_lacks(
    inside, tmp_path, monkeypatch, capsys
):
    folder = inside().parent
    shutil.move(folder / "photo.png", tmp_path / "photo.png")
    lab = inside(lambda data: data["images"]["photo"].update(file="../../photo.png"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "submission.py").touch()
    commands = (
        ["grade", "submission.py"],
        ["check", "submission.py"],
        ["check", "submission.py", "--preflight"],
        ["kit"],
        ["kit", "--autograder", "gradescope"],
        ["mark"],
        ["export", "reports", "--to", "gradescope"],
        ["import", "gone.zip", "--from", "folder"],
        ["calibrate"],
        ["fixtures", "new", "--seed", "1", "--out", "hidden"],
        ["redteam"],
        ["golden", "build"],
        ["golden", "verify"],
    )
    for command in commands:
        given = [*command, "--lab", str(lab)]
        cli.main(given)
        assert "allow the folder that it lies in: --lab-files" in capsys.readouterr().err, command
        with suppress(SystemExit):
            cli.main([*given, "--lab-files", "gone", "--lab-files", str(tmp_path)])
        assert "a lab's files lie in its own folder" not in capsys.readouterr().err, command
