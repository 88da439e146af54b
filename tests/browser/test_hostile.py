"""What students choose is shown as text: no script of theirs runs, nothing is requested."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Sequence

import numpy as np
import pytest
from pages import WRONG, empty_cohort
from small_lab import LAB, golden_of, graded, make_lab

from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import Diagnosis, RunStatus, RunSummary
from harness.techniques import TECHNIQUES
from harness.texts import visible

pytestmark = pytest.mark.browser

# Each would set `window.ran`, ask for something, or change what stands around it. No hyphens and
# no underscores, which ids lose on their way to a page.
PAYLOADS = (
    "<script>window.ran=1</script>",
    '"><img src=x onerror="window.ran=1">',
    "'><svg onload='window.ran=1'>",
    "</style><script>window.ran=1</script><style>*{display:none}",
    "</title></pre></code></svg><script>window.ran=1</script>",
    "]]>*/;window.ran=1;/*<!",
    "<svg><script href='data:text/javascript,window.ran=1'/></svg>",
    "<svg><animate onbegin=window.ran=1 attributeName=x dur=1s>",
    '<a href="javascript:window.ran=1" autofocus onfocus=window.ran=1>link</a>',
    "javascript:window.ran=1",
    "data:text/html,<script>window.ran=1</script>",
    "[link](javascript:window.ran=1) ![image](https://evil.example/a.png)",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    '<link rel=stylesheet href="https://evil.example/a.css"><base href="https://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    "<form action=https://evil.example/><input name=q autofocus onfocus=window.ran=1></form>",
    "<details open ontoggle=window.ran=1><style>@import url(https://evil.example/b.css)</style>",
    "&lt;script&gt;window.ran=1&lt;/script&gt; &amp; &#x3c;b&#x3e;",
    "{{ 7*7 }} {% raw %} ${7*7} %(n)s {0.__class__} {n}",
    "\u202e\u2066gnp.exe\u2069\u202c \u200f\u061c\ufeff",
    "\x00\x07\x1b[31m\x1b]8;;https://evil.example\x07\x7f\x9b1m \ud800",
    "<b>bold</b> <bdo dir=rtl>backwards</bdo> <img src=data:image/svg+xml,<svg/onload=ran=1>>",
)
# What says how to read a grade; the harness chooses from a list.
FIXED = {"outcome", "status", "technique", "metric", "kind"}


# Those that the YAML of a lab can hold, and that are short enough for any place.
SHORT = ("<script>window.ran=1</script>", "<img src=x onerror=window.ran=1>")


class Planted:
    """Texts with a number of their own and a payload, to be found again on a page."""

    def __init__(self):
        self.texts: list[str] = []
        self.places: list[str] = []

    def text(self, place: str, payloads: Sequence[str] = PAYLOADS) -> str:
        number = len(self.texts)
        self.texts.append(f"Planted {number}: {payloads[number % len(payloads)]}")
        self.places.append(place)
        return self.texts[number]

    def everywhere(self, value, place=""):
        """The same structure with every string replaced that a student might have a hand in."""
        if isinstance(value, str):
            return self.text(place)
        if isinstance(value, list):
            return [self.everywhere(item, f"{place}[]") for item in value]
        if isinstance(value, dict):
            return {
                name: item if name in FIXED else self.everywhere(item, f"{place}.{name}")
                for name, item in value.items()
            }
        return value

    def seen(self, text: str) -> set[str]:
        """The places of those that a text has; each stands there whole."""
        found = {int(number) for number in re.findall(r"Planted (\d+): ", text)}
        for number in found:
            assert " ".join(visible(self.texts[number]).split()) in text
        return {self.places[number] for number in found}


def hostile_lab(folder, planted):
    """Its title, its images and its classes: not the students', but from outside all the same."""
    described = copy.deepcopy(LAB)
    described["title"] = planted.text("title", SHORT)
    name = planted.text("image", SHORT)
    described["images"][name] = described["images"].pop("photo")
    for entries in described["cases"].values():
        for entry in entries:
            if "image" in entry:
                entry["image"] = name
    classes = [planted.text("class", SHORT) for _ in range(3)]
    named = {"m": [[f"n{index}", name] for index, name in enumerate(classes)]}
    return make_lab(folder, described, named), classes


def hostile_outputs(outputs, planted):
    return dataclasses.replace(
        outputs,
        cases={
            key: dataclasses.replace(
                output,
                message=planted.text("output's message"),
                traceback=planted.text("hidden traceback" if "secret" in key else "traceback"),
            )
            for key, output in outputs.cases.items()
        },
    )


@pytest.fixture(scope="module", params=["ids as in the lab", "hostile ids"])
def hostile(request, tmp_path_factory):
    """A report and a board all of whose texts are payloads, and what was planted."""
    folder, planted = tmp_path_factory.mktemp("hostile"), Planted()
    lab, classes = hostile_lab(folder / "lab", planted)
    golden = golden_of(
        lab, {"top_predictions/top": list(map(list, zip(classes, (0.7, 0.2, 0.1), strict=True)))}
    )
    changes = {
        **WRONG,
        "top_predictions/top": [[planted.text("claimed", SHORT), 0.3] for _ in range(3)],
        "class_activation_maps/racket": 1 - np.eye(4),
        "layer_activations/mean": CaseOutput(CaseStatus.NOT_RUN, message="x"),
    }
    run = RunSummary(RunStatus.CRASHED, 1.0, "x", ("x", "x"), "x")
    diagnosed = Diagnosis("x", 0.9, "x", "input")
    grade, outputs = graded(lab, changes, run, "x", golden, dict.fromkeys(TECHNIQUES, diagnosed))
    grade["checks"][0]["cases"][0]["measured"]["words"] = "x"
    poisoned = planted.everywhere(grade)
    poisoned["submission"] = "hostile"  # the name of a folder; such names have a test of their own
    if request.param == "ids as in the lab":
        for check, original in zip(poisoned["checks"], grade["checks"], strict=True):
            check["id"] = original["id"]
            for case, known in zip(check["cases"], original["cases"], strict=True):
                case["id"] = known["id"]
    cohort = empty_cohort(folder, lab)
    cohort.add(poisoned, hostile_outputs(outputs, planted), golden)
    cohort.write_board(poisoned)
    return cohort, planted, request.param


# Strings of a grade, by place, that the report shows.
SHOWN = {
    *(".run.message", ".run.notes[]", ".run.printed", ".environment.python"),
    *(".digests.lab", ".digests.submission", ".digests.golden"),
    ".checks[].cases[].hint",
}
# What is not shown of a case that the lab does not know.
WITH_LAB = {
    *("title", "image", "class", "claimed", "traceback"),
    *(".checks[].cases[].measured.words", ".checks[].cases[].message"),
}
DIAGNOSES = {
    f".techniques.{name}.diagnosis.{text}" for name in TECHNIQUES for text in ("mistake", "hint")
}
IDS = {".checks[].id", ".checks[].cases[].id"}

ALL_TEXT = """() => {
  document.querySelectorAll('details').forEach(one => one.open = true);
  return [...document.querySelectorAll('body *')].flatMap(one => [...one.childNodes])
    .filter(node => node.nodeType === Node.TEXT_NODE && /Planted/.test(node.data))
    .filter(node => !node.parentElement.closest('svg, option'))
    .map(node => [node.parentElement.textContent.replace(/\\s+/g, ' '),
                  node.parentElement.checkVisibility()]);
}"""
ALL_NAMES = """() => [...document.querySelectorAll('[alt], [aria-label], title, desc')]
  .map(one => one.getAttribute('alt') || one.getAttribute('aria-label') || one.textContent)"""
STRANGE = """() => [...document.querySelectorAll('*')].filter(one =>
  /^(script|iframe|object|embed|base|link|animate|set|foreignobject|bdo|b)$/i
    .test(one.localName) && one !== document.querySelector('body > script:last-child')
  || one.getAttributeNames().some(name => /^(on|srcdoc|formaction|autofocus)/i.test(name))
  || /^\\s*(javascript:|vbscript:|https?:|data:text)/i.test(
       one.getAttribute('href') || one.getAttribute('src') || one.getAttribute('action') || '')
  ).map(one => one.outerHTML.slice(0, 200))"""


def assert_harmless(page):
    page.mouse.move(300, 300)
    page.mouse.wheel(0, 2000)
    assert page.evaluate("() => window.ran") is None
    assert page.evaluate(STRANGE) == []
    assert page.locator("h1").is_visible()


def test_every_text_of_a_report_is_shown_as_text(open_page, hostile):
    cohort, planted, ids = hostile
    page = open_page(cohort.book.report("hostile"))
    texts = page.evaluate(ALL_TEXT)
    assert_harmless(page)
    assert [text for text, shown in texts if not shown] == []
    places = planted.seen(" ".join(text for text, _ in texts))
    assert places >= SHOWN | DIAGNOSES | (WITH_LAB if ids == "ids as in the lab" else IDS)
    assert "hidden traceback" not in places


def test_what_pictures_are_called_is_text_too(open_page, hostile):
    cohort, planted, _ = hostile
    page = open_page(cohort.book.report("hostile"))
    names = page.evaluate(ALL_NAMES)
    assert {"image", "class"} <= planted.seen(" ".join(" ".join(names).split()))
    assert_harmless(page)


def test_every_text_of_a_board_is_shown_as_text(open_page, hostile):
    cohort, planted, _ = hostile
    page = open_page(cohort.book.index)
    texts = page.evaluate(ALL_TEXT)
    assert_harmless(page)
    assert [text for text, shown in texts if not shown] == []
    assert "title" in planted.seen(" ".join(text for text, _ in texts))


# What a folder can be called: anything without a slash and a null.
NAMES = [
    *(payload for payload in PAYLOADS if not re.search("[/\x00\ud800]", payload)),
    "<script>window.ran=1<",
    *('"><img src=x onerror=window.ran=1>', "' onmouseover='window.ran=1", "` autofocus"),
    *("..%2f..%2fetc", "%3Cscript%3E", "#points", "?q=1", "a&amp;b", "\u202etxt.exe", "a\x1b[2Jb"),
    *("half \udce9 character", "émoji 👩‍🔬", "file:", "C:\\", "a b", "-", "~", "index.html"),
]


def test_names_of_submissions_are_text_and_their_links_arrive(open_page, tmp_path):
    cohort = empty_cohort(tmp_path)
    grades = []
    for name in NAMES:
        grade, outputs = graded(cohort.lab, name=name)
        cohort.add(grade, Outputs(name, outputs.run))  # no outputs, no pictures
        grades.append(grade)
    cohort.write_board(*grades)
    page = open_page(cohort.book.index)
    assert_harmless(page)
    links = page.locator("main a[href$='/report.html']")
    shown = links.all_text_contents()
    assert set(shown) == set(map(visible, NAMES))
    for name in dict.fromkeys(shown):
        links.nth(shown.index(name)).click()
        assert page.locator("h1").text_content() == name
        assert page.title().startswith(" ".join(name.split()))
        assert_harmless(page)
        page.go_back()


@pytest.mark.parametrize("payload", [PAYLOADS[0], PAYLOADS[1], PAYLOADS[2], PAYLOADS[4]])
def test_the_payloads_would_run(open_page, watched, tmp_path, payload):
    """Without escaping and without a policy: what the tests above look for can happen."""
    (tmp_path / "a.html").write_text(f"<!doctype html><title>a</title><p>{payload}</p>")
    page = open_page(tmp_path / "a.html")
    page.wait_for_function("() => window.ran === 1")
    assert page.evaluate(STRANGE)
    watched.troubles.clear()


def test_what_a_page_would_request_is_noticed(open_page, watched, tmp_path):
    (tmp_path / "a.html").write_text(
        "<!doctype html><title>a</title><link rel=stylesheet href=https://evil.example/a.css>"
        "<img src=b.png><script>alert(1); console.error('c')</script>"
    )
    open_page(tmp_path / "a.html")
    noticed = " ".join(watched.troubles)
    for trouble in ("request: https://evil.example", "b.png", "dialog: 1", "console: c"):
        assert trouble in noticed
    watched.troubles.clear()


def test_the_policy_stops_what_escaping_might_let_through(open_page, watched, cohort, tmp_path):
    """A second wall: all payloads put into a real report as HTML."""
    html = cohort.book.report("not loaded").read_text("utf-8")
    harmful = [one for one in PAYLOADS if not re.search("refresh|display:none|\x00", one)]
    page = open_page()
    for number, payload in enumerate(harmful):
        path = tmp_path / f"{number}.html"
        path.write_text(html.replace("<h1>", f"{payload}<h1>", 1), "utf-8")
        page.goto(path.as_uri())
        for link in page.locator("a[href^=javascript]").all():
            link.click(force=True)
        page.wait_for_timeout(20)
        assert page.evaluate("() => window.ran") is None, payload
    blocked = [trouble for trouble in watched.troubles if "Content Security Policy" in trouble]
    assert len(blocked) > 10
    watched.troubles.clear()
