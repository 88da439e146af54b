"""What is worth a look: near-identical code and identical outputs, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from opening import opening

from harness.similarity import Alike, Likeness, digest_of, find_alike, fingerprints
from harness.submission import Submission

CODE = """
import numpy as np

def top_predictions(model, image, k=5):
    batch = model.preprocess_input(image[np.newaxis])
    probabilities = model.predict(batch, verbose=0)[0]
    order = np.argsort(-probabilities)[:k]
    return [(name_of(index), float(probabilities[index])) for index in order]

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    with GradientTape() as tape:
        activations, scores = split(model, layer_name)(model.preprocess_input(image[None]))
        tape.watch(activations)
        score = scores[:, class_index]
    weights = np.mean(tape.gradient(score, activations)[0], axis=(0, 1))
    return np.maximum((activations[0] * weights).sum(axis=-1), 0)
"""
RENAMED = (
    CODE.replace("batch", "x").replace("order", "best").replace("weights", "alpha")
    + "# all of it is my own work\n\n\n"
)
OTHER = """
import tensorflow as tf

class Explainer:
    def __init__(self, network):
        self.network = network
        self.cache = {}

    def __call__(self, picture, target, where):
        if where not in self.cache:
            found = self.network.get_layer(where).output
            self.cache[where] = tf.keras.Model(self.network.inputs, found)
        features = self.cache[where](picture)
        return tf.reduce_max(features, axis=-1).numpy() ** 2 if target else features.numpy()[..., 0]
"""


@pytest.fixture
def submit(tmp_path):
    def submit(name, text, file="submission.py"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / file).write_text(text, "utf-8")
        return Submission(name, folder)

    return submit


def of(code, outputs=None):
    return Likeness(np.array(sorted(code), "uint32"), outputs or {})


def test_names_comments_and_layout_do_not_count(submit):
    mine, renamed, other = (
        opening(fingerprints, submit(name, text))
        for name, text in (("a", CODE), ("b", RENAMED), ("c", OTHER))
    )
    assert len(mine) > 30
    assert np.array_equal(mine, renamed)
    assert len(np.intersect1d(mine, other)) < 0.1 * len(mine)


def test_fingerprints_are_the_same_in_every_process(submit):
    """Of a text short enough for a single one: CRC-32 of its 25 characters, after filtering."""
    found = opening(fingerprints, submit("a", "x" * 3 + "=1+2+3+4+5+6+7+8+9+0+1+2"))
    # Tokens: V=1+2+3+4+5+6+7+8+9+0+1+2 has 25 characters, and the line's end is dropped.
    import zlib

    assert found.tolist() == [zlib.crc32(b"V=1+2+3+4+5+6+7+8+9+0+1+2")]


def test_a_notebook_has_the_fingerprints_of_its_code_cells(submit):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "words"},
        *(
            {
                **{"cell_type": "code", "metadata": {}, "execution_count": None},
                "outputs": [],
                "source": part,
            }
            for part in CODE.split("\n\n")
        ),
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    found = opening(fingerprints, submit("a", json.dumps(notebook), "submission.ipynb"))
    alike = np.intersect1d(found, opening(fingerprints, submit("b", CODE)))
    assert len(alike) > 0.9 * len(found)


@pytest.mark.parametrize(
    "text", ["", "x", "def broken(:\n" * 3, "\x00\ufeff\u202e" * 40, "(" * 9000]
)
def test_what_is_no_code_breaks_nothing(submit, text):
    assert opening(fingerprints, submit("a", text)).dtype == np.uint32


def test_much_code_is_compared_by_its_beginning(submit):
    text = "".join(f"value_{n} = compute({n}, other) + [{n}]\n" for n in range(9000))
    found = opening(fingerprints, submit("a", text))
    assert np.array_equal(found, opening(fingerprints, submit("b", text + OTHER)))


def test_a_submission_without_code_has_no_fingerprints(tmp_path):
    (tmp_path / "notes.txt").write_text("later")
    assert opening(fingerprints, Submission("a", tmp_path)).size == 0


def test_files_that_cannot_be_read_have_no_fingerprints_and_stop_no_cohort(submit, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    submission = submit("a", CODE)
    assert opening(fingerprints, submission).size > 0
    monkeypatch.setattr("harness.opened.shutil.copyfile", denied)
    assert opening(fingerprints, submission).size == 0


def test_likeness_makes_the_round_trip():
    one = of([5, 1, 2**32 - 1], {"t/a": "0f"})
    again = Likeness.from_json(json.loads(json.dumps(one.to_json())))
    assert again.code.tolist() == [1, 5, 2**32 - 1]
    assert again.outputs == {"t/a": "0f"}


def test_near_identical_code_is_a_pair_with_its_share():
    """Of 40 own fingerprints each, two have 36 in common: 90 %; the others have none."""
    cohort = {
        "ann": of(range(100, 140)),
        "bob": of(range(104, 144)),
        **{f"s{n}": of(range(1000 * n, 1000 * n + 40)) for n in range(1, 7)},
    }
    assert find_alike(cohort) == [Alike(("ann", "bob"), 0.9, 0)]


def test_what_many_have_is_the_handouts_and_does_not_count():
    handout = range(500)
    cohort = {f"s{n:02}": of([*handout, *range(1000 * n, 1000 * n + 30)]) for n in range(1, 13)}
    assert find_alike(cohort) == []
    cohort["s02"] = of([*handout, *range(1000, 1027)])  # 27 of s01's own, and none beside
    assert find_alike(cohort) == [Alike(("s01", "s02"), 1.0, 0)]


def test_little_code_says_nothing():
    few = {name: of(range(19)) for name in "abc"}
    assert find_alike(few) == []


def test_the_same_code_is_one_group_however_many_have_it():
    cohort = {f"s{n:03}": of(range(60)) for n in range(200)} | {"z": of(range(90, 150))}
    [found] = find_alike(cohort)
    assert (len(found.names), found.code) == (200, 1.0)


def test_identical_outputs_are_told_with_the_code_or_for_themselves():
    cohort = {
        "ann": of(range(40), {"am/1": "aa", "am/2": "bb", "am/3": "11"}),
        "bob": of(range(40), {"am/1": "aa", "am/2": "bb", "am/3": "22"}),
        "eve": of(range(500, 540), {"am/1": "aa", "am/3": "33"}),
        "joe": of(range(700, 740), {"am/1": "zz"}),
    }
    assert find_alike(cohort) == [
        Alike(("ann", "bob"), 1.0, 2),
        Alike(("ann", "bob", "eve"), None, 1),
    ]


def test_a_large_cohort_is_searched_by_a_part_of_its_fingerprints(monkeypatch):
    monkeypatch.setattr(
        "harness.similarity._EXACT", 4
    )  # twelve submissions: one fingerprint in four
    rng = np.random.default_rng(0)
    cohort = {f"s{n:02}": of(set(rng.integers(0, 2**32, 300).tolist())) for n in range(12)}
    cohort["s03"] = of([*cohort["s02"].code[:270].tolist(), *range(30)])
    [found] = find_alike(cohort)
    assert (found.names, found.code) == (("s02", "s03"), pytest.approx(0.9))


@pytest.mark.parametrize(
    ("value", "has_one"),
    [
        (np.array([1.0, 2.0]), True),
        (np.zeros((2, 2)), False),
        (np.array([3.0]), False),
        (np.array([True, False]), False),
        ([1.0, 2.0], False),
        (None, False),
    ],
)
def test_only_arrays_that_vary_have_a_digest(value, has_one):
    assert bool(digest_of(value)) == has_one


def test_a_digest_is_of_every_bit():
    value = np.array([1.0, 2.0], "float32")
    assert digest_of(value) == digest_of(value.copy())
    others = [np.nextafter(value, 3), value.astype("float64"), value[None], -value]
    assert len({digest_of(value), *map(digest_of, others)}) == 5
