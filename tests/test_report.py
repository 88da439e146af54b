"""The pages as a reader finds them: parsed, every link followed, nothing loaded from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from small_lab import Page, golden_of, graded, make_lab, report, right_values

from harness.courseci.facts import failures
from harness.golden import Golden
from harness.lab import Lab
from harness.metrics.heatmaps import measure
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.report import draw, report_html, write_index
from harness.report.pages import points
from harness.results import RunStatus, RunSummary
from harness.texts import visible

HOSTILE = "<script>alert(1)</script> \"quoted\" 'single' & \u202eback\u202c \x1b[31m \x00"
CSP = "default-src 'none'; style-src 'unsafe-inline'; script-src '"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return make_lab(tmp_path / "lab")


def assert_self_contained(page: Page) -> None:
    """Nothing is loaded, no script runs, every link inside the page arrives."""
    [policy] = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policy.startswith(CSP)
    scripts = re.findall(r"<script>(.*?)</script>", page.source, re.DOTALL)
    assert len(page.all("script")) == len(scripts) <= 1
    for script in scripts:  # the policy lets ours run and no other
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in policy
    assert not page.all("link")
    assert not page.all("iframe")
    assert "url(" not in page.source
    assert "@import" not in page.source
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes), tag
        assert tag == "img" or "src" not in attributes
        assert not {"srcset", "background", "poster", "data", "action"} & attributes.keys()
    for image in page.all("img"):
        assert image["alt"]
        assert re.match(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+$", image["src"])
    for image in page.all("image"):
        assert re.match(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+$", image["href"])
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in [*page.all("a"), *page.all("use")]:
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids
    for _, attributes in page.elements:
        for name in attributes.get("aria-labelledby", "").split():
            assert name in ids


def test_right_work_shows_full_points_and_every_picture(lab):
    grade, outputs = graded(lab)
    page = report(lab, grade, outputs)
    assert_self_contained(page)
    assert grade["points"] == grade["max_points"] == 13.5
    assert "13.5 of 13.5 points" in page.words
    assert "Nothing to fix" in page.words
    labels = [drawing.get("aria-label", "") for drawing in page.all("svg")]
    assert any("Your map for <b>racket</b> over photo" in label for label in labels)
    assert any("The expected map for <b>racket</b>" in label for label in labels)
    assert "Total variation against tv_weight" in labels
    assert "could not be drawn" not in page.text


def test_points_shown_equal_the_grade(lab):
    wrong = {"class_activation_maps/racket": np.eye(4)}
    grade, outputs = graded(lab, wrong)
    page = report(lab, grade, outputs)
    assert f"{points(grade['points'])} of 13.5 points" in page.words
    for entry in grade["techniques"].values():
        assert f"{points(entry['points'])} / {points(entry['max_points'])}" in page.words
    for check in grade["checks"]:
        shown = f"{points(check['points'])} / {points(check['max_points'])}"
        assert shown in page.words
    assert points(2.6667) == "2.67"
    assert points(10.0) == "10"
    assert points(0.0) == "0"


def test_first_thing_to_fix_is_where_most_was_lost_and_furthest_off(lab):
    """Of the public cases: a hidden one has no pictures and cannot be run at home."""
    wrong = {
        "top_predictions/top": [["cup", 0.7], ["ball", 0.2], ["<b>racket</b>", 0.1]],
        "class_activation_maps/racket": right_values()["class_activation_maps/racket"] + 1.0,
        "class_activation_maps/guided": 1 - 2 * np.eye(4),
        "class_activation_maps/secret": np.zeros((4, 4)),
    }
    grade, outputs = graded(lab, wrong)
    maps = next(check for check in grade["checks"] if check["id"] == "maps")
    scores = {case["id"]: case["score"] for case in maps["cases"]}
    assert [case["outcome"] for case in maps["cases"]] == ["failed"] * 3
    assert scores["racket"] > scores["guided"] >= scores["secret"]
    page = report(lab, grade, outputs)
    first = page.words.split("What to fix first")[1].split("See the pictures")[0]
    assert "Class activation maps, check “Maps”, case guided" in first
    assert "goes through a ReLU" in first
    assert "harness check --case class_activation_maps/guided" in first
    assert "differs" in page.words
    told = failures(grade, lab)[0]  # on the page of a run, the same comes first
    assert (told.technique, told.check, told.cases[0]) == (
        *("class_activation_maps", "maps"),
        "guided",
    )


def test_of_a_technique_the_check_that_lost_most_is_fixed_first(lab):
    raised = CaseOutput(CaseStatus.RAISED, message="no")
    changes = {f"layer_activations/{name}": raised for name in ("layers", "mean", "dominant")}
    grade, outputs = graded(lab, changes)
    checks = {check["id"]: check for check in grade["checks"]}
    checks["layers"]["points"] = 1.0  # of 1.5
    checks["means"]["points"] = 0.4  # of 1; the winners lose all of theirs
    assert failures(grade, lab)[0].check == "winners"
    assert "check “Winners”" in report(lab, grade, outputs).words.split("What to fix first")[1]


def test_what_keeps_a_file_from_loading_is_said_once_and_fixed_first(lab):
    error = "SyntaxError: '(' was never closed (submission.py, line 3)"
    unloaded = CaseOutput(CaseStatus.NOT_LOADED, message=error, traceback="submission.py, line 3")
    run = RunSummary(RunStatus.FAILED_TO_LOAD, 0.5, error)
    grade, outputs = graded(lab, dict.fromkeys(graded(lab)[1].cases, unloaded), run)
    page = report(lab, grade, outputs)
    assert page.words.count("was never closed") == page.words.count("What to do next") == 1
    assert "Run just this again In the folder of your work: harness check" in page.words
    assert "--case" not in page.words


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("the map is empty", True),
        ("layer: expected", True),
        ("à refaire", True),
        ("filter_indices may hold several", False),
        ("k most probable", False),
        ("l1: expected", False),
        ("model.get_layer", False),
        ("", False),
    ],
)
def test_a_sentence_opens_with_a_capital_and_an_identifier_stays_as_it_is(lab, text, opens):
    grade, outputs = graded(lab)
    diagnosis = {"mistake": "m", "confidence": 0.9, "hint": text, "kind": "method"}
    grade["techniques"]["top_predictions"]["diagnosis"] = diagnosis
    page = report(lab, grade, outputs)
    assert ('<p class="text hint opening">' in page.source) == opens
    assert "opening::first-letter" in page.source


def test_the_overlap_shown_is_that_of_the_map_it_is_judged_by(lab):
    """Two accepted maps: by IoU alone the second is nearer, by all measures the first."""
    golden = golden_of(lab)
    mine = np.array([[4.0, 3, 0, 0], [3, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    accepted = [mine + 0.9 * (mine == 0), np.where(mine >= 2, 4.0, mine)]
    key = "class_activation_maps/racket"
    golden = Golden({**golden.accepted, key: accepted}, golden.facts, "0")
    grade, outputs = graded(lab, {key: mine}, golden=golden)
    [case] = [one for check in grade["checks"] for one in check["cases"] if one["id"] == "racket"]
    measured = case["measured"]["iou"]
    every = [measure(mine, one)["iou"] for one in accepted]
    assert measured != max(every), "the maps do not tell"
    page = report(lab, grade, outputs, golden)
    assert f"the mean from 0.2 to 0.8: {measured:.2f} for your map" in page.words
    assert f"passes above {case['threshold']['iou']:.3g}" in page.words


def test_a_plot_has_the_threshold_of_its_own_cases(lab):
    grade, outputs = graded(lab)
    maps = next(check for check in grade["checks"] if check["id"] == "maps")
    for number, case in enumerate(maps["cases"]):
        case["threshold"] = {**case["threshold"], "iou": 0.5 + 0.125 * number}
    words = report(lab, grade, outputs).words
    public = [one["threshold"]["iou"] for one in maps["cases"] if one["id"] != "secret"]
    assert len(public) == 2
    for limit in public:
        assert words.count(f"passes above {limit:.3g}") == 1


def test_hidden_case_shows_outcome_and_hint_only(lab):
    grade, outputs = graded(lab, {"class_activation_maps/secret": np.zeros((4, 4))})
    page = report(lab, grade, outputs)
    [secret] = [case for case in grade["checks"][-1]["cases"] if case["id"] == "secret"]
    assert secret["outcome"] == "failed"
    assert secret["hint"] in page.words
    assert secret["message"] not in page.words
    assert not any("for ball" in drawing.get("aria-label", "") for drawing in page.all("svg"))
    drawn = draw(lab, golden_of(lab), outputs)
    assert ("class_activation_maps", "racket") in drawn
    assert ("class_activation_maps", "secret") not in drawn


def test_not_judged_is_marked_as_nobodys_fault(lab):
    missing = CaseOutput(CaseStatus.NOT_RUN, message="the child process did not start")
    grade, outputs = graded(lab, {"class_activation_maps/racket": missing})
    page = report(lab, grade, outputs)
    assert_self_contained(page)
    assert "Not all of this could be judged" in page.words
    assert "racket: not judged. This is not your fault." in page.words
    assert "the child process did not start" in page.words
    assert "Nothing to fix so far" in page.words


def test_hostile_text_is_shown_as_text(lab):
    raised = CaseOutput(
        CaseStatus.RAISED, message=HOSTILE, traceback=f"Traceback\n  {HOSTILE}\n", seconds=0.1
    )
    run = RunSummary(RunStatus.CRASHED, 1.0, HOSTILE, (HOSTILE,), HOSTILE + "\nsecond \ud800 line")
    changes = {
        "class_activation_maps/racket": raised,
        "top_predictions/top": [[HOSTILE, 0.7], ["x" * 5000, 0.2], ["cup", 0.1]],
        "layer_activations/layers": {HOSTILE: np.zeros(3)},
    }
    grade, outputs = graded(lab, changes, run, name=HOSTILE)
    grade["techniques"]["class_activation_maps"]["diagnosis"] = {
        **{"mistake": HOSTILE, "confidence": 0.93, "hint": HOSTILE, "kind": "input"}
    }
    page = report(lab, grade, outputs)
    assert_self_contained(page)
    assert page.source.count("<script") == 1
    assert page.text.count("<script>alert(1)</script>") >= 9
    assert "\"quoted\" 'single' &" in page.text
    assert "⟨U+202E⟩back⟨U+202C⟩ ⟨U+001B⟩[31m ⟨U+0000⟩" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\ud800-\udfff]", page.source)
    assert "x" * 100 not in page.text
    assert "The method looks right; what it is applied to does not." in page.text


def test_what_was_accepted_with_a_note_says_so(lab):
    grade, outputs = graded(lab)
    grade["checks"][0]["cases"][0]["message"] = "these are percentages: accepted"
    assert "these are percentages: accepted" in report(lab, grade, outputs).text


def test_visible_keeps_ordinary_text():
    text = "Ελληνικά עברית 漢字 👩‍🔬 é\n\tindented"
    assert visible(text) == text
    assert visible("a\r\nb\rc") == "a\nb⟨U+000D⟩c"


def test_traceback_of_a_failed_case_is_shown(lab):
    trace = 'File "submission.py", line 7, in class_activation_map\n    x = maps[99]'
    raised = CaseOutput(CaseStatus.RAISED, message="IndexError: 99", traceback=trace)
    changes = {f"class_activation_maps/{case}": raised for case in ("racket", "guided")}
    page = report(lab, *graded(lab, changes))
    assert trace in page.text
    assert "2 cases failed What happened racket, guided: IndexError: 99" in page.words


def test_wrong_shapes_are_said_in_words(lab):
    changes = {
        "layer_activations/layers": {"conv": np.zeros((2, 2)), "dense": np.zeros(0)},
        "layer_activations/mean": np.zeros((3, 4)),
        "layer_activations/dominant": np.zeros((1, 1, 1)),
        "activation_maximization/sweep-tv2": np.zeros((4, 4, 7)),
        "class_activation_maps/racket": np.ones((1000, 3)),
        "class_activation_maps/guided": np.zeros((0, 4)),
        "top_predictions/top": [],
    }
    page = report(lab, *graded(lab, changes))
    assert "Layer conv cannot be drawn: expected shape (8, 8, 20), got (2, 2)." in page.words
    assert "Cannot be drawn: expected shape (3, 8, 8, 4), got (3, 4)." in page.words
    assert "your image has shape (4, 4, 7), which cannot be drawn" in page.words
    assert "returned shape (0, 4); expected one heatmap" in page.words
    assert "Cannot be drawn: expected a map of the layer's size" in page.words
    assert "got (1000, 3)." in page.words
    assert "could not be drawn" not in page.words


def test_a_figure_that_breaks_costs_only_itself(lab):
    golden = golden_of(lab)
    grade, outputs = graded(lab)
    broken = Golden({**golden.accepted, "layer_activations/mean": [None]}, golden.facts, "0")
    path = lab.folder.parent / "report.html"
    path.write_text(report_html(grade, outputs, lab, draw(lab, broken, outputs)), "utf-8")
    page = Page(path)
    assert page.words.count("This figure could not be drawn") == 1
    assert "13.5 of 13.5 points" in page.words
    assert len(page.all("img")) > 10


def test_pictures_beyond_the_limit_are_left_out(lab, monkeypatch):
    monkeypatch.setattr("harness.report.drawings._MOST_BYTES", 20_000)
    page = report(lab, *graded(lab))
    assert "Left out: with these pictures the report would become too large" in page.words
    assert_self_contained(page)


def test_outputs_without_cases_still_give_a_report(lab):
    grade, outputs = graded(lab)
    page = report(lab, grade, Outputs("alice", outputs.run))
    assert "13.5 of 13.5 points" in page.words
    assert not page.all("img")


@pytest.mark.parametrize("status", list(RunStatus))
def test_every_end_of_a_run_is_told(lab, status):
    grade, outputs = graded(lab, run=RunSummary(status, 0.5, "the message", ("a note",), "hello"))
    page = report(lab, grade, outputs)
    assert "a note" in page.words
    assert "hello" in page.text
    assert ("the message" in page.words) == (status is not RunStatus.COMPLETED)


NAMES = ["plain", "two words", "100% #1?", "émoji 👩‍🔬", "a:b", "index.html", '<b a="">', "&amp;"]


def test_index_links_to_every_report(lab, tmp_path):
    grades = [graded(lab, name=name)[0] for name in NAMES]
    path = tmp_path / "book" / "index.html"
    path.parent.mkdir()
    write_index(path, lab, grades)
    page = Page(path)
    assert_self_contained(page)
    csv, *links = [link["href"] for link in page.all("a")]
    assert csv == "grades.csv"
    links = links[: len(NAMES)]
    folders = [name if name != "index.html" else "index.html.submission" for name in NAMES]
    assert [unquote(link) for link in links] == [f"{name}/report.html" for name in folders]
    for link in links:
        assert re.fullmatch(r"[A-Za-z0-9._~%-]+/report\.html", link)
    for name in NAMES:
        assert " ".join(name.split()) in page.words


def test_index_summary_leaves_out_what_was_not_judged(lab, tmp_path):
    unsure, _ = graded(
        lab, {"top_predictions/top": CaseOutput(CaseStatus.NOT_RUN, message="-")}, name="unsure"
    )
    half, _ = graded(
        lab,
        {f"class_activation_maps/{name}": np.eye(4) for name in ("racket", "guided", "secret")},
        name="half",
    )
    whole, _ = graded(lab, name="whole")
    path = tmp_path / "index.html"
    write_index(path, lab, [whole, half, unsure])
    page = Page(path)
    # 13.5 and 13.5 − 4: mean and median 11.5.
    assert "Submissions 3 Mean 11.5 / 13.5 Median 11.5 / 13.5" in page.words
    assert "1 of 3 could not be judged" in page.words
    table = page.words.split("Class activation maps Run ")[1]
    assert table.index("unsure") < table.index("whole") < table.index("half")
    # maps: 3 submissions × 3 cases, of which the three of `half` failed.
    # Two of them earned all points of that check, and one none.
    assert "Maps Class activation maps 67 % 2 0 1" in page.words
    # The histogram's numbers: one of 9.5 of 13.5, two of all.
    assert "% of the points submissions 0+ 0 10+ 0" in page.words
    assert "60+ 0 70+ 1 80+ 0 90+ 1" in page.words


def test_index_of_nobody_says_so(lab, tmp_path):
    write_index(tmp_path / "index.html", lab, [])
    page = Page(tmp_path / "index.html")
    assert_self_contained(page)
    assert "Submissions 0" in page.words


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours as #rrggbb."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_has_enough_contrast(lab, scheme):
    page = report(lab, *graded(lab))
    block = re.findall(r":root \{(.*?)\}", page.source, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    pairs = [(text, back) for text in ("ink", "quiet", "link") for back in ("page", "card")]
    pairs += [(kind, f"{kind}-back") for kind in ("good", "bad", "unsure")]
    pairs += [(kind, "card") for kind in ("good", "bad", "student", "reference")]
    pairs += [("ink", f"{kind}-back") for kind in ("good", "bad", "unsure", "first")]
    pairs += [("quiet", "first-back"), ("link", "first-back"), ("ink", "track")]
    for text, back in pairs:
        assert contrast(colours[text], colours[back]) >= 4.5, (text, back)


def test_report_stays_below_its_limit(lab, monkeypatch):
    """However many pictures: pictures take at most a megabyte, a third more in base64."""
    rng = np.random.default_rng(3)
    noise = {"layer_activations/mean": rng.random((3, 300, 300, 16))}
    golden = golden_of(lab)
    monkeypatch.setattr("harness.report.drawings._MOST_BYTES", 200_000)
    grade, outputs = graded(lab, noise)
    outputs = Outputs("a", outputs.run, outputs.cases)
    accepted = {**golden.accepted, "layer_activations/mean": [rng.random((3, 300, 300, 16))]}
    path = lab.folder.parent / "report.html"
    path.write_text(
        report_html(grade, outputs, lab, draw(lab, Golden(accepted, golden.facts, "0"), outputs)),
        "utf-8",
    )
    assert path.stat().st_size < 200_000 * 4 / 3 + 80_000
