"""A correct map keeps its points whatever enlarges it: many ways, on every map of the lab."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import zoom
from skimage.transform import resize

from harness import calibrated, golden, techniques
from harness.calibration.proof import ROOM
from harness.grading import open_lab
from harness.judging import judge
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import RunStatus, RunSummary

pytestmark = pytest.mark.tensorflow
LAB = Path(__file__).parents[1] / "fixtures" / "lab.yaml"
FUNCTION = "class_activation_map"


def pillow(heatmap, size, method):
    return np.asarray(Image.fromarray(heatmap.astype("float32")).resize(size[::-1], method))


def scikit_image(heatmap, size, order, mode):
    return resize(heatmap, size, order=order, mode=mode, anti_aliasing=False)


def scipy_corners(heatmap, size, order):
    return zoom(heatmap, np.divide(size, heatmap.shape), order=order)


def scipy_cells(heatmap, size, order):
    factors = np.divide(size, heatmap.shape)
    return zoom(heatmap, factors, order=order, grid_mode=True, mode="nearest")


WAYS = {f"Pillow, {how.name}": partial(pillow, method=how) for how in Image.Resampling}
for order in range(6):
    WAYS[f"SciPy, corners, {order}"] = partial(scipy_corners, order=order)
    WAYS[f"SciPy, cells, {order}"] = partial(scipy_cells, order=order)
    for mode in ("reflect", "edge"):
        WAYS[f"scikit-image, {mode}, {order}"] = partial(scikit_image, order=order, mode=mode)
SCALES = {
    "over the maximum": lambda heatmap: heatmap / max(heatmap.max(), 1e-12),
    "bytes": lambda heatmap: np.uint8(255 * heatmap / max(heatmap.max(), 1e-12)),
    "as it is": lambda heatmap: heatmap,
}


@pytest.fixture(scope="module")
def lab():
    lab = open_lab(LAB)
    return calibrated.with_thresholds(lab, calibrated.load(lab).thresholds)


@pytest.fixture(scope="module")
def expected(lab):
    return golden.load(lab)


@pytest.fixture(scope="module")
def maps(lab):
    """Per case, the weighted sum before the ReLU (h, w), and the image's size."""
    from harness.models import load_model
    from reference.variants._cam import activations_and_gradients

    models = {name: load_model(spec) for name, spec in lab.models.items()}
    found = {}
    for case in lab.cases:
        if case.function == FUNCTION:
            arguments = techniques.resolve_arguments(lab, case)
            features, gradients = activations_and_gradients(models[case.model], **arguments)
            weights = gradients.mean(axis=(0, 1), dtype="float64")
            found[techniques.key(case)] = features @ weights, arguments["image"].shape[:2]
    return found


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
@pytest.mark.parametrize("first", [True, False], ids=["ReLU first", "ReLU last"])
@pytest.mark.parametrize("enlarge", WAYS.values(), ids=WAYS)
def test_every_presentation_of_a_correct_map_passes_with_room(
    lab, expected, maps, enlarge, first, scale
):
    def presented(signed, size):
        large = enlarge(np.maximum(signed, 0) if first else signed, size)
        return scale(np.maximum(large, 0))

    cases = [case for case in lab.cases if case.function == FUNCTION]
    values = {
        key: CaseOutput(CaseStatus.RETURNED, presented(signed, size))
        for key, (signed, size) in maps.items()
    }
    outputs = Outputs("one", RunSummary(RunStatus.COMPLETED, 0.0), values)
    [check] = judge(lab, cases, expected, outputs, None)
    assert len(check.cases) == len(maps) >= 20
    assert {case.id: case.margin for case in check.cases if case.margin < ROOM} == {}
