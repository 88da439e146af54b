"""A hidden set: the same lab on fresh probes, scenes and digits, drawn from a seed.

`python -m reference.models.hidden --seed N --base fixtures/lab.yaml --out DIR` writes a whole lab
whose cases are all hidden; checks, thresholds, limits and points are those of the base. Nothing
in it can be known beforehand: the scenes and probes are new, and the outputs and filters of the
digits network are the base's in another order.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from harness import calibrated
from harness.calibrated import Thresholds
from harness.grading import open_lab
from reference.models import digits, probes
from reference.models.fixtures import draw_found_scene, save_model, save_scene

Cases = dict[str, list[dict[str, Any]]]
# Singles and pairs on which correct work and mistakes were found to be far apart (DIGITS: class).
_SWEPT = ("9", "6", "3")
_WEIGHTS = (0.125, 8, 256)
# Of all 45 pairs these tell best. In both orders, as a loss with the first output alone then
# excites the other one. An average of two images reaches 0.05 to 0.58 of what the reference does; a
# correct way about 1, but 0.45 with some seeds: three are asked for, and the best counts.
_PAIRS = (("4", "5"), ("5", "6"), ("5", "4"))
_SEEDS = 3
_REPEATED = ("8", "5")
_METRICS_OF_GROUPS = {"seed": "best_score", "tv_weight": "fall", "repeat": "repeat"}
_PAIRED_SCENES = (
    ("soccer_ball", "rugby_ball"),
    ("tennis_ball", "basketball"),
    ("baseball", "racket"),
    ("golf_ball", "orange"),
    ("soccer_ball", "volleyball"),
)
# At the last map guided differs from vanilla by the dense layers' ReLUs alone.
_PROBE_LAYERS = ("block3_conv2", "block3_conv2", "block2_conv1", "block3_conv1")
_PROBE_MODIFIERS = (None, "guided", None, "guided")


class HiddenSet:
    """What is drawn, written as it comes.

    Args:
        folder: where to; made if need be.
        seed: the same seed draws the same set.
        base: the data of the base's lab file.
        base_file: the base's lab file.
        thresholds: of the base's checks, as calibrated.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        base: dict[str, Any],
        base_file: Path,
        thresholds: Thresholds | None = None,
    ) -> None:
        self.folder = folder
        self.thresholds = thresholds or {}
        self.base = base
        self.base_file = base_file.resolve()
        self.base_folder = self.base_file.parent
        self.seed = seed
        self.models: dict[str, Any] = {}
        self.images: dict[str, Any] = {}
        self.datasets: dict[str, Any] = {}
        self.cases: Cases = {}
        for part in ("models", "images", "datasets"):
            (folder / part).mkdir(parents=True, exist_ok=True)

    def rng(self, part: int) -> np.random.Generator:
        """A generator for one part, so that parts do not depend on each other."""
        return np.random.default_rng([self.seed, part])

    def case(self, function: str, identifier: str, **arguments: Any) -> None:
        """Add a case."""
        case = {"id": identifier, **arguments, "hidden": True}
        self.cases.setdefault(function, []).append(case)

    def image(self, name: str, pixels: NDArray[np.uint8]) -> None:
        """Write an image (H, W, 3) or (H, W, 1)."""
        squeezed = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        Image.fromarray(squeezed).save(self.folder / "images" / f"{name}.png")
        self.images[name] = {"file": f"images/{name}.png"}

    def dataset(self, name: str, images: NDArray[np.uint8], labels: NDArray[Any]) -> None:
        """Write a data set."""
        path = self.folder / "datasets" / f"{name}.npz"
        np.savez_compressed(path, images=images, labels=labels)
        self.datasets[name] = {"file": f"datasets/{name}.npz"}

    def add_model(
        self, name: str, model: keras.Model, classes: Sequence[tuple[str, str]], preprocessing: str
    ) -> None:
        """Write a model."""
        save_model(model, name, classes, self.folder)
        self.models[name] = {
            "file": f"models/{name}.keras",
            "classes": f"models/{name}.classes.json",
            "preprocessing": preprocessing,
        }

    def write(self) -> Path:
        """Write the lab file."""
        kept: dict[str, Any] = {
            key: self.base[key] for key in ("pass_mark", "limits") if key in self.base
        }
        checks = [
            {**check, **self._threshold_of(check), **_cases_of(check, self.cases)}
            for check in self.base["checks"]
        ]
        reference = (self.base_folder / self.base["reference"]).resolve()
        data: dict[str, Any] = {
            "format_version": 1,
            "title": f"{self.base['title']} (hidden set, seed {self.seed})",
            "reference": os.path.relpath(reference, self.folder.resolve()),
            "golden": "golden",
            "public_lab": os.path.relpath(self.base_file, self.folder.resolve()),
            **kept,
            "models": self.models,
            "images": self.images,
            "datasets": self.datasets,
            "cases": self.cases,
            "checks": checks,
        }
        text = yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=1000)
        path = self.folder / "lab.yaml"
        path.write_text(text, "utf-8")
        return path

    def _threshold_of(self, check: dict[str, Any]) -> dict[str, Any]:
        known = {**self.thresholds.get(check["id"], {}), **check.get("threshold", {})}
        return {"threshold": known} if known else {}


def draw(seed: int, base: Path, out: Path, lab_files: Sequence[Path] = ()) -> Path:
    """Draw a hidden set.

    Args:
        seed: at least 0.
        base: the lab file whose checks it takes.
        out: the folder to write.
        lab_files: further folders that the base's files may lie in.

    Returns:
        its lab file, still without golden outputs.
    """
    data = yaml.safe_load(base.read_text("utf-8"))
    thresholds = calibrated.load(open_lab(base, lab_files)).thresholds
    made = HiddenSet(out, seed, data, base, thresholds)
    add_probes(made)
    add_scenes(made)
    add_digits(made)
    return made.write()


def add_probes(made: HiddenSet) -> None:
    """Three random networks: heatmaps, activations and predictions of each."""
    for number, size in enumerate(probes.SIZES, start=1):
        rng = made.rng(number)
        name = f"probe{number}"
        probe = probes.draw_probe(rng, normalised=number == 2, size=size)
        made.add_model(name, probe.model, probes.CLASSES, probe.preprocessing)
        images = np.stack([probes.draw_image(rng, size) for _ in range(30)])
        shown: dict[int, str] = {}

        def shown_image(
            index: int, name: str = name, shown: dict[int, str] = shown, images: Any = images
        ) -> str:
            if index not in shown:
                shown[index] = f"{name}-{len(shown) + 1}"
                made.image(shown[index], images[index])
            return shown[index]

        for question in probes.ask(probe, images, _PROBE_LAYERS, _PROBE_MODIFIERS, rng):
            image = shown_image(question.image)
            modifier = {"modifier": question.modifier} if question.modifier else {}
            made.case(
                "class_activation_map",
                f"{image}-{question.layer_name}" + ("-guided" if modifier else ""),
                model=name,
                image=image,
                **{"class": probes.NAMES[question.class_index]},
                layer_name=question.layer_name,
                **modifier,
            )
        first = shown_image(0)
        layers = ["block1_conv1", "block2_conv2", "block3_conv2", "fc1", "predictions"]
        made.case("layer_activations", first, model=name, image=first, layers=layers)
        for index, k in ((0, 5), (1, 3)):
            image = shown_image(index)
            made.case("top_predictions", f"{image}-top{k}", model=name, image=image, k=k)
        if number < 3:
            labels = rng.permutation(np.repeat(np.arange(10), 3))
            made.dataset(name, images, labels)
            layer = "block2_conv2"
            made.case(
                "mean_activations", f"{name}-mean", model=name, dataset=name, layer_name=layer
            )
            made.case(
                "dominant_filters", f"{name}-dominant", model=name, dataset=name, layer_name=layer
            )


def add_scenes(made: HiddenSet) -> None:
    """Fresh scenes with two objects for the base's objects network."""
    rng = made.rng(10)
    files = made.base["models"]["objects"]
    for key in ("file", "classes"):
        shutil.copy(made.base_folder / files[key], made.folder / files[key])
    made.models["objects"] = files
    model = keras.models.load_model(made.base_folder / files["file"], compile=False)
    layers = ("block4_conv2", "block4_conv1", "block3_conv2", "block4_conv1")
    modifiers = (None, "guided", None, None)
    chosen = rng.permutation(len(_PAIRED_SCENES))[: len(layers)].tolist()
    for number, (which, layer, modifier) in enumerate(
        zip(chosen, layers, modifiers, strict=True), start=1
    ):
        scene = draw_found_scene(model, _PAIRED_SCENES[which], rng)
        name = f"scene{number}"
        save_scene(scene, name, made.folder)
        objects = [
            {"class": class_name, "mask": f"images/{name}.{class_name}.png"}
            for class_name, _ in scene.objects
        ]
        made.images[name] = {"file": f"images/{name}.png", "objects": objects}
        for class_name in _PAIRED_SCENES[which]:
            guided = {"modifier": modifier} if modifier else {}
            made.case(
                "class_activation_map",
                f"{name}-{class_name}" + ("-guided" if modifier else ""),
                model="objects",
                image=name,
                **{"class": class_name},
                layer_name=layer,
                **guided,
            )
        if number <= 2:
            made.case("top_predictions", name, model="objects", image=name)
    made.case(
        "layer_activations",
        "scene1",
        model="objects",
        image="scene1",
        layers=["block2_conv1", "block4_conv2", "fc1"],
    )


def add_digits(made: HiddenSet) -> None:
    """Other digits, and the base's digits network with its filters and outputs in another order."""
    rng = made.rng(20)
    spec = made.base["models"]["digits"]
    model = keras.models.load_model(made.base_folder / spec["file"], compile=False)
    order = _shuffle(model, rng, _order_of_outputs(made.base, rng))
    classes = [digits.CLASSES[index] for index in order]
    made.add_model("digits", model, classes, spec["preprocessing"])
    index_of = {name: index for index, (_, name) in enumerate(classes)}
    data = digits.load()
    picked = rng.permutation(len(data.test_images))
    images, labels = data.test_images[picked], data.test_labels[picked]
    for digit in (1, 4, 7):
        made.image(f"digit{digit}", images[labels == digit][0])
        made.case(
            "layer_activations",
            f"digit{digit}",
            model="digits",
            image=f"digit{digit}",
            layers=["l1", "l2_mp", "l3", "l4", "l5"],
        )
    for shown, asked in ((4, "9"), (7, "1")):
        made.case(
            "class_activation_map",
            f"digit{shown}-as-{asked}",
            model="digits",
            image=f"digit{shown}",
            **{"class": asked},
            layer_name="l3",
        )
    each = np.concatenate([np.flatnonzero(labels == digit)[:20] for digit in range(10)])
    numbers = np.array([index_of[str(label)] for label in labels[each]])
    made.dataset("digits", images[each], numbers)
    for function, word in (("mean_activations", "mean"), ("dominant_filters", "dominant")):
        made.case(function, f"{word}-l2", model="digits", dataset="digits", layer_name="l2")
    _add_maximization(made, index_of, rng)


def _add_maximization(made: HiddenSet, index_of: dict[str, int], rng: np.random.Generator) -> None:
    def seeds(count: int) -> list[int]:
        return [int(seed) for seed in rng.choice(2**16, count, replace=False)]

    def add(identifier: str, names: Sequence[str], **more: Any) -> None:
        made.case(
            "maximize_activation",
            identifier,
            model="digits",
            layer_name="l5",
            filter_indices=[index_of[name] for name in names],
            **more,
        )

    # The first twice: there a penalty along one axis alone shows most.
    for name, again in [*((name, "") for name in _SWEPT), (_SWEPT[0], "-again")]:
        [seed] = seeds(1)
        add(f"digit{name}{again}", [name], seed=seed, sweep={"tv_weight": list(_WEIGHTS)})
    for name in _REPEATED:
        [seed] = seeds(1)
        add(f"digit{name}", [name], seed=seed, tv_weight=1, repeat=True)
    for pair in _PAIRS:
        add("pair-" + "-".join(pair), pair, tv_weight=1, sweep={"seed": seeds(_SEEDS)})


def _order_of_outputs(base: dict[str, Any], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each output of the set's digits network the digit that it stands for.

    No single output asked for in the set is one asked for in the base, and no pair the same two
    digits as there, so that an image stored for the base's indices excites none of the set's.
    """
    asked = [
        frozenset(case["filter_indices"]) for case in base["cases"].get("maximize_activation", [])
    ]
    singles = {index for indices in asked if len(indices) == 1 for index in indices}
    while True:
        order = rng.permutation(len(digits.CLASSES))
        index_of = {str(digit): index for index, digit in enumerate(order.tolist())}
        own = {index_of[name] for name in (*_SWEPT, *_REPEATED)}
        pairs = [frozenset(index_of[name] for name in pair) for pair in _PAIRS]
        if not own & singles and not any(pair in asked for pair in pairs):
            return order


def _shuffle(model: keras.Model, rng: np.random.Generator, outputs: NDArray[np.int64]) -> list[int]:
    """Put the filters and outputs of the digits network in another order; it computes the same.

    Returns:
        for each output the one that it was.
    """
    before: NDArray[np.int64] | None = None
    last: list[int] = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Flatten):
            height, width, filters = layer.input.shape[1:]
            places = np.arange(height * width * filters).reshape(height, width, filters)
            before = places[..., before].ravel()
        if not layer.weights:
            continue
        kernel, bias = (np.asarray(weight) for weight in layer.weights)
        if before is not None:
            kernel = np.take(kernel, before, axis=-2)
        is_last = layer is model.layers[-1]
        before = outputs if is_last else rng.permutation(kernel.shape[-1])
        layer.set_weights([kernel[..., before], bias[before]])
        last = [int(index) for index in before]
    return last


def _cases_of(check: dict[str, Any], cases: Cases) -> dict[str, Any]:
    """For a check of the base that names its cases: those of the set that serve the same."""
    if "cases" not in check:
        return {}
    metric = check["metric"].rpartition(".")[2]
    named: list[str] = []
    for case in cases["maximize_activation"]:
        if metric == _METRICS_OF_GROUPS.get(_kind(case)):
            named.append(case["id"])
        elif metric == "score" and _kind(case) != "seed":
            weights = case.get("sweep", {}).get("tv_weight", [])[:-1]  # not at the largest
            named += [f"{case['id']}-tv{weight}" for weight in weights] or [case["id"]]
    return {"cases": named}


def _kind(case: dict[str, Any]) -> str:
    return next(iter(case.get("sweep", {})), "repeat" if "repeat" in case else "")


def main() -> None:
    """Draw a hidden set from the command line."""
    parser = argparse.ArgumentParser(prog="python -m reference.models.hidden", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lab-files", type=Path, action="append", default=[])
    options = parser.parse_args()
    drawn = draw(options.seed, options.base, options.out, options.lab_files)
    sys.stdout.write(f"{drawn}\n")


if __name__ == "__main__":
    main()
