"""The page of a run, read as GitHub would show it: what is there, and that nothing else gets in."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from markdown_it import MarkdownIt
from small_lab import LAB, golden_of, graded, make_lab, right_values

from harness.courseci import summary as page
from harness.courseci.facts import Checked
from harness.courseci.markdown import plain
from harness.courseci.squares import LEVELS, squares
from harness.courseci.summary import summary, summary_of_error
from harness.kitfiles import Changed
from harness.outputs import CaseOutput, CaseStatus
from harness.results import Diagnosis, RunStatus, RunSummary

# What the harness itself puts on the page, and nothing else may be there.
OWN_TAGS = {"h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "br"}
OWN_TAGS |= {"ul", "li", "blockquote"}
NASTY = [
    "a | b",
    "`code` **bold** _soft_ ~~gone~~",
    "<script>alert(1)</script><img src=x onerror=y>",
    "![x](https://evil.example/x.png) [y](javascript:z) <https://evil.example>",
    "https://evil.example www.evil.example mailto:a@b.example a@b.example",
    "hello @octocat and @team/all",
    "one\n\n# heading\n\n| a | b |\n|---|---|\n| c | d |\n\n```\ncode\n```\n---\n> quote\n- item",
    "&lt;b&gt; &#64;octocat &copy;",
    "\\| \\` \\<b> \\",
    "$\\infty$ {{x}} ^1 [^1]",
    "\x1b[31m\u202eright to left\x00",
    "\ud800",
    "<!-- comment",
    "</td></tr></table>",
    *("- item", "+ item", "12. item", "3) item", "---", "===", "    indented", "# heading"),
]


@pytest.fixture
def lab(tmp_path):
    return make_lab(tmp_path / "lab")


def checked_of(lab, changes=None, **more):
    grade, outputs = graded(lab, changes, **more)
    return Checked(grade, outputs, lab, golden_of(lab), lab.folder)


def html(text):
    """As GitHub renders it: with tables, and HTML let through (which it then sanitises)."""
    return MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)


def tags(text):
    return set(re.findall(r"<([a-z0-9]+)", html(text)))


def words(text):
    """What a reader sees, tags taken out."""
    shown = re.sub(r"<br ?/?>|</(td|th|p|li|h.)>", " ", html(text))
    shown = re.sub(r"<[^>]*>", "", shown)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        shown = shown.replace(entity, character)
    return " ".join(shown.split())


def raised(text, status=CaseStatus.RAISED):
    return CaseOutput(status, message=text)


WRONG = {
    "top_predictions/top": [["cup", 0.7], ["ball", 0.2], ["<b>racket</b>", 0.1]],
    "class_activation_maps/racket": np.eye(4)[::-1],
}


def test_points_techniques_failures_and_what_to_fix_first(lab):
    checked = checked_of(lab, WRONG)
    text = words(summary(checked))
    grade = checked.grade
    assert "Deep <networks>" in text
    assert f"{grade['points']:g} of {grade['max_points']:g} points" in text
    for name, entry in grade["techniques"].items():
        assert f"{entry['points']:g} {entry['max_points']:g}" in text, name
    [failed] = grade["checks"][0]["cases"]
    # Predictions lost both their points, maps 1⅓ of theirs.
    fix = f"What to fix first Top predictions, Names {' '.join(failed['message'].split())}"
    assert fix in text
    assert text.count(failed["hint"]) == 2
    assert "Class activation maps: Maps racket" in text


def test_a_known_mistake_is_the_thing_to_fix_first(lab):
    found = {"top_predictions": Diagnosis("sorted", 0.9, "sort them the other way")}
    text = words(summary(checked_of(lab, WRONG, diagnoses=found)))
    assert "What to fix first Top predictions, Names sort them the other way" in text


def test_when_all_is_well_there_is_nothing_to_fix(lab):
    text = summary(checked_of(lab))
    assert "13.5 of 13.5 points" in words(text)
    assert "What to fix first" not in text
    assert "What failed" not in text
    assert not set(LEVELS) & set(text)


def test_points_that_a_person_gives_are_told_apart(tmp_path):
    level = [{"points": 2, "label": "well"}, {"points": 0, "label": "missing"}]
    questions = [{"id": name, "title": name, "points": 2, "levels": level} for name in ("a", "b")]
    lab = make_lab(tmp_path / "asking", {**LAB, "questions": questions})
    text = words(summary(checked_of(lab)))
    assert "13.5 of 13.5 points" in text
    assert "Written answers are marked by a person: 4 more points." in text


def test_not_judged_is_never_shown_as_nought(lab):
    lost = dict.fromkeys(right_values(), raised("the machine died", CaseStatus.NOT_RUN))
    run = RunSummary(RunStatus.NOT_RUN, 0.0, "the machine died")
    text = words(summary(checked_of(lab, lost, run=run)))
    assert "Not judged: this is not your fault, and costs no points." in text
    assert "Top predictions – 2" in text
    assert "9 cases could not be judged: top_predictions/top: the machine died" in text
    assert "0 of 13.5" not in text


def test_of_a_file_that_does_not_load_the_one_fault_is_told_once(lab):
    message = "your file could not be imported: SyntaxError"
    failed = dict.fromkeys(right_values(), raised(message, CaseStatus.NOT_LOADED))
    run = RunSummary(RunStatus.FAILED_TO_LOAD, 0.1, message)
    text = words(summary(checked_of(lab, failed, run=run)))
    assert "What to fix first " + message + " run your file from top to bottom" in text
    assert text.count(message) == 1
    assert "What failed" not in text


def test_notes_of_the_run_and_changed_files_are_told(lab):
    run = RunSummary(RunStatus.COMPLETED, 1.0, notes=("cell 1: left out '%x'",))
    checked = checked_of(lab, run=run)
    changed = tuple(Changed(f"lab/{number}.yaml", "changed") for number in range(60))
    text = summary(dataclasses.replace(checked, changed=changed))
    assert "cell 1: left out '%x'" in words(text)
    assert "what you see here may differ from your grade" in words(text)
    assert "lab/49.yaml: changed …" in words(text)
    assert "lab/50.yaml" not in text


def test_in_the_language_of_the_lab(lab):
    french = dataclasses.replace(lab, language="fr")
    text = words(summary(dataclasses.replace(checked_of(lab, WRONG), lab=french)))
    assert "À corriger en premier" in text
    assert "What" not in text.replace(WRONG["top_predictions/top"][0][0], "")


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_that_a_student_writes_is_more_than_text(lab, nasty):
    notes = (f"cell 1: {nasty}",)
    run = RunSummary(RunStatus.CRASHED, 1.0, nasty, notes)
    checked = checked_of(lab, {"top_predictions/top": raised(f"No: {nasty}")}, run=run)
    checked = dataclasses.replace(checked, changed=(Changed(nasty, "changed"),))
    text = summary(checked)
    text.encode()
    assert tags(text) <= OWN_TAGS
    assert not re.search(r"@[A-Za-z]", words(text))
    assert not re.search(r"://|www\.|mailto:", text)
    clean = summary(checked_of(lab, {"top_predictions/top": raised("No")}))
    for tag in ("h2", "h3", "table", "th", "td", "code", "pre", "hr", "ol"):
        assert html(text).count(f"<{tag}") == html(clean).count(f"<{tag}"), tag


@pytest.mark.parametrize(
    "text", ["a | b", "tv_weight * 2", "<b>x</b>", "`x`", "a & b &lt; c", "100 %: #1", "\\| \\"]
)
def test_a_text_is_read_as_it_was_written(text):
    assert words(f"| a |\n| --- |\n| {plain(text)} |\n") == f"a {text}"


def test_both_maps_are_drawn_side_by_side_with_a_caption(lab):
    # One at the corner, nothing elsewhere; the expected one as it is.
    mine = np.zeros((4, 4))
    mine[0, 3] = 2.0
    text = summary(checked_of(lab, {"class_activation_maps/racket": mine}))
    drawn = "<td>⬛⬛⬛⬜<br>" + "<br>".join(["⬛⬛⬛⬛"] * 3) + "</td>"
    assert drawn in html(text)
    expected = golden_of(lab).accepted["class_activation_maps/racket"][0]
    assert f"<td>{'<br>'.join(squares(expected))}</td>" in html(text)
    assert "Maps: ⬛ least to ⬜ most, each over its own maximum" in words(text)
    assert "racket: yours expected" in words(text)


def test_a_hidden_case_is_neither_drawn_nor_told(lab):
    text = summary(checked_of(lab, {"class_activation_maps/secret": np.eye(4)}))
    assert not set(LEVELS) & set(text)
    text = summary(checked_of(lab, {"class_activation_maps/secret": raised("it is 42")}))
    assert "42" not in text
    assert "the traceback shows the line of yours that failed" in text


def test_what_is_no_map_is_not_drawn(lab):
    for value in ("text", np.zeros((4, 4, 3)), np.full((4, 4), np.nan)):
        text = summary(checked_of(lab, {"class_activation_maps/racket": value}))
        assert not set(LEVELS) & set(text)
        assert "racket" in text


def test_no_more_than_a_handful_of_maps_is_drawn(lab, monkeypatch):
    wrong = {f"class_activation_maps/{name}": np.eye(4) for name in ("racket", "guided")}
    assert summary(checked_of(lab, wrong)).count("expected |") == 2
    monkeypatch.setattr(page, "_MOST_MAPS", 1)
    text = summary(checked_of(lab, wrong))
    assert text.count("expected |") == 1
    assert text.endswith("All others are in the report.\n")


def test_squares_show_fifths_of_the_maximum():
    heatmap = np.array([[0.0, 0.19, 0.2, 0.5], [0.6, 0.8, 0.99, 1.0]]) * 7
    assert squares(heatmap) == ["⬛⬛🟥🟧", "🟨⬜⬜⬜"]
    assert squares(-heatmap) == ["⬛⬛⬛⬛"] * 2


def test_a_large_map_is_drawn_ten_by_ten():
    large = np.zeros((224, 224))
    large[:112, 112:] = 1.0
    assert squares(large) == ["⬛⬛⬛⬛⬛⬜⬜⬜⬜⬜"] * 5 + ["⬛" * 10] * 5
    assert [len(line) for line in squares(np.ones((3, 40)))] == [10, 10, 10]


def test_the_squares_go_from_dark_to_light():
    """By the colours of a common set of emoji, and luminance as sRGB defines it."""
    weights = (0.2126, 0.7152, 0.0722)
    colours = {"⬛": "292f33", "🟥": "dd2e44", "🟧": "f4900c", "🟨": "fdcb58", "⬜": "e6e7e8"}

    def linear(byte):
        share = byte / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    luminance = [
        sum(
            weight * linear(value)
            for weight, value in zip(weights, bytes.fromhex(colours[square]), strict=True)
        )
        for square in LEVELS
    ]
    assert luminance == sorted(luminance)
    assert min(np.diff(luminance)) > 0.08


def test_a_summary_that_is_too_large_is_cut_between_rows(lab):
    checked = checked_of(lab, WRONG)
    maps = next(check for check in checked.grade["checks"] if check["id"] == "maps")
    racket = maps["cases"][0]
    maps["cases"] = [
        {**racket, "message": f"{number} " + "|" * 1000, "hint": ""} for number in range(2000)
    ]
    text = summary(checked)
    assert 900_000 < len(text.encode()) < 2**20
    assert "There was no room for more; the rest is in the report." in text
    assert tags(text) <= OWN_TAGS
    rows = [line for line in text.splitlines() if line.startswith("| Class activation maps: ")]
    assert 100 < len(rows) < 2000
    assert all(line.endswith(" |") for line in rows)


def test_an_error_of_the_harness_is_told(lab):
    text = summary_of_error("lab.yaml:3: no model '<b>'")
    assert words(text) == "The check could not be made lab.yaml:3: no model '<b>'"
    assert len(summary_of_error("|" * 10_000_000).encode()) < 2**20
