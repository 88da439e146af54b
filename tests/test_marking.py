"""The marking server: who may ask, what the pages say, what forms do; and the command itself."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
import time
from html import unescape
from pathlib import Path

import httpx
import pytest

from harness import cli, marking
from harness.answers import Answers
from harness.claims import Claim, Verdict
from harness.errors import UsageError
from harness.golden import Golden
from harness.gradebook import Gradebook
from harness.grading import open_lab
from harness.marking import serve
from harness.marking.app import LONGEST_COMMENT, MOST_BYTES, make_app
from harness.marking.desk import Desk, key_of
from harness.marking.pages import PER_PAGE
from harness.marks import read_marks
from harness.submission import Submission

ROOT = Path(__file__).parents[1]
TOKEN, PORT = "the-token", 8123
HOME = f"http://127.0.0.1:{PORT}"
HOSTILE = (
    "<script>alert(1)</script> ![x](https://evil.example/x.png) <img src=x onerror=alert(1)> "
    "[y](javascript:alert(1)) <svg onload=alert(1)> \u202ekcab\u202c \x1b[31m \x00 &amp;"
)


class Window:
    """A browser's window: cookies, our origin, no redirects followed unless asked."""

    def __init__(self, desk: Desk, *, enter: bool = True) -> None:
        self.app = make_app(desk, token=TOKEN, port=PORT)
        self.cookies = httpx.Cookies()
        if enter:
            self.ask("GET", f"/?token={TOKEN}")

    def ask(self, method: str, path: str, **options) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=self.app), base_url=HOME, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(send())

    def get(self, path: str, **options) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, data=None, *, headers=None, **options) -> httpx.Response:
        headers = {"origin": HOME, **(headers or {})}
        return self.ask("POST", path, data=data or {}, headers=headers, **options)

    def form(self, name: str, question: str = "map-class") -> dict[str, str]:
        """The hidden fields of a student's form."""
        page = self.get(f"/questions/{question}").text
        [article] = re.findall(
            rf'<article [^>]*id="s-{key_of(name)}".*?</article>', page, re.DOTALL
        )
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', article))

    def mark(self, name: str, level: str, comment: str = "", question: str = "map-class", **more):
        data = {**self.form(name, question), "level": level, "comment": comment, **more}
        return self.post(f"/questions/{question}/marks", data)


@pytest.fixture
def book(graded_book) -> Gradebook:
    return graded_book({"alice": {"map-class": "it does", "use": "yes"}, "bob": {"use": HOSTILE}})


@pytest.fixture
def desk(book, asking_lab):
    made = Desk(book, asking_lab, "ada", ["alice", "bob"])
    yield made
    made.close()


@pytest.fixture
def window(desk) -> Window:
    return Window(desk)


def words(html: str) -> str:
    """The page as text."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def points(book, name="alice"):
    return [question["points"] for question in book.read(name)["questions"]]


# Who may ask.


def test_the_printed_address_lets_in_and_leaves_no_token_in_it(desk):
    window = Window(desk, enter=False)
    answer = window.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie == f"harness-mark-{PORT}={TOKEN}; HttpOnly; Path=/; SameSite=strict"
    first = window.get("/")
    assert (first.status_code, first.headers["location"]) == (303, "/questions/map-class")
    page = window.get("/questions/map-class")
    assert page.status_code == 200
    assert TOKEN not in page.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/?token=wrong"),
        ("GET", "/?token="),
        ("GET", f"/questions/map-class?token={TOKEN}"),
        ("GET", "/questions/map-class"),
        ("GET", f"/reports/{key_of('alice')}"),
        ("GET", "/nothing"),
        ("POST", "/questions/map-class/marks"),
        ("POST", f"/?token={TOKEN}"),
        ("POST", "/undo"),
    ],
)
def test_without_the_token_there_is_nothing(desk, book, method, path):
    window = Window(desk, enter=False)
    for cookie in ("", "harness-mark-8123=wrong", f"other={TOKEN}", "harness-mark-8123=é"):
        headers = {"origin": HOME, **({"cookie": cookie.encode()} if cookie else {})}
        answer = window.ask(method, path, headers=headers)
        assert answer.status_code == 403
        assert answer.text.startswith("Refused: ")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"[::1]:{PORT}", ""],
)
def test_another_name_for_this_machine_is_refused(window, host):
    answer = window.get("/questions/map-class", headers={"host": host})
    assert (answer.status_code, "not the address that harness mark printed" in answer.text) == (
        403,
        True,
    )


def test_localhost_is_this_machine_too(window):
    there = f"localhost:{PORT}"
    assert window.get(f"/?token={TOKEN}", headers={"host": there}).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": f"http://localhost:{PORT}"},
        {"origin": HOME, "sec-fetch-site": "cross-site"},
        {"origin": HOME, "sec-fetch-site": "same-site"},
    ],
)
def test_another_page_cannot_mark(window, book, headers):
    form = {**window.form("alice"), "level": "1"}
    answer = window.post("/questions/map-class/marks", form, headers=headers)
    assert answer.status_code == 403
    assert window.post("/undo", {"question": "use"}, headers=headers).status_code == 403
    assert points(book) == [None, None]


def test_a_form_without_an_origin_is_refused(window, book):
    form = {**window.form("alice"), "level": "1"}
    assert window.ask("POST", "/questions/map-class/marks", data=form).status_code == 403
    assert points(book) == [None, None]


def test_a_foreign_origin_may_not_even_read(window):
    answer = window.get("/questions/map-class", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/questions/map-class", "/nothing", "/?token=wrong"])
def test_every_answer_forbids_frames_guessing_and_keeping(window, path):
    headers = window.get(path).headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_only_http_is_served(desk):
    app = make_app(desk, token=TOKEN, port=PORT)

    async def never(*arguments):
        raise AssertionError("nothing is read or sent")

    for kind in ("websocket", "lifespan"):
        assert asyncio.run(app({"type": kind, "headers": []}, never, never)) is None


# What the page says.


def test_the_page_shows_each_answer_beside_its_own_figures_and_the_rubric(window):
    html = window.get("/questions/map-class").text
    text = words(html)
    assert "Does the map reflect the class? 0 of 2 marked" in text
    assert "reasoned , 2 of 2 points: gives a reason described , 1 of 2 points" in text
    assert text.index("alice") < text.index("it does") < text.index("bob")
    assert html.count('alt="the map of this student"') == 2
    assert "three images" not in text  # of the other question's case
    assert "No answer was found." in text
    assert "other text of bob" in text
    assert "other text of alice" not in text
    assert "You mark as ada." in text
    other = words(window.get("/questions/use").text)
    assert "In practice." in other
    assert other.count("three images") == 2


def test_a_claimed_table_is_shown_beside_what_the_network_says(book, desk, window):
    claims = (
        Claim("ball", "0.9", Verdict.RIGHT, 0.9),
        Claim("<b>cat", "0.5", Verdict.WRONG_PROBABILITY, 0.00001),
        Claim("dog", "0.4", Verdict.WRONG_PROBABILITY, 0.04),
        Claim("owl", "40 %", Verdict.WRONG_PROBABILITY, 0.04),
        Claim("ant", "2 %", Verdict.WRONG_PROBABILITY, 0.00001),
        Claim("cow", "1 %", Verdict.NOT_LISTED),
    )
    made = Answers({"map-class": "see"}, claims={"map-class": claims})
    book.answers_file("alice").write_bytes(made.to_bytes())
    text = words(window.get("/questions/map-class").text)
    assert "ball 0.9 ✓ as the network says" in text
    assert "<b>cat 0.5 ✗ the network says < 0.0001" in text
    assert "dog 0.4 ✗ the network says 0.04" in text
    assert "owl 40 % ✗ the network says 4 %" in text
    assert "ant 2 % ✗ the network says < 0.01 %" in text
    assert "cow 1 % ✗ not among the network’s most probable classes" in text


def test_the_pages_policy_lets_forms_and_fetches_reach_this_server_and_nothing_else(window):
    html = window.get("/questions/map-class").text
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert policy.endswith("form-action 'self'; connect-src 'self'")
    assert html.count("<script") == 1
    assert 'content="same-origin"' in html


def test_hostile_answers_names_and_comments_are_shown_as_text(graded_book, asking_lab):
    name = "<script>name</script> \u202e"
    book = graded_book({name: {"map-class": HOSTILE}})
    desk = Desk(book, asking_lab, HOSTILE, [name])
    window = Window(desk)
    window.mark(name, "1", HOSTILE)
    page = window.get("/questions/map-class").text
    report = book.report(name).read_text("utf-8")
    for html in (page, report):
        assert html.count("<script") <= 1
        assert "<img src=x" not in html
        assert "<svg onload" not in html
        assert "evil.example" not in re.sub(r"!\[x\]\(https://evil.example/x.png\)", "", html)
        for raw in ("\u202e", "\x1b", "\x00"):
            assert raw not in html
        assert "<script>alert(1)</script> ![x](https://evil.example/x.png)" in words(html)
        assert "⟨U+202E⟩kcab" in words(html)
    assert not re.findall(r'(?:href|src)="(?!/|data:|#|\?)', page)
    desk.close()


def test_long_cohorts_come_in_pages_and_none_is_left_out(graded_book, asking_lab):
    names = [f"s{number:03}" for number in range(2 * PER_PAGE + 7)]
    book = graded_book({name: {} for name in names})
    desk = Desk(book, asking_lab, "ada", names)
    window = Window(desk)
    link, seen = "/questions/use", []
    for size in (PER_PAGE, PER_PAGE, 7):
        html = window.get(unescape(link)).text
        shown = re.findall(r"<bdi>(s\d+)</bdi>", html)
        assert len(shown) == size
        seen += shown
        [link] = re.findall(r'href="([^"]*)" rel="next"', html)[:1] or [""]
    assert (seen, link) == (names, "")
    [back] = re.findall(r'href="([^"]*)" rel="prev"', html)[:1]
    assert "51 to 100 of 107" in words(window.get(unescape(back)).text)
    # Among those not marked, nobody is skipped when the ones before are marked.
    for name in names[:3]:
        window.mark(name, "1", question="use")
    html = window.get("/questions/use?show=unmarked").text
    shown = re.findall(r"<bdi>(s\d+)</bdi>", html)
    assert (shown[0], shown[-1]) == (names[3], names[PER_PAGE + 2])
    [link] = re.findall(r'href="([^"]*)" rel="next"', html)[:1]
    window.mark(names[10], "1", question="use")
    html = window.get(unescape(link)).text
    assert re.findall(r"<bdi>(s\d+)</bdi>", html)[0] == names[PER_PAGE + 3]
    desk.close()


def test_a_page_beyond_the_end_is_empty_and_says_so(window):
    assert "There is nothing here." in words(window.get("/questions/use?from=99").text)
    for junk in ("-1", "x", "1e9", "９", ""):
        assert "alice" in words(window.get("/questions/use", params={"from": junk}).text)


@pytest.mark.parametrize("path", ["/questions/gone", "/reports/gone", "/gone"])
def test_what_is_not_there_is_said(window, path):
    assert window.get(path).status_code == 404


def test_the_whole_report_is_shown_kept_apart(window, book):
    answer = window.get(f"/reports/{key_of('alice')}")
    assert answer.content == b"the first report of alice"
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts;")
    book.report("alice").unlink()
    assert window.get(f"/reports/{key_of('alice')}").status_code == 404


# What forms do.


def test_a_form_marks_without_a_script_and_comes_back_to_its_place(window, book):
    answer = window.mark("alice", "2", "  line one\r\nline two ")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/questions/map-class#s-{key_of('alice')}"
    assert points(book) == [1, None]
    [change] = read_marks(book, "alice").history
    assert (change.level, change.comment, change.by) == ("described", "line one\nline two", "ada")
    html = window.get("/questions/map-class").text
    assert "1 of 2 marked" in words(html)
    assert "Marked by ada, " in words(html)
    assert '<input type="radio" name="level" value="2" checked>' in html
    assert "line one\nline two</textarea>" in html
    assert "1 of 2 written answers are marked" in book.report("alice").read_text("utf-8")


def test_a_mark_is_taken_off_by_not_marked(window, book):
    window.mark("alice", "1")
    window.mark("alice", "")
    assert points(book) == [None, None]
    assert "Not marked yet." in words(window.get("/questions/map-class").text)
    window.mark("alice", "", "see me")
    assert "Only a comment so far, by ada" in words(window.get("/questions/map-class").text)


def test_a_form_keeps_its_place_and_filter(window):
    answer = window.mark("bob", "1", show="unmarked", **{"from": "1"})
    assert answer.headers["location"] == (
        f"/questions/map-class?from=1&show=unmarked#s-{key_of('bob')}"
    )


def test_the_filter_shows_what_has_no_mark_that_counts(window, desk):
    window.mark("alice", "1")
    text = words(window.get("/questions/map-class?show=unmarked").text)
    assert "it does" not in text
    assert "bob" in text
    window.mark("bob", "3")
    text = words(window.get("/questions/map-class?show=unmarked").text)
    assert "Every answer to this question is marked." in text
    window.mark("alice", "1", answer="0" * 64, comment="now for another answer")
    text = words(window.get("/questions/map-class?show=unmarked").text)
    assert "it does" in text
    assert "was given for an earlier answer or rubric" in text


def test_the_script_gets_what_it_shows(window, book):
    form = {**window.form("alice"), "level": "1", "comment": ""}
    json = {"accept": "application/json"}
    told = window.post("/questions/map-class/marks", form, headers=json).json()
    assert (told["saved"], told["state"], told["progress"]) == (True, "marked", "1 of 2 marked")
    assert told["told"].startswith("Marked by ada, ")
    again = {**form, "level": "3", "seen": told["seen"]}
    assert window.post("/questions/map-class/marks", again, headers=json).json()["saved"]
    assert points(book) == [0, None]
    stale = {**form, "level": "2"}
    told = window.post("/questions/map-class/marks", stale, headers=json).json()
    assert (told["saved"], points(book)) == (False, [0, None])
    assert "This was changed meanwhile: Marked by ada" in told["told"]
    insists = {**stale, "seen": told["seen"]}
    assert window.post("/questions/map-class/marks", insists, headers=json).json()["saved"]
    assert points(book) == [1, None]


def test_who_comes_second_is_told_and_keeps_what_was_typed(window, book):
    form = window.form("alice")
    window.mark("alice", "1", "the first")
    answer = window.post(
        "/questions/map-class/marks", {**form, "level": "3", "comment": "typed in vain?"}
    )
    assert answer.status_code == 409
    text = words(answer.text)
    assert "This was changed meanwhile: Marked by ada" in text
    assert "(reasoned. the first) Save again to put yours in its place." in text
    assert "typed in vain?</textarea>" in answer.text
    assert points(book) == [2, None]
    [seen] = re.findall(
        rf'value="{key_of("alice")}">.*?name="seen" value="(\w+)"', answer.text, re.S
    )
    window.post("/questions/map-class/marks", {**form, "level": "3", "seen": seen})
    assert points(book) == [0, None]


def test_a_conflict_beyond_the_filter_is_shown_all_the_same(window):
    form = window.form("alice")
    window.mark("alice", "1")
    data = {**form, "level": "2", "show": "unmarked"}
    answer = window.post("/questions/map-class/marks", data)
    assert answer.status_code == 409
    assert "This was changed meanwhile" in words(answer.text)


def test_undo_comes_back_to_what_it_took_back(window, book):
    window.mark("alice", "1")
    window.mark("bob", "1", question="use")
    answer = window.post("/undo", {"question": "map-class"})
    key = key_of("bob")
    assert answer.headers["location"] == f"/questions/use?from=1&undone={key}#s-{key}"
    page = words(window.get(answer.headers["location"]).text)
    assert "Your last change was taken back: bob, “How can activation maximization" in page
    assert points(book, "bob") == [None, None]
    window.post("/undo", {"question": "map-class"})
    assert points(book) == [None, None]
    answer = window.post("/undo", {"question": "map-class", "show": "unmarked"})
    assert answer.headers["location"] == "/questions/map-class?show=unmarked&undone="
    page = words(window.get(answer.headers["location"]).text)
    assert "There is nothing left that you could take back." in page


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"level": "4"}, 400, "Found level '4'; allowed: 1, 2, 3."),
        ({"level": "0"}, 400, "Found level '0'; allowed"),
        ({"level": "reasoned"}, 400, "allowed: 1, 2, 3."),
        ({"answer": "x"}, 400, "does not say which answer"),
        ({"comment": "x" * (LONGEST_COMMENT + 1)}, 400, "A comment may have 5000 characters."),
        ({"key": "gone"}, 404, "No submission 'gone'."),
        ({"comment": "x" * MOST_BYTES}, 413, "A form may have 100000 bytes."),
        ({f"field{n}": "x" for n in range(30)}, 400, "This is not a form ("),
    ],
)
def test_a_form_that_is_not_ours_is_refused_in_words(window, book, change, status, said):
    data = {**window.form("alice"), "level": "1", **change}
    answer = window.post("/questions/map-class/marks", data)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert points(book) == [None, None]


def test_bodies_that_are_no_forms_are_refused(window):
    path = "/questions/map-class/marks"
    headers = {"origin": HOME, "content-type": "application/x-www-form-urlencoded"}
    assert window.ask("POST", path, content=b"\xff=1", headers=headers).status_code == 400
    headers["content-type"] = "text/plain"
    answer = window.ask("POST", path, content=b"level=1", headers=headers)
    assert (answer.status_code, answer.text) == (415, "Found 'text/plain'; expected a form.\n")
    assert window.get(path).status_code == 405


def test_trouble_with_the_files_is_said_and_loses_nothing(window, book, monkeypatch):
    form = {**window.form("alice"), "level": "1"}
    book.marks_file("alice").write_text("damaged")
    answer = window.post("/questions/map-class/marks", form)
    assert answer.status_code == 500
    assert "expected marks of format version 1" in answer.text
    book.marks_file("alice").unlink()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    answer = window.post("/questions/map-class/marks", form)
    assert (answer.status_code, "No space left on device" in answer.text) == (500, True)
    assert not book.marks_file("alice").exists()


def test_a_board_that_cannot_be_written_is_said_and_marks_are_kept(desk, window, book, monkeypatch):
    monkeypatch.setattr("harness.marking.desk.write_index", lambda *a: 1 / 0)
    window.mark("alice", "1")
    desk.board._thread.submit(int).result()
    text = words(window.get("/questions/map-class").text)
    assert "the board and the CSV could not be written (ZeroDivisionError" in text
    assert points(book) == [2, None]


def test_a_grade_that_is_away_for_a_moment_is_left_out(window, book):
    path = book.of("alice") / "grade.json"
    kept = path.read_bytes()
    path.unlink()
    assert "0 of 1 marked" in words(window.get("/questions/map-class").text)
    path.write_bytes(kept)
    assert "0 of 2 marked" in words(window.get("/questions/map-class").text)


def test_pages_are_in_the_labs_language(lab_file, asking, graded_book):
    lab_file.write_text(asking.replace("title: Small", "title: Small\nlanguage: fr"), "utf-8")
    book = graded_book({"alice": {}})
    desk = Desk(book, open_lab(lab_file), "ada", ["alice"])
    assert '<html lang="fr">' in Window(desk).get("/questions/use").text
    desk.close()


# The command.


def test_a_desk_opens_on_the_last_cohort(book, asking_lab, capsys):
    desk = serve.open_desk(asking_lab, book, print, marker="ada")
    assert (desk.names, desk.marker) == (("alice", "bob"), "ada")
    desk.close()


def test_answers_can_be_read_again_from_submissions(
    book, asking_lab, tmp_path, monkeypatch, capsys
):
    for name in ("alice", "zoe"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "submission.py").write_text("")
        (tmp_path / "in" / name / "answers.md").write_text("# Use\nnew\n# Map-class\nit does")
    golden = Golden({"top_predictions/photo": [[("ball", 0.9)]]}, {}, "")
    monkeypatch.setattr(serve.golden, "load", lambda lab: golden)
    given = [Submission(name, tmp_path / "in" / name) for name in ("alice", "zoe")]
    desk = serve.open_desk(asking_lab, book, print, marker="ada", submissions=given)
    assert capsys.readouterr().out == ("1 of 2 submissions are not graded yet, and left out\n")
    assert desk.names == ("alice",)
    assert desk.answers("alice").texts == {"use": "new", "map-class": "it does"}
    desk.close()


def test_nothing_to_mark_is_said(book, asking_lab, lab_file, asking, tmp_path):
    empty = Gradebook(tmp_path / "empty")
    with pytest.raises(UsageError, match=r"no graded submission in .*; run first: harness grade"):
        serve.open_desk(asking_lab, empty, print, marker="ada")
    lab_file.write_text(asking.partition("questions:")[0], "utf-8")
    with pytest.raises(UsageError, match=r"has no questions to mark; add 'questions:' to it"):
        serve.open_desk(open_lab(lab_file), book, print, marker="ada")


def test_the_server_listens_on_this_machine_alone():
    listening = serve.listen(0)
    try:
        host, port = listening.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(UsageError, match=rf"port {port} of 127.0.0.1 cannot be used .*; give"):
            serve.listen(port)
    finally:
        listening.close()


def test_a_system_that_knows_nobody_asks_for_a_name(monkeypatch):
    def unknown():
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", unknown)
    with pytest.raises(UsageError, match="give --marker NAME"):
        serve.login()
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    assert serve.login() == "ada"


@pytest.mark.parametrize("library", ["starlette", "uvicorn"])
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    library, monkeypatch, capsys, tmp_path
):
    for name in [*sys.modules]:
        if name.split(".")[0] == library or name.startswith(("harness.marking", "uvicorn")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    assert cli.main(["mark", "--out", str(tmp_path)]) == cli.EXIT_ERROR
    said = f"mark needs {library}: pip install 'xai-grading-harness[mark]'"
    assert said in capsys.readouterr().err


def test_any_other_broken_import_is_not_taken_for_a_missing_extra(monkeypatch, tmp_path):
    monkeypatch.delattr(marking, "serve", raising=False)
    monkeypatch.setitem(sys.modules, "harness.marking.serve", None)
    with pytest.raises(ImportError, match=r"harness\.marking\.serve"):
        cli.main(["mark", "--out", str(tmp_path)])


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_a_port_that_is_none_is_a_usage_error(port, capsys):
    with pytest.raises(SystemExit):
        cli.main(["mark", f"--port={port}"])
    assert "expected a number from 0 to 65535, found" in capsys.readouterr().err


def test_the_command_serves_until_ctrl_c_and_then_ends_cleanly(book, asking_lab):
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "mark", "--out", book.folder, "--lab",
         asking_lab.source.path, "--marker", "ada"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"lab: {asking_lab.source.path}\n"
        assert process.stdout.readline() == "marking 2 submissions as ada; Ctrl-C ends it\n"
        [address] = re.findall(r"http://127\.0\.0\.1:\d+/\?token=\S+", process.stdout.readline())
        home = address.partition("/?")[0]
        with httpx.Client(follow_redirects=True, trust_env=False) as client:
            assert client.get(f"{home}/").status_code == 403
            page = client.get(address)
            assert "it does" in page.text
            assert str(page.url) == f"{home}/questions/map-class"
            data = {"key": key_of("alice"), "level": "1", "comment": "ok"}
            data["answer"] = book.answers("alice").digest("map-class")
            saved = client.post(f"{home}/questions/map-class/marks", data=data,
                                headers={"origin": home})  # fmt: skip
            assert "Marked by ada" in saved.text
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        out, error = process.communicate(timeout=20)
        assert time.monotonic() - begun < 10
    finally:
        process.kill()
    assert (process.returncode, error) == (0, "")
    assert out == f"marks are in {book.folder}; reports, CSV and board have them\n"
    assert points(book) == [2, None]
    with socket.socket() as probe, pytest.raises(OSError, match="refused"):
        probe.connect(("127.0.0.1", int(home.rpartition(":")[2])))
