"""What pages do when somebody uses them: slider, sorting, filtering, marking; by keyboard too."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import browsing
import html5lib
import pytest
import uvicorn

from harness.marking.app import make_app
from harness.marking.desk import Desk
from harness.marking.serve import listen
from harness.report import write_index

pytestmark = pytest.mark.browser

DESK = {"width": 1200, "height": 900}
_MAPS = "() => [...document.querySelector('.compare').querySelectorAll('svg')]"
BOXES = f"{_MAPS}.map(one => one.getBoundingClientRect().x)"
CUTS = f"{_MAPS}.map(one => getComputedStyle(one).clipPath)"
OPEN_ALL = "() => document.querySelectorAll('details').forEach(one => one.open = true)"


@pytest.fixture
def wrong(open_page, cohort):
    page = open_page(cohort.book.report("wrong"), viewport=DESK)
    page.evaluate(OPEN_ALL)
    return page


def test_the_slider_wipes_between_both_maps(wrong):
    left, right = wrong.evaluate(BOXES)
    assert left == right
    assert wrong.evaluate(CUTS) == ["inset(0px 50% 0px 0px)", "inset(0px 0px 0px 50%)"]
    slider = wrong.locator(".compare input").first
    assert "expected" in slider.get_attribute("aria-label")
    slider.focus()
    for _ in range(20):
        wrong.keyboard.press("ArrowRight")
    assert wrong.evaluate(CUTS) == ["inset(0px 30% 0px 0px)", "inset(0px 0px 0px 70%)"]


@pytest.mark.parametrize("width", [1200, 360], ids=["desk", "phone"])
def test_the_slider_is_as_wide_as_the_map_that_it_wipes_over(open_page, cohort, width):
    page = open_page(cohort.book.report("good"), viewport={"width": width, "height": 740})
    page.evaluate(OPEN_ALL)
    for pair in page.locator(".compare").all():
        heatmap, slider = (pair.locator(one).first.bounding_box() for one in ("svg", "input"))
        assert heatmap["width"] >= 200
        # The browser has a margin of its own around a slider.
        assert abs(heatmap["width"] - slider["width"]) <= 8
        assert abs(heatmap["x"] - slider["x"]) <= 4


def test_on_paper_both_maps_stand_side_by_side(wrong):
    wrong.emulate_media(media="print")
    left, right = wrong.evaluate(BOXES)
    assert right > left + 100
    assert wrong.evaluate(CUTS) == ["none", "none"]
    assert not wrong.locator(".compare input").first.is_visible()


def test_without_a_script_both_maps_stand_side_by_side(open_page, cohort):
    page = open_page(cohort.book.report("good"), viewport=DESK, java_script_enabled=False)
    figure = page.locator("details.figure", has=page.locator(".compare")).first
    if figure.get_attribute("open") is None:
        figure.locator("summary").first.click()
    boxes = [figure.locator(".compare svg").nth(n).bounding_box() for n in (0, 1)]
    assert boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"]
    assert page.locator("input").count() == 0


def test_a_failed_case_leads_to_its_pictures(wrong):
    link = wrong.locator(".case.bad a").first
    link.click()
    target = wrong.evaluate("() => document.querySelector(':target').tagName")
    assert target == "DETAILS"


@pytest.fixture
def board(open_page, cohort):
    return open_page(cohort.book.index, viewport=DESK)


def names(board):
    """Names in the table, in order, as far as they are shown."""
    rows = board.locator("#submissions tbody tr:visible th")
    return [text.split("-")[0] for text in rows.all_inner_texts()]


def test_what_was_not_judged_comes_first(board):
    assert names(board) == ["émile", "good", "wrong", "not loaded"]


def test_the_board_is_sorted_by_any_column(board):
    points = board.locator("#submissions th button[data-column='1']")
    header = board.locator("#submissions thead th").nth(1)
    points.click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert names(board) == ["émile", "wrong", "not loaded", "good"]  # both without a point
    points.focus()
    board.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert names(board) == ["good", "wrong", "not loaded", "émile"]
    board.locator("#submissions th button[data-column='0']").click()
    assert header.get_attribute("aria-sort") == "none"
    assert names(board) == ["émile", "good", "not loaded", "wrong"]


def test_the_board_is_filtered_by_name_state_technique_and_mistake(board):
    shown = board.locator("#shown")
    assert shown.inner_text() == "4 of 4 shown"
    board.fill("#filter", "GOO")
    assert (names(board), shown.inner_text()) == (["good"], "1 of 4 shown")
    board.fill("#filter", "nobody")
    assert (names(board), shown.inner_text()) == ([], "0 of 4 shown")
    board.fill("#filter", "")
    board.select_option("#state", "failed to load")
    assert names(board) == ["not loaded"]
    board.select_option("#state", "")
    board.select_option("#lost", label="Class activation maps")
    assert names(board) == ["wrong", "not loaded"]
    board.select_option("#mistake", index=1)
    assert names(board) == ["wrong"]
    board.fill("#filter", "")
    board.select_option("#mistake", "")
    board.select_option("#lost", "")
    assert names(board) == ["émile", "good", "wrong", "not loaded"]


def test_a_large_board_lays_out_its_first_rows_and_the_others_when_asked(
    open_page, cohort, tmp_path
):
    grade = cohort.book.read("good")
    many = [{**grade, "submission": f"student{number:04}"} for number in range(1200)]
    write_index(tmp_path / "index.html", cohort.lab, many)
    board = open_page(tmp_path / "index.html", viewport=DESK)
    more, shown = board.locator("#more"), board.locator("#shown")
    assert len(names(board)) == 500
    assert shown.inner_text().startswith("The first 500 of 1200 shown. The filters look through")
    board.fill("#filter", "student119")  # the last ones are found
    assert names(board) == [f"student119{digit}" for digit in range(10)]
    assert not more.is_visible()
    board.fill("#filter", "")
    for _ in range(2):
        board.locator("#submissions th button[data-column='0']").click()
    assert names(board)[0] == "student1199"
    assert more.inner_text() == "Show 500 more, of 700 left"
    more.focus()
    board.keyboard.press("Enter")
    assert board.evaluate("document.activeElement.textContent") == "student0699"
    more.click()
    assert (len(names(board)), more.is_visible()) == (1200, False)
    board.fill("#filter", "student0")
    assert len(names(board)) == 500
    assert shown.inner_text().startswith("The first 500 of 1000 shown.")
    board.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert (len(names(board)), shown.inner_text()) == (1000, "1000 of 1200 shown")
    board.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(names(board)) == 500


def test_a_name_is_found_however_its_accents_are_written(board):
    for typed in ("emile", "Émile", "E\u0301MILE"):
        board.fill("#filter", typed)
        assert names(board) == ["émile"], typed


def test_names_stay_in_view_while_the_board_is_scrolled_on_a_phone(open_page, cohort):
    page = open_page(cohort.book.index, viewport={"width": 360, "height": 740})
    scrolled = page.locator(".scroll:has(.grades)")
    name = page.locator(".grades tbody th").first
    before = name.bounding_box()["x"]
    assert scrolled.evaluate("one => { one.scrollLeft = 200; return one.scrollLeft; }") == 200
    assert name.bounding_box()["x"] == before


def test_a_board_without_a_script_has_the_whole_table_and_no_dead_controls(open_page, cohort):
    page = open_page(cohort.book.index, java_script_enabled=False)
    assert names(page) == ["émile", "good", "wrong", "not loaded"]
    assert page.locator("button:visible, input:visible, select:visible").count() == 0


@contextmanager
def served(desk):
    """The marking pages on a real port."""
    with listen(0) as listening:
        port = listening.getsockname()[1]
        app = make_app(desk, token="token-of-this-test", port=port)
        config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{port}/?token=token-of-this-test"
        finally:
            server.should_exit = True
            thread.join()


HOSTILE = (
    "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>\n"
    "[here](javascript:window.ran=1) ![x](https://example.org/x.png) <svg onload='window.ran = 1'>"
)


@pytest.fixture
def answers():
    return {"alice": {"map-class": "it does"}, "bob": {"map-class": "no"}}


@pytest.fixture
def marking(browser, graded_book, asking_lab, answers):
    """The marking page of two students in a window of its own, and the gradebook."""
    book = graded_book(answers)
    desk = Desk(book, asking_lab, "ada", ["alice", "bob"])
    context = browser.new_context(viewport=DESK)
    errors = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: said.type == "error" and errors.append(said.text))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    with served(desk) as address:
        page.goto(address)
        yield page, book
        context.close()
    desk.close()
    assert errors == []
    home = address.split("?")[0]
    assert [url for url in asked if not url.startswith((home, "data:"))] == []


def points_of(book, name):
    return book.read(name)["questions"][0]["points"]


def wait_for(true):
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert true()


def test_an_answer_is_marked_with_the_mouse_and_the_report_has_it(marking):
    page, book = marking
    student = page.locator("article.student").first
    assert "it does" in student.inner_text()
    student.locator("input[type=radio]").first.check()
    student.locator("textarea").fill("well seen")
    student.locator("button[type=submit]").click()
    wait_for(lambda: points_of(book, "alice") is not None)
    wait_for(lambda: "well seen" in book.report("alice").read_text("utf-8"))
    assert "1 of 2" in page.locator("#progress").inner_text()


def test_answers_are_marked_by_keyboard_alone_and_taken_back(marking):
    page, book = marking
    page.keyboard.press("j")
    page.keyboard.press("1")
    wait_for(lambda: points_of(book, "alice") is not None)
    page.keyboard.press("j")
    page.keyboard.press("2")
    wait_for(lambda: points_of(book, "bob") is not None)
    undo = page.locator("#undo button")
    undo.focus()
    page.keyboard.press("Enter")
    wait_for(lambda: points_of(book, "bob") is None)
    assert points_of(book, "alice") is not None
    assert "bob" in page.locator("#notice").inner_text()


def test_the_marking_page_holds_wcag_in_light_in_dark_and_on_a_phone(marking):
    page, _ = marking
    assert browsing.violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert browsing.violations(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert browsing.violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_the_marking_page_is_valid_html(marking):
    page, _ = marking
    html5lib.HTMLParser(strict=True).parse(page.request.get(page.url).text())


@pytest.mark.parametrize("answers", [{"alice": {"map-class": "a line\n" * 80}}], ids=["long"])
def test_a_long_answer_is_scrolled_and_lies_over_nothing(marking):
    page, _ = marking
    answer = page.locator("pre.answer").first
    answer.focus()
    page.keyboard.press("End")
    page.wait_for_function("one => one.scrollTop > 100", arg=answer.element_handle())
    box, form = answer.bounding_box(), page.locator("form.mark").first.bounding_box()
    assert box["y"] + box["height"] <= form["y"]


@pytest.mark.parametrize("answers", [{"alice": {"map-class": HOSTILE}, "bob": {}}], ids=["hostile"])
def test_hostile_answers_are_text_where_they_are_marked_and_in_the_report(marking, open_page):
    page, book = marking
    student = page.locator("article.student").first
    assert "<script>window.ran = 1</script>" in student.inner_text()
    student.locator("textarea").fill(HOSTILE)
    student.locator("input[type=radio]").first.check()
    wait_for(lambda: points_of(book, "alice") is not None)
    assert page.evaluate("() => window.ran") is None
    report = open_page(book.report("alice"))
    assert report.locator("body").inner_text().count("<script>window.ran = 1</script>") == 2
    assert report.evaluate("() => window.ran") is None
