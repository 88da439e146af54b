import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

keras = pytest.importorskip("keras")

from reference.top_predictions import top_predictions  # noqa: E402  (after the skip)

NAMES = ["ball", "racket", "net", "shoe"]


@pytest.fixture
def model():
    """One pixel x in 0 to 1; logits ln 1, ln 2, ln 5 and ln 2, whatever the pixel."""
    network = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(4, "softmax")]
    )
    network.layers[-1].set_weights([np.zeros((1, 4)), np.log([1.0, 2.0, 5.0, 2.0])])
    network.preprocess_input = lambda batch: np.asarray(batch, "float32") / 255
    network.decode_predictions = lambda rows, top=5: [
        [(f"n{i}", NAMES[i], float(row[i])) for i in np.argsort(-row)[:top]] for row in rows
    ]
    return network


IMAGE = np.full((1, 1, 1), 255, "uint8")


def test_names_and_probabilities_most_probable_first_and_ties_by_index(model):
    found = top_predictions(model, IMAGE, k=4)
    assert [name for name, _ in found] == ["net", "racket", "shoe", "ball"]
    # exp of the logits is 1, 2, 5, 2; they sum to 10.
    assert [value for _, value in found] == pytest.approx([0.5, 0.2, 0.2, 0.1])


def test_k_cuts_the_list(model):
    assert [name for name, _ in top_predictions(model, IMAGE, k=1)] == ["net"]


@pytest.mark.parametrize("k", [0, 5])
def test_k_out_of_range_says_what_is_allowed(model, k):
    with pytest.raises(ValueError, match=f"k is {k}; allowed: 1 to 4"):
        top_predictions(model, IMAGE, k=k)
