"""What readers do on pages without a script: follow links, unfold, scroll by keyboard."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

IN_VIEW = """one => {
  const box = one.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}"""


@pytest.fixture
def report(open_page, cohort):
    """The report of a submission that is wrong in every technique."""
    return open_page(cohort.book.report("wrong"))


@pytest.fixture
def board(open_page, cohort):
    """The cohort's page: four submissions."""
    return open_page(cohort.book.index)


def test_points_lead_to_their_technique(report):
    links = report.locator("table.points a")
    assert links.count() == 4
    for link in links.all():
        link.click()
        target = report.locator(":target")
        assert link.text_content() in target.text_content()
        assert target.evaluate(IN_VIEW)


def test_what_to_fix_first_leads_to_its_pictures(report):
    report.get_by_role("link", name="See the pictures of this case").click()
    target = report.locator(".figure:target")
    assert target.evaluate(IN_VIEW)
    assert target.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"


def test_a_traceback_is_folded_until_it_is_asked_for(report):
    details = report.locator("details", has_text="Where your code stopped").last
    assert not details.locator("pre").is_visible()
    details.locator("summary").click()
    assert "IndexError" in details.locator("pre").inner_text()


def test_the_boards_links_open_reports(board, cohort):
    names = board.locator("table.grades tbody th").all_text_contents()
    assert names[0].startswith("émile-not-judged")  # what needs the instructor comes first
    assert sorted(names[1:]) == ["good", "not loaded", "wrong"]
    for name in names:
        board.locator("table.grades").get_by_role("link", name=name, exact=True).click()
        assert board.locator("h1").text_content() == name
        board.go_back()


def test_wide_tables_scroll_by_the_arrow_keys_on_a_phone(open_page, cohort):
    page = open_page(cohort.calibration, viewport={"width": 360, "height": 740})
    wide = page.locator(".scroll:has(.matrix)").first
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("one => one.scrollLeft > 0", arg=wide.element_handle())
