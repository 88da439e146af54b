"""Every page as readers have it: light, dark, on a phone, on paper, without script, by keyboard."""

from __future__ import annotations

import io
import re
import unicodedata

import browsing
import pytest
from pypdf import PdfReader

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1200, "height": 900}
OPEN_ALL = "() => document.querySelectorAll('details').forEach(one => one.open = true)"


def test_axe_finds_no_violation_in_light_in_dark_and_on_a_phone(open_page, page_file):
    page = open_page(page_file, viewport=DESK, color_scheme="light")
    page.evaluate(OPEN_ALL)
    assert browsing.violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert browsing.violations(page) == []
    page.set_viewport_size(PHONE)
    assert browsing.violations(page) == []


def test_axe_would_find_a_violation(page):
    page.set_content("<title>x</title><main><h1>x</h1><img src='data:,'></main>")
    assert any(line.startswith("image-alt") for line in browsing.violations(page))


COLOURS = """() => {
  const style = getComputedStyle(document.body);
  return [style.backgroundColor, style.color];
}"""


def test_dark_is_dark_and_light_is_light(open_page, page_file):
    page = open_page(page_file)
    shades = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colours = page.evaluate(COLOURS)
        shades.append([sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours])
    (light_page, light_ink), (dark_page, dark_ink) = shades
    assert light_page > 600 > 200 > light_ink
    assert dark_page < 200 < 600 < dark_ink


TOO_WIDE = """() => [...document.querySelectorAll('main *')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .filter(one => !one.closest('.scroll, svg, pre'))
  .map(one => one.outerHTML.slice(0, 160))"""


def test_a_phone_shows_all_without_scrolling_sideways(open_page, page_file):
    page = open_page(page_file, viewport=PHONE, is_mobile=True, has_touch=True)
    page.evaluate(OPEN_ALL)
    assert page.evaluate("() => innerWidth") == PHONE["width"], "wider than the phone"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(TOO_WIDE) == []


def squeezed(text):
    """Letters and digits only: on paper, words are set apart by places, not by spaces."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def test_paper_has_the_totals_and_every_heading(open_page, page_file):
    page = open_page(page_file)
    headings = page.locator("h1, h2, h3").all_text_contents()
    totals = page.locator(".total, .tiles dd, .box strong, td strong").all_text_contents()
    pdf = PdfReader(io.BytesIO(page.pdf(format="A4")))
    assert len(pdf.pages) >= 1
    text = squeezed("".join(sheet.extract_text() for sheet in pdf.pages))
    assert len(headings) >= 3
    assert totals
    for words in (*headings, *totals):
        assert squeezed(words) in text, words


def test_paper_has_what_is_folded_away_on_the_screen(open_page, cohort):
    page = open_page(cohort.book.report("wrong"))
    folded = page.locator("details pre", has_text="IndexError").first.text_content()
    pdf = PdfReader(io.BytesIO(page.pdf(format="A4")))
    assert squeezed(folded) in squeezed("".join(sheet.extract_text() for sheet in pdf.pages))


def test_heads_of_the_handouts_tables_stand_where_their_numbers_do(open_page, cohort):
    page = open_page(cohort.handout)
    sides = [
        page.locator(f"tr:first-child > {cell}").evaluate_all(
            "all => all.slice(0, 5).map(one => getComputedStyle(one).textAlign)"
        )
        for cell in ("th", "td")
    ]
    assert sides == [["left", "left", "right", "right", "right"]] * 2


CUT = """() => [...document.querySelectorAll('.scroll, main')]
  .filter(one => one.checkVisibility() && one.scrollWidth > innerWidth)
  .map(one => one.outerHTML.slice(0, 160))"""


def test_paper_cuts_no_table(open_page, page_file):
    """A4 is 794 pixels wide; what is wider than it without its margins would be lost."""
    page = open_page(page_file, viewport={"width": 794 - 2 * 45, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate(CUT) == []


def test_paper_has_the_figures_that_are_open_and_not_the_others(open_page, cohort):
    page = open_page(cohort.book.report("good"))
    page.emulate_media(media="print")
    figures = page.locator("details.figure")
    opened = figures.evaluate_all("all => all.map(one => one.open)")
    assert True in opened
    assert False in opened
    assert [figure.is_visible() for figure in figures.all()] == opened
    pdf = PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = "".join(sheet.extract_text() for sheet in pdf.pages)
    assert "The numbers of this plot" not in text
    assert "The numbers" in text


UNSEEN = """() => [...document.querySelectorAll('main img, main svg[role]')]
  .filter(one => { const { width, height } = one.getBoundingClientRect();
    return width < 4 || height < 4 || (one.tagName === 'IMG' && !one.naturalWidth); })
  .map(one => one.outerHTML.slice(0, 160))"""
TEXTS = "main :is(h1, h2, h3, h4, th, td, dd, pre, figcaption, li, p)"


def test_without_script_everything_is_readable(open_page, page_file):
    page = open_page(page_file, java_script_enabled=False)
    # Those within others are there to be opened once the outer ones are.
    while closed := page.locator("details:not([open]) > summary:visible").all():
        closed[0].click()
    shown = squeezed(page.locator("main").inner_text())
    texts = [squeezed(text) for text in page.locator(TEXTS).all_text_contents()]
    assert [text for text in texts if text not in shown] == []
    assert page.evaluate(UNSEEN) == []


# All that the Tab key should stop at, in the order of the page; each gets its number.
STOPS = """() => {
  const stops = [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex]')]
    .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility())
    .filter(one => one.type !== 'radio' || one.checked
      || !document.querySelector(`[name="${CSS.escape(one.name)}"]:checked`));
  window.look = one => {
    const { outlineStyle, outlineWidth, boxShadow, backgroundColor, borderColor }
      = getComputedStyle(one);
    return [outlineStyle + outlineWidth, boxShadow, backgroundColor, borderColor].join();
  };
  stops.forEach((one, index) => { one.dataset.stop = index; one.dataset.look = look(one); });
  return stops.map(one => one.outerHTML.slice(0, 120));
}"""
WHERE = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  return {
    stop: one.dataset.stop,
    html: one.outerHTML.slice(0, 120),
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    marked: look(one) !== one.dataset.look,
    scrolls: one.scrollHeight > one.clientHeight || one.scrollWidth > one.clientWidth,
  };
}"""


def test_the_tab_key_reaches_everything_in_order_and_shows_where_it_is(open_page, page_file):
    page = open_page(page_file, viewport=DESK)
    page.evaluate(OPEN_ALL)
    stops = page.evaluate(STOPS)
    reached = []
    while len(reached) < len(stops):
        page.keyboard.press("Tab")
        at = page.evaluate(WHERE)
        if at["stop"] is None:
            # The browser itself lets the keyboard into a long text, to scroll it.
            assert at["scrolls"], f"after {len(reached)} of {len(stops)} stops: {at['html']}"
            continue
        assert int(at["stop"]) == len(reached), f"{at['html']} out of order"
        assert at["marked"], f"nothing shows the focus on {at['html']}"
        assert at["inView"], f"the focus is out of sight on {at['html']}"
        reached.append(at["html"])
    page.keyboard.press("Shift+Tab")
    if len(stops) > 1:
        assert page.evaluate(WHERE)["stop"] != str(len(stops) - 1)


def test_details_open_and_close_with_enter_and_the_space_bar(open_page, page_file):
    page = open_page(page_file)
    opened = "() => document.activeElement.parentElement.open"
    for summary in page.locator("summary:visible").all():
        summary.focus()
        before = page.evaluate(opened)
        for key in ("Enter", "Space"):
            page.keyboard.press(key)
            before = not before
            assert page.evaluate(opened) is before, key


def test_without_a_browser_tests_are_skipped_and_fail_where_it_must_be_there(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("CI_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no chromium found.*apt-get install"):
        browsing.chromium()
    monkeypatch.setenv("CI_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match=r"no chromium found.*CI_BROWSER=1"):
        browsing.chromium()
