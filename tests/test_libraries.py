"""Correct implementations that nobody here wrote get the marks they deserve.

tf-keras-vis keeps every point. tf-explain's Grad-CAM has no ReLU, and its "guided" masks the
gradient at the target layer only: it loses points for both, and the diagnosis names the first.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness import techniques
from harness.grading import Grader, open_lab
from harness.submission import Submission
from harness.techniques import part_of

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[1]
LIBRARIES = Path(__file__).with_name("libraries")
MAXIMIZED = ("digit9", "digit8", "pair-4-9")


@pytest.fixture(scope="module")
def grades():
    """The checks of each library's submission, over all heatmaps and some maximized images."""
    lab = open_lab(ROOT / "fixtures" / "lab.yaml")
    # The question is what they are worth, not how long they take: minutes on a slow machine.
    limits = dataclasses.replace(lab.limits, case_seconds=120, submission_seconds=900)
    with Grader(dataclasses.replace(lab, limits=limits)) as grader:
        keys = [
            techniques.key(case)
            for case in lab.cases
            if case.function == "class_activation_map" or case.group in MAXIMIZED
        ]
        grader.narrow(part_of(grader.lab, keys))
        yield {
            path.stem: grader.grade(Submission(path.stem, path)).grade
            for path in sorted(LIBRARIES.glob("*.py"))
        }


def cases(grade, technique):
    return {
        f"{check['id']}/{case['id']}": case
        for check in grade["checks"]
        if check["technique"] == technique
        for case in check["cases"]
    }


def test_tf_keras_vis_keeps_every_point(grades):
    for technique in ("class_activation_maps", "activation_maximization"):
        found = cases(grades["with_tf_keras_vis"], technique)
        failed = {key: case["message"] for key, case in found.items() if not passed(case)}
        assert len(found) >= 9
        assert failed == {}
    techniques_of = grades["with_tf_keras_vis"]["techniques"].values()
    assert [one["diagnosis"] for one in techniques_of] == [None, None]


def test_tf_explain_loses_the_cases_on_which_it_deviates_and_is_told_why(grades):
    grade = grades["with_tf_explain"]
    found = cases(grade, "class_activation_maps")
    lab_cases = {case.id: case for case in open_lab(ROOT / "fixtures" / "lab.yaml").cases}
    vanilla = {
        key: case
        for key, case in found.items()
        if "modifier" not in lab_cases[case["id"]].arguments
    }
    kept = [key for key, case in vanilla.items() if passed(case)]
    lost = [key for key, case in vanilla.items() if not passed(case)]
    assert kept, "a map that is positive everywhere is right without a ReLU"
    assert len(lost) >= 2
    # Where it loses points its map has negative values, which the hint of the case says.
    assert all("negative values" in found[key]["hint"] for key in lost)
    diagnosis = grade["techniques"]["class_activation_maps"]["diagnosis"]
    assert diagnosis["mistake"] == "cam_signed"
    assert "ReLU" in diagnosis["hint"]


def passed(case):
    return case["outcome"] == "passed"
