"""A check as a JUnit file, which GitLab, GitHub's actions and most other tools read.

Sources of the rules: the schema `junit-10.xsd` that Jenkins' xUnit plugin and pytest keep to
(`testsuites`, `testsuite`, `testcase` with one `failure`, `error` or `skipped`), and XML 1.0,
section 2.2, for the characters that a file may hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from harness.courseci.facts import Checked
from harness.disclosure import hidden_in, shown
from harness.texts import visible

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_TEXT = 10_000


def junit(checked: Checked) -> bytes:
    """A test case per case; one that could not be judged is an error, never a failure."""
    suite = ElementTree.Element("testsuite", name="harness check")
    for check in checked.grade["checks"]:
        for case in check["cases"]:
            _add_case(suite, check, case, checked)
    return _document(suite, checked.grade["run"]["seconds"])


def junit_of_error(message: str) -> bytes:
    """The check itself could not be made: one test case with an error."""
    suite = ElementTree.Element("testsuite", name="harness check")
    case = ElementTree.SubElement(suite, "testcase", classname="harness", name="check", time="0")
    _add(case, "error", "the check could not be made", message)
    return _document(suite, 0.0)


def _add_case(
    suite: ElementTree.Element, check: Mapping[str, Any], case: Mapping[str, Any], checked: Checked
) -> None:
    element = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_text(f"{check['technique']}.{check['id']}"),
        name=_text(case["id"]),
        time="0",  # cases are not timed one by one
    )
    told = shown(case, hidden_in(checked.lab)(check["technique"], case["id"]))
    body = "\n→ ".join(text for text in (told.message, told.hint) if text)
    if told.outcome == "failed":
        _add(element, "failure", told.message or "failed", body)
    elif told.outcome != "passed":
        title = "could not be judged; this is not the student's fault and costs no points"
        _add(element, "error", title, body)


def _add(element: ElementTree.Element, kind: str, message: str, body: str) -> None:
    child = ElementTree.SubElement(element, kind, type=kind, message=_text(message))
    child.text = _text(body)


def _document(suite: ElementTree.Element, seconds: float) -> bytes:
    counts = {
        "tests": len(suite),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": 0,
    }
    for name, count in counts.items():
        suite.set(name, str(count))
    suite.set("time", f"{seconds:.3f}")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _text(text: str) -> str:
    shown = _NOT_XML.sub("\ufffd", visible(text))
    return shown if len(shown) <= _MAX_TEXT else shown[: _MAX_TEXT - 1] + "…"
