"""Models of `keras.applications`: made into files here, so that they load behind the walls."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import yaml
from documented import ROOT
from PIL import Image

from harness import golden
from harness.errors import LabError
from harness.execution.applications import saved
from harness.execution.runner import Runner
from harness.grading import Grader, open_lab
from harness.models import ModelSpec
from harness.submission import Submission
from harness.techniques import CONTRACT

IMAGENET = ROOT / "fixtures" / "imagenet"
NAMES = json.loads((IMAGENET / "vgg16.classes.json").read_text())
CLASSES = tuple((identifier, name) for identifier, name in NAMES)


@pytest.fixture(autouse=True)
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


@pytest.mark.tensorflow
def test_an_application_is_graded_behind_the_walls(tmp_path, keras_home):
    import keras

    keras.utils.set_random_seed(0)
    built = keras.applications.MobileNetV2(weights=None)
    built.save_weights(tmp_path / "net.weights.h5")
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype="uint8")
    Image.fromarray(image).save(tmp_path / "a.png")
    lab = {
        "format_version": 1,
        "title": "T",
        "reference": str(ROOT / "reference"),
        "golden": "golden",
        "models": {
            "net": {
                **{"application": "MobileNetV2", "weights": "net.weights.h5"},
                **{"classes": str(IMAGENET / "vgg16.classes.json"), "preprocessing": "tf"},
            }
        },
        "images": {"a": {"file": "a.png"}},
        "cases": {"top_predictions": [{"id": "a", "model": "net", "image": "a"}]},
        "checks": [{"id": "top", "metric": "top_predictions.agreement", "points": 1}],
    }
    (tmp_path / "lab.yaml").write_text(yaml.safe_dump(lab))
    opened = open_lab(tmp_path / "lab.yaml", [IMAGENET])
    with Runner(opened, CONTRACT) as runner:
        golden.build(opened, runner, 1)
    with Grader(opened) as grader:
        graded = grader.grade(Submission("good", ROOT / "submissions" / "good-compact"))
    [check] = graded.grade["checks"]
    assert [case["outcome"] for case in check["cases"]] == ["passed"]
    probabilities = built.predict_on_batch(image[None] / 127.5 - 1)[0]
    returned = graded.outputs.cases["top_predictions/a"].value
    assert list(returned) == [CLASSES[index][1] for index in np.argsort(-probabilities)[:5]]
    # One file serves all that come after.
    assert len(list((keras_home / "harness").glob("*.keras"))) == 1


@pytest.mark.tensorflow
def test_an_application_that_cannot_be_made_says_why(tmp_path, keras_home):
    (tmp_path / "w.weights.h5").write_bytes(b"no weights")
    for application, why in (("MobileNetV2", "file"), ("MobileNetV9", "MobileNetV9")):
        spec = ModelSpec("net", "tf", CLASSES, None, application, str(tmp_path / "w.weights.h5"))
        with pytest.raises(LabError, match=f"'net': {application} .* could not be made .*{why}"):
            saved(spec)
    assert not list((keras_home / "harness").glob("*.keras"))


def test_weights_are_told_by_what_is_in_them(tmp_path):
    first, second = tmp_path / "a.h5", tmp_path / "b.h5"
    first.write_bytes(b"1")
    second.write_bytes(b"1")
    specs = [ModelSpec("net", "tf", CLASSES, None, "VGG16", str(path)) for path in (first, second)]
    assert specs[0].content() == specs[1].content()
    second.write_bytes(b"2")
    assert specs[0].content() != specs[1].content()
    assert ModelSpec("net", "tf", CLASSES, None, "VGG16", "imagenet").content() == "imagenet"


@pytest.fixture
def imagenet(tmp_path):
    """The lab on VGG16 as it is before an instructor has put photographs there."""
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    return tmp_path / "fixtures" / "imagenet" / "lab.yaml"


def test_the_lab_on_vgg16_names_the_photograph_that_is_missing(imagenet):
    with pytest.raises(LabError, match=r"lab.yaml:\d+, images.soccer01.file: no file 'images/socc"):
        open_lab(imagenet)


def test_the_lab_on_vgg16_holds_with_photographs(imagenet):
    for name, entry in yaml.safe_load(imagenet.read_text())["images"].items():
        file = imagenet.parent / entry["file"]
        if not file.exists():
            assert entry["file"] == f"images/{name}.png"
            file.parent.mkdir(exist_ok=True)
            Image.new("RGB", (224, 224)).save(file)
    lab = open_lab(imagenet)
    assert lab.models["vgg16"].source() is None
    assert len(lab.models["vgg16"].classes) == 1000
    # Probes and digits are the same cases as in the lab beside it, where they were calibrated.
    beside = {(case.function, case.id): case for case in open_lab(ROOT / "fixtures/lab.yaml").cases}
    for case in lab.cases:
        known = beside.get((case.function, case.id))
        if case.model == "vgg16":
            assert known is None
        else:
            assert (case.model, case.arguments) == (known.model, known.arguments)


def test_names_of_classes_are_keras_own():
    """Some that other lists of ImageNet's classes have otherwise, by index."""
    assert NAMES[0] == ["n01440764", "tench"]
    assert NAMES[805] == ["n04254680", "soccer_ball"]
    assert NAMES[477] == ["n02966687", "carpenter's_kit"]
    assert NAMES[195] == ["n02096585", "Boston_bull"]
    assert NAMES[134] == ["n02012849", "crane"]
    assert NAMES[517] == ["n03126707", "crane"]
    assert NAMES[638:640] == [["n03710637", "maillot"], ["n03710721", "maillot"]]
    assert NAMES[999] == ["n15075141", "toilet_tissue"]
