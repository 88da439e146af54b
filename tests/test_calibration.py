"""Thresholds between right and wrong, the proof, and the file that says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from harness import calibrated, cli
from harness.calibration import left_out, page, proof, record
from harness.calibration.running import NoiseRun, Row
from harness.calibration.thresholds import choose
from harness.catalogue import Entry
from harness.commands import printing
from harness.errors import LabError, UsageError
from harness.grading import open_lab
from harness.outputs import Outputs
from harness.report import write_calibration
from harness.results import CaseResult, CheckResult, Outcome, RunStatus, RunSummary, Trace

ROOT = Path(__file__).parents[1]
NOTHING = Outputs("x", RunSummary(RunStatus.COMPLETED, 0.0))
CAM = "class_activation_maps"


def result(identifier, value, *, threshold=0.9, number=0):
    """A case with a correlation, held against a threshold."""
    margin = max(-1.0, (value - threshold) / (1 - threshold))
    outcome = Outcome.PASSED if margin >= 0 else Outcome.FAILED
    trace = Trace("map", np.array([value, number], "float32"), np.array([1, 0], "float32"))
    return CaseResult(
        identifier,
        outcome,
        max(value, 0.0),
        {"correlation": value},
        {"correlation": threshold},
        "" if margin >= 0 else "too little",
        margin=margin,
        trace=None if margin >= 0 else trace,
    )


def row(name, *values, is_mistake=True, threshold=0.9, number=0):
    entry = Entry(Path(f"{name}.py"), is_mistake, CAM, f"{name}.", "do this" if is_mistake else "")
    cases = tuple(
        result(f"case{index}", value, threshold=threshold, number=number)
        for index, value in enumerate(values)
    )
    return Row(entry, NOTHING, (CheckResult("maps", CAM, f"{CAM}.agreement", 2.0, cases),))


def variant(name, *values, threshold=0.9):
    return row(name, *values, is_mistake=False, threshold=threshold)


def noise(condition, *values):
    return NoiseRun(condition, NOTHING, row("reference", *values).checks)


@pytest.fixture
def lab(lab_file):
    """A lab with a check of heatmaps that sets all thresholds but the correlation's."""
    text = lab_file.read_text("utf-8").replace("models:", "calibration: calibration\nmodels:", 1)
    text += (
        "  - {id: maps, metric: class_activation_maps.agreement, points: 2, "
        "threshold: {iou: 0.1, soft_iou: 0.1, similarity: 0.1}}\n"
    )
    lab_file.write_text(text, "utf-8")
    return open_lab(lab_file)


def test_a_threshold_stands_between_the_worst_variant_and_the_nearest_mistake(lab):
    rows = [
        variant("good", 0.99, 0.96),  # 0.04 from perfect: between 0.06 and 0.12
        row("near", 0.91, 0.5),  # 0.09: beyond the middle, but not clearly
        row("far", 0.3, 0.2),
        row("hidden", 0.99, 0.99),
    ]
    [choice] = choose(lab, rows, [noise("one thread", 0.9999, 0.9998)])
    assert (choice.check, choice.name, choice.at_most) == ("maps", "correlation", False)
    assert (choice.correct.value, choice.correct.who, choice.correct.case) == (
        0.96,
        "good",
        "case1",
    )
    # The middle is at 0.085. `near` is clearly caught from 0.09 / 1.1 = 0.0818 on, and of the
    # fifteen steps from 0.06 to 0.12 the next is the seventh.
    assert choice.threshold == pytest.approx(1 - 0.06 * 2 ** (6 / 14), abs=0.0005)
    assert type(choice.threshold) is float  # YAML knows no type of NumPy's
    assert (choice.mistake.value, choice.mistake.who) == (0.91, "near")
    assert choice.why == (
        "2 times as far from perfect as the worst correct work: in the middle, at 2.1, 1 of 3 "
        "mistakes are caught by two cases, here 2"
    )


def test_a_further_mistake_moves_no_threshold_that_catches_it(lab):
    rows = [variant("good", 0.96), row("far", 0.3, 0.2)]
    [before] = choose(lab, rows, [])
    [after] = choose(lab, [*rows, row("nearer", 0.9, 0.89)], [])
    # The middle from 0.06 to 0.12, as a factor.
    assert before.threshold == after.threshold == pytest.approx(1 - 0.0849, abs=0.0005)
    assert before.why.endswith("the middle of 1.5 to 3")


def test_noise_counts_as_correct_work(lab):
    rows = [variant("good", 0.99), row("far", 0.3)]
    [choice] = choose(lab, rows, [noise("one thread", 0.95), noise("two threads", 0.97)])
    assert choice.correct.who == "the reference, one thread"
    assert choice.threshold == pytest.approx(1 - 2.121 * 0.05, abs=0.001)  # from 1.5 to 3 times
    assert choice.noise == pytest.approx(0.02)
    assert choice.mistake.value == 0.3


def test_where_correct_work_is_perfect_the_metrics_own_threshold_stands(lab):
    [choice] = choose(lab, [variant("good", 1.0), row("none", 1.0)], [])
    assert choice.threshold == 0.94
    assert choice.mistake is None
    assert "the metric's own threshold stands" in choice.why


def test_what_the_lab_file_sets_is_not_chosen(lab):
    names = {choice.name for choice in choose(lab, [variant("good", 0.99)], [])}
    assert names == {"correlation"}


def test_a_measure_that_must_be_low_gets_a_threshold_above_correct_work(lab):
    def falling(name, ratio, *, is_mistake):
        case = CaseResult(
            "cat",
            Outcome.PASSED,
            1.0,
            {"falling": 1.0, "roughness_left": ratio},
            {"falling": 0.8, "roughness_left": 1.9},
            margin=0.5,
        )
        entry = Entry(Path(f"{name}.py"), is_mistake, "activation_maximization", "T.")
        check = CheckResult(
            "fall", "activation_maximization", "activation_maximization.fall", 1.0, (case,)
        )
        return Row(entry, NOTHING, (check,))

    rows = [falling("good", 0.4, is_mistake=False), falling("one_axis", 0.8, is_mistake=True)]
    chosen = {choice.name: choice for choice in choose(lab, rows, [])}
    # From 1.5 times 0.4 to the mistake's 0.8: the root of 0.6 times 0.8.
    assert chosen["roughness_left"].threshold == pytest.approx(0.693)
    assert chosen["roughness_left"].at_most
    assert chosen["falling"].threshold == 0.8


def test_each_entry_is_left_out_of_the_thresholds_that_judge_it(lab):
    rows = [
        variant("good", 0.99, 0.99),
        variant("better", 0.999, 0.999),
        variant("odd", 0.99, 0.95),  # 0.05 from perfect, the others 0.01: allowed is 0.021 without
        row("far", 0.3, 0.2),
        row("near", 0.92, 0.92),  # 0.08: refused only while `odd` keeps the middle from 0.106
    ]

    def by(other, judged):
        [limit] = [check.threshold["correlation"] for check in other.checks if check.id == "maps"]
        values = [case.measured["correlation"] for case in judged.checks[0].cases]
        name, is_mistake = judged.entry.name, judged.entry.is_mistake
        return row(name, *values, is_mistake=is_mistake, threshold=limit)

    found = left_out.leave_each_out(lab, rows, [], by)
    # Without `near` the threshold is in the middle, 0.106 from perfect, and lets it pass.
    assert found == left_out.LeftOut(3, 2, 2, 1, missed=("odd", "near"))
    assert str(found) == (
        "2 of 3 variants and 1 of 2 mistakes come out right under thresholds set without them "
        "(not: odd, near)"
    )
    proven = prove(*rows)
    assert page.counts(proven, found)[-1] == str(found)
    path = record.write(lab, [], [], proven, [], found)
    assert yaml.safe_load(path.read_text("utf-8"))["proof"]["left_out"] == str(found)


def prove(*rows, runs=()):
    return proof.prove(rows, runs, proof.known_mistakes(rows))


def test_the_proof_counts_variants_and_mistakes():
    found = prove(variant("good", 0.99, 0.96), row("one", 0.2, 0.1), row("two", 0.2, 0.1, number=1))
    assert (found.variants_right, found.variants) == (1, 1)
    assert (found.mistakes_caught, found.mistakes, found.named) == (2, 2, 2)
    assert found.problems == found.notes == ()
    assert page.counts(found)[0] == "1 of 1 variants keep every point"


@pytest.mark.parametrize(
    ("rows", "runs", "said"),
    [
        ([variant("good", 0.99, 0.89)], [], "the variant good fails maps/case1: too little"),
        ([variant("good", 0.99, 0.904)], [], "passes maps/case1 with a margin of 0.04"),
        ([row("one", 0.2, 0.95)], [], "the mistake one is clearly caught (margin at most -0.1) by"),
        ([row("one", 0.2, 0.895)], [], "by 1 cases (maps/case0); at least 2 are asked for"),
        (
            [variant("good", 0.99)],
            [noise("without oneDNN", 0.99, 0.902)],
            "a threshold of maps lies within the noise: the reference has a margin of 0.02",
        ),
    ],
)
def test_what_does_not_hold_is_said(rows, runs, said):
    [problem] = prove(*rows, runs=runs).problems
    assert said in problem


def test_a_case_that_could_not_be_judged_is_a_problem_of_its_own():
    broken = variant("good", 0.99)
    unjudged = replace(broken.checks[0].cases[0], outcome=Outcome.NOT_JUDGED)
    checks = (replace(broken.checks[0], cases=(unjudged,)),)
    [problem] = prove(replace(broken, checks=checks)).problems
    assert problem == "good could not be judged on maps/case0"


def test_mistakes_without_a_name_of_their_own_are_a_problem():
    one, two = row("one", 0.2, 0.1), row("two", 0.2, 0.1)
    found = prove(one, two)
    assert found.named == 1
    assert "only 1 of 2 mistakes are their own first diagnosis" in found.problems
    assert any("one returns the same as two wherever they fail" in note for note in found.notes)


def test_what_no_case_can_tell_is_said_with_the_reason():
    same, near = row("same", 1.0, 1.0), row("near", 0.95, 0.95)
    [of_same, of_near, *_] = prove(same, near).notes
    assert "no case tells same from correct work: it returns what correct work returns" in of_same
    assert "behind a global average pooling" in of_same
    assert "no case tells near from correct work: its nearest case is 0.50" in of_near


def test_cases_are_chosen_until_every_mistake_is_caught_twice():
    rows = [row("one", 0.2, 0.2, 0.95, 0.95), row("two", 0.95, 0.2, 0.2, 0.2)]
    uses = proof.choose_cases(rows)
    assert [use.key for use in uses if use.needed] == ["maps/case1", "maps/case0", "maps/case2"]
    assert uses[0].catches == uses[0].needed == ("one", "two")
    assert [use.key for use in uses if not use.needed] == ["maps/case3"]


def test_the_calibration_is_written_and_read_by_grading(lab):
    rows = [variant("good", 0.99, 0.96), row("one", 0.2, 0.1)]
    choices = choose(lab, rows, [])
    known = proof.known_mistakes(rows)
    path = record.write(lab, choices, proof.choose_cases(rows), prove(*rows), known)
    assert path == lab.folder / "calibration" / "calibration.yaml"
    data = yaml.safe_load(path.read_text("utf-8"))
    assert data["thresholds"]["maps"]["correlation"]["worst_correct"] == "0.9600 (good on case1)"
    assert data["cases"]["chosen"] == {
        "maps/case0": "catches 1, needed for one",
        "maps/case1": "catches 1, needed for one",
    }
    assert data["proof"]["mistakes"] == "1 of 1 are caught by two cases"
    back = calibrated.load(lab)
    assert back.thresholds == {"maps": {"correlation": choices[0].threshold}}
    assert [mistake.name for mistake in back.known] == ["one"]
    assert len(back.digest) == 64
    thresholds = {
        check.id: check.threshold
        for check in calibrated.with_thresholds(lab, {**back.thresholds, "top": {"tie": 1}}).checks
    }
    assert thresholds["maps"]["correlation"] == choices[0].threshold
    assert thresholds["top"] == {"tie": 0.01}  # what the lab file says comes first


def test_a_lab_without_calibration_has_none(lab):
    without = replace(lab, calibration=None)
    assert calibrated.load(without) == calibrated.Calibrated()
    with pytest.raises(UsageError, match="add 'calibration: calibration'"):
        record.write(without, [], [], prove(), [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"no calibration: .*calibration\.yaml is missing"),
        ("thresholds: 5", "expected thresholds by check and name"),
        ("thresholds: {maps: {correlation: {}}}", "expected thresholds by check and name"),
        ("thresholds: {map: {correlation: {threshold: 1}}}", "did you mean 'maps'"),
        ("thresholds: {maps: {corelation: {threshold: 1}}}", "did you mean 'correlation'"),
    ],
)
def test_a_calibration_that_does_not_fit_is_an_error(lab, text, said):
    lab.calibration.mkdir()
    if text is not None:
        (lab.calibration / "calibration.yaml").write_text(text, "utf-8")
    with pytest.raises(LabError, match=said):
        calibrated.load(lab)


def test_the_page_has_every_margin_as_colour_and_number(lab, tmp_path):
    rows = [variant("good", 0.99, 0.96), row("one", 0.2, 0.95)]
    found = page.calibration_page(lab, rows, choose(lab, rows, []), prove(*rows))
    write_calibration(tmp_path / "calibration.html", found)
    html = (tmp_path / "calibration.html").read_text("utf-8")
    assert "1 of 1 variants keep every point" in html
    assert '<td class="margin pass-4">+0.90</td><td class="margin pass-2">+0.60</td>' in html
    assert '<td class="margin fail-4">−1.00</td>' in html
    assert "the mistake one is clearly caught" in html
    assert "keeps all (least 0.60)" in html
    assert "≥ 0.9" in html
    [matrix] = found.matrices
    assert [line.right for line in matrix.lines] == [True, False]


def test_an_entry_that_lacks_a_case_has_an_empty_cell(lab):
    found = page.calibration_page(lab, [variant("good", 0.99, 0.96), row("one", 0.2)], [], prove())
    last = found.matrices[0].lines[1].cells[1]
    assert (last.margin, last.word, last.style) == (None, "", "")


@pytest.mark.tensorflow
def test_some_of_the_catalogue_checked_on_the_real_lab(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    names = ["top_ascending", "cam_transposed", "cam_nearest", "top_percentages", "layers_list"]
    arguments = ["calibrate", "--check", *names, "--jobs", "2", "--out", str(tmp_path)]
    code = cli.main(arguments)
    printed = capsys.readouterr().out
    assert code == printing.EXIT_OK, printed
    assert "3 of 3 variants keep every point" in printed
    assert "2 of 2 mistakes are caught by two cases or more" in printed
    assert "2 of 2 mistakes are their own first diagnosis" in printed
    assert "ok    mistake cam_transposed: caught by" in printed
    assert "cam_transposed" in (tmp_path / "calibration.html").read_text("utf-8")


def test_calibrate_of_nothing_is_a_usage_error(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(["calibrate", "no_such_entry"]) == cli.EXIT_ERROR
    assert "no variant or mistake of that name" in capsys.readouterr().err
