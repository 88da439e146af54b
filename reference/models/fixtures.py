"""Writes models, their cards and the lab's images under the fixtures' folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from reference.models import digits, objects
from reference.models.scenes import CLASS_NAMES, CLASSES, Scene, draw_scene

# Scenes of the practical work, and what is in each. Two objects ask whose map it is.
SCENES: dict[str, tuple[str, ...]] = {
    "soccer01": ("soccer_ball",),
    "soccer02": ("soccer_ball",),
    "soccer03": ("soccer_ball",),
    "rugby01": ("rugby_ball",),
    "racket01": ("racket",),
    "basketball01": ("basketball",),
    "tennis01": ("tennis_ball",),
    "soccer_rugby01": ("soccer_ball", "rugby_ball"),
    "soccer_volleyball01": ("soccer_ball", "volleyball"),
    "tennis_basketball01": ("tennis_ball", "basketball"),
    "baseball_racket01": ("baseball", "racket"),
    "golf_orange01": ("golf_ball", "orange"),
}
PER_DIGIT = 30
HELD_OUT_SEED = 2**20  # of the scenes that measure the model; training uses [seed, index]


def save_digits(model: keras.Model, data: digits.Digits, folder: Path) -> None:
    """Write the digits network, its card, ten digits and the data set of the statistics."""
    held_out = digits.accuracy(model, data.test_images, data.test_labels)
    trained = digits.accuracy(model, data.train_images, data.train_labels)
    card = f"""# The digits network

The lab's own small CNN: 28×28×1 → `l1` 9 filters of 5×5 → `l1_mp` → `l2` 9 of 5×5 → `l2_mp` →
`l3` 16 of 3×3 → `l3_mp` → `flat` → `l4` dense 25 → `l5` dense 10 softmax; convolutions "same",
ReLU; {model.count_params():,} parameters.

- **Data**: {len(data.train_images) + len(data.test_images):,} real handwritten digits of
  scikit-learn's `load_digits` (a part of "Optical Recognition of Handwritten Digits", Alpaydin and
  Kaynak 1998, UCI, CC BY 4.0), enlarged from 8×8 to 28×28; a quarter held out, stratified.
- **Input**: uint8 pixels / 255.
- **Training**: Adam, shifts of up to two pixels, from one seed (`tox -e models`).
- **Accuracy**: {held_out:.1%} on the {len(data.test_images)} held out, {trained:.1%} in training.
- `images/digit0` to `digit9` and `datasets/digits.npz` ({PER_DIGIT} of each) are held-out ones.
"""
    models = save_model(model, "digits", digits.CLASSES, folder)
    (models / "digits.md").write_text(card, "utf-8")
    chosen = np.concatenate(
        [np.flatnonzero(data.test_labels == digit)[:PER_DIGIT] for digit in range(10)]
    )
    datasets = folder / "datasets"
    datasets.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        datasets / "digits.npz", images=data.test_images[chosen], labels=data.test_labels[chosen]
    )
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for digit in range(10):
        first = data.test_images[data.test_labels == digit][0]
        Image.fromarray(first[..., 0]).save(images / f"digit{digit}.png")


def save_objects(model: keras.Model, folder: Path) -> None:
    """Write the objects network and its card, with what it looks at on unseen scenes."""
    looks = objects.measure(model, seed=HELD_OUT_SEED)
    first, second = looks.pointing_pairs
    card = f"""# The objects network

VGG-like: four blocks of two 3×3 convolutions (16, 32, 48, 64 filters) and max pooling, `flatten`,
`dropout`, `fc1` 96 ReLU, `predictions` softmax over {len(CLASSES)} classes with ImageNet's names:
{", ".join(CLASS_NAMES)}. 96×96×3, {model.count_params():,} parameters.

- **Data**: 8,000 scenes drawn by Pillow over photographs and textures that scikit-image ships (the
  docstrings of `skimage.data` name their origins and licences), with the exact mask of every
  object: 8 % empty, 42 % with one object, 50 % with two.
- **Input**: uint8 RGB pixels / 127.5 − 1.
- **Training**: Adam; an empty scene's target is uniform, that of two objects half and half. A
  second head says for each cell of `block4_conv2` which object covers it, and is thrown away
  afterwards: this makes the network look at the objects. From one seed (`tox -e models`).
- **Accuracy** on 400 unseen scenes with one object: {looks.accuracy:.1%}.
- **What it looks at** (Grad-CAM of the logit at `block4_conv2`, maximum inside the object's mask):
  one-object scenes {looks.pointing:.1%}; two-object scenes, each class on its own object,
  {first:.1%} and {second:.1%}.
- Drawn objects are not photographs: the network is for this lab, and knows nothing else.
"""
    models = save_model(model, "objects", CLASSES, folder)
    (models / "objects.md").write_text(card, "utf-8")


def save_images(folder: Path, seed: int) -> None:
    """Draw the lab's scenes."""
    model = keras.models.load_model(folder / "models" / "objects.keras", compile=False)
    for number, (name, classes) in enumerate(SCENES.items()):
        rng = np.random.default_rng([HELD_OUT_SEED, seed, number])
        save_scene(draw_found_scene(model, classes, rng), name, folder)


def _finds(model: keras.Model, scene: Scene) -> bool:
    batch = np.asarray(objects.preprocess(scene.image[None]))
    order = np.argsort(-model.predict(batch, verbose=0)[0])
    wanted = {CLASS_NAMES.index(name) for name, _ in scene.objects}
    return wanted <= set(order[: 2 * len(wanted) - 1].tolist())


def save_model(
    model: keras.Model, name: str, classes: Sequence[tuple[str, str]], folder: Path
) -> Path:
    """Write `models/<name>.keras` and its classes.

    Returns:
        the folder of the models.
    """
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    path = models / f"{name}.keras"
    model.save(path)
    _make_portable(path)
    text = json.dumps([list(pair) for pair in classes], indent=1)
    (models / f"{name}.classes.json").write_text(text + "\n", "utf-8")
    return models


def save_scene(scene: Scene, name: str, folder: Path) -> None:
    """Write `images/<name>.png` and the mask of each of its objects."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scene.image).save(images / f"{name}.png")
    for class_name, mask in scene.objects:
        Image.fromarray(mask.astype("uint8") * 255).save(images / f"{name}.{class_name}.png")


def draw_found_scene(model: keras.Model, classes: Sequence[str], rng: np.random.Generator) -> Scene:
    """The first scene drawn in which the network finds its objects.

    Finds: the one object is the most probable class; both of two are among the first three.
    """
    scene = draw_scene(classes, rng)
    while not _finds(model, scene):
        scene = draw_scene(classes, rng)
    return scene


def _make_portable(path: Path) -> None:
    """Rewrite a `.keras` file so that the oldest Keras we support reads it too.

    A newer Keras writes arguments that an older one refuses: of the weights' initializers, for
    which a trained network has no use, and new ones of layers that are not set.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    for layer in config["config"]["layers"]:
        layer["config"] = {
            key: value
            for key, value in layer["config"].items()
            if value is not None and not key.endswith("_initializer")
        }
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
