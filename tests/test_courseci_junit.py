"""The JUnit file, held against the rules of its schema, written down here independently."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from small_lab import golden_of, graded, make_lab

from harness.courseci.facts import Checked
from harness.courseci.junit import junit, junit_of_error
from harness.outputs import CaseOutput, CaseStatus

# Elements with their required and further attributes, and the children that each may have.
SCHEMA = {
    "testsuites": (set(), set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time"},
        set(),
        {"testcase"},
    ),
    "testcase": ({"classname", "name", "time"}, set(), {"failure", "error", "skipped"}),
    "failure": ({"message", "type"}, set(), set()),
    "error": ({"message", "type"}, set(), set()),
}


def validated(data: bytes) -> ElementTree.Element:
    root = ElementTree.fromstring(data)
    assert root.tag == "testsuites"
    for element in root.iter():
        required, more, children = SCHEMA[element.tag]
        assert required <= set(element.attrib) <= required | more, element.attrib
        assert {child.tag for child in element} <= children
    for suite in root:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("errors")) == len(suite.findall("testcase/error"))
        float(suite.get("time"))
        assert all(len(case) <= 1 for case in suite)
        names = [(case.get("classname"), case.get("name")) for case in suite]
        assert len(set(names)) == len(names)
    return root


@pytest.fixture
def lab(tmp_path):
    return make_lab(tmp_path / "lab")


def of(lab, changes=None):
    grade, outputs = graded(lab, changes)
    checked = Checked(grade, outputs, lab, golden_of(lab), lab.folder)
    return grade, {
        (case.get("classname"), case.get("name")): case
        for case in validated(junit(checked)).iter("testcase")
    }


def test_there_is_a_test_case_per_case_of_every_check(lab):
    grade, cases = of(lab)
    expected = [
        (f"{check['technique']}.{check['id']}", case["id"])
        for check in grade["checks"]
        for case in check["cases"]
    ]
    assert list(cases) == expected
    assert len(expected) == 9
    assert not any(len(case) for case in cases.values())


def test_a_failed_case_is_a_failure_with_message_and_hint(lab):
    grade, cases = of(lab, {"top_predictions/top": [["cup", 0.7], ["ball", 0.2], ["x", 0.1]]})
    [failure] = cases["top_predictions.names", "top"]
    [case] = grade["checks"][0]["cases"]
    assert failure.tag == "failure"
    assert failure.get("message") == case["message"]
    assert failure.text == f"{case['message']}\n→ {case['hint']}"


def test_what_could_not_be_judged_is_an_error_and_not_a_failure(lab):
    lost = CaseOutput(CaseStatus.NOT_RUN, message="the machine died")
    _, cases = of(lab, {"top_predictions/top": lost})
    [error] = cases["top_predictions.names", "top"]
    assert error.tag == "error"
    assert "not the student's fault" in error.get("message")
    assert error.text == "the machine died"


def test_of_a_hidden_case_the_hint_alone_is_told(lab):
    secret = CaseOutput(CaseStatus.RAISED, message="the secret is 42")
    _, cases = of(lab, {"class_activation_maps/secret": secret})
    [failure] = cases["class_activation_maps.maps", "secret"]
    assert failure.get("message") == "failed"
    assert "42" not in failure.text


@pytest.mark.parametrize(
    "text",
    ["\x00\x0b\x1b[31m", "\ud800", "\ufffe\uffff", "]]><x/>", '"&lt;"', "a\r\nb\tc", "☃\U0001f600"],
)
def test_no_text_of_a_student_spoils_the_file(lab, text):
    raised = CaseOutput(CaseStatus.RAISED, message=f"before {text} after")
    _, cases = of(lab, {"top_predictions/top": raised})
    [failure] = cases["top_predictions.names", "top"]
    assert failure.text.startswith("before ")
    assert " after\n→ " in failure.text


def test_a_very_long_text_is_cut(lab):
    raised = CaseOutput(CaseStatus.RAISED, message="x" * 1_000_000)
    _, cases = of(lab, {"top_predictions/top": raised})
    [failure] = cases["top_predictions.names", "top"]
    assert len(failure.text) == len(failure.get("message")) == 10_000


def test_an_error_of_the_harness_is_a_test_case_too():
    [suite] = validated(junit_of_error("lab.yaml:3: no \x1b model 'x'"))
    [case] = suite
    assert case[0].tag == "error"
    assert case[0].text == "lab.yaml:3: no ⟨U+001B⟩ model 'x'"
