"""What students import: the lab's objects by name, at home and in a graded run."""

from __future__ import annotations

import json

import numpy as np
import pytest

from harness import student
from harness.errors import LabError, UsageError
from harness.models import ModelSpec


@pytest.fixture
def loaded(monkeypatch):
    """What `load_model` was asked for, in place of loading it with TensorFlow."""
    monkeypatch.setattr(student.models, "load_model", lambda spec: spec)
    monkeypatch.delenv(student.MATERIALS_VARIABLE, raising=False)


def test_at_home_models_and_images_are_those_of_the_nearest_lab(lab_file, loaded, monkeypatch):
    home = lab_file.parent / "alice" / "work"
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    spec = student.load_model("net")
    assert (spec.name, spec.preprocessing, spec.classes[1]) == ("net", "tf", ("n1", "cat"))
    assert spec.file == lab_file.with_name("net.keras")
    image = student.load_image("photo")
    assert (image.dtype, image.shape) == (np.uint8, (8, 12, 3))
    assert image.ravel()[:3].tolist() == [0, 1, 2]
    images, labels = student.load_dataset("set")
    assert (images.dtype, images.shape, labels.tolist()) == (np.uint8, (4, 8, 12, 3), [0, 1, 2, 0])


def test_in_a_graded_run_only_what_was_given_is_there(lab_file, loaded, monkeypatch, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    spec = ModelSpec("other", "unit", (("n0", "zero"),), file=given / "other.keras")
    images = {"grey": str(lab_file.with_name("grey.png"))}
    sets = {"some": str(lab_file.with_name("set.npz"))}
    materials = {"models": {"other": spec.to_json()}, "images": images, "datasets": sets}
    (given / "materials.json").write_text(json.dumps(materials))
    monkeypatch.chdir(lab_file.parent)
    monkeypatch.setenv(student.MATERIALS_VARIABLE, str(given))
    assert student.load_model("other") == spec
    assert student.load_image("grey").shape == (8, 12, 1)
    with pytest.raises(UsageError, match=r"no model 'net'; .*allowed: other"):
        student.load_model("net")
    with pytest.raises(UsageError, match="no image 'photo'; allowed: grey"):
        student.load_image("photo")
    assert student.load_dataset("some")[1].tolist() == [0, 1, 2, 0]
    with pytest.raises(UsageError, match="no data set 'set'; allowed: some"):
        student.load_dataset("set")


def test_a_name_spelt_wrong_is_answered_with_the_right_one(lab_file, loaded, monkeypatch):
    monkeypatch.chdir(lab_file.parent)
    with pytest.raises(UsageError, match=r"^no model 'nett'; did you mean 'net'\? allowed: net$"):
        student.load_model("nett")
    with pytest.raises(UsageError, match=r"^no image 'foto'; did you mean 'photo'\? allowed:"):
        student.load_image("foto")


def test_outside_the_course_the_student_is_told_where_to_go(loaded, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="go to the course's folder"):
        student.load_image("photo")


def test_an_image_that_was_damaged_is_named(lab_file, loaded, monkeypatch):
    lab_file.with_name("photo.png").write_text("not a picture")
    monkeypatch.chdir(lab_file.parent)
    with pytest.raises(LabError, match=r"photo\.png: not an image that can be read"):
        student.load_image("photo")
