"""The addresses of `harness mark` and what is behind them.

::

    GET  /                                   the first question
    GET  /questions/ID?from=50&show=unmarked the answers to a question
    POST /questions/ID/marks                 give a mark: from a form, or from the page's script
    POST /undo                               take back the last change
    GET  /reports/KEY                        a student's report
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from harness.errors import HarnessError
from harness.marking import pages
from harness.marking.desk import ChangedMeanwhileError, Desk, Mark, key_of
from harness.marking.guard import Guard
from harness.marking.pages import Item, View
from harness.questions import Question
from harness.report import marking_html

MOST_BYTES = 100_000
LONGEST_COMMENT = 5000


def make_app(desk: Desk, *, token: str, port: int) -> Guard:
    """The application, guarded.

    Args:
        desk: where is marked.
        token: that every request needs.
        port: of the server.
    """
    site = _Site(desk)
    app: ASGIApp = Starlette(
        routes=[
            Route("/", site.first),
            Route("/questions/{question}", site.question),
            Route("/questions/{question}/marks", site.mark, methods=["POST"]),
            Route("/undo", site.undo, methods=["POST"]),
            Route("/reports/{key}", site.report),
        ],
        exception_handlers={HarnessError: _said, OSError: _said},
    )
    return Guard(app, token=token, port=port)


def _said(request: Request, error: Exception) -> Response:
    """An error that a person can do something about, in its own words."""
    return PlainTextResponse(f"{error}\n", 500)


class _Site:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def first(self, request: Request) -> Response:
        return RedirectResponse(View().link(self.desk.lab.questions[0]), 303)

    def question(self, request: Request) -> Response:
        question = self._question(request.path_params["question"])
        notice = ""
        if (undone := request.query_params.get("undone")) is not None:
            notice = pages.undone_notice(self.desk, undone, question)
        return self._page(question, _view(request.query_params), notice=notice)

    def report(self, request: Request) -> Response:
        try:
            html = self.desk.book.report(self._name(request.path_params["key"])).read_bytes()
        except FileNotFoundError:
            raise HTTPException(404, "This report is being written; try again.\n") from None
        # A page that students' work went into keeps apart from this one, whatever is in it.
        headers = {"content-security-policy": "sandbox allow-scripts; frame-ancestors 'none'"}
        return HTMLResponse(html, headers=headers)

    async def mark(self, request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(self._mark, request, form)

    async def undo(self, request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(self._undo, form)

    def _mark(self, request: Request, form: Mapping[str, str]) -> Response:
        question, name = self._question(request.path_params["question"]), self._name(form["key"])
        view, mark = _view(form), _mark_of(form, question)
        scripted = request.headers.get("accept") == "application/json"
        try:
            self.desk.mark(name, question, mark)
        except ChangedMeanwhileError:
            draft = pages.conflict(self.desk, question, name, mark)
            if scripted:
                return self._told(question, draft)
            return self._page(question, view, draft=draft, status=409)
        if scripted:
            return self._told(question, pages.item_of(self.desk, question, name))
        return RedirectResponse(view.link(question, form["key"]), 303)

    def _undo(self, form: Mapping[str, str]) -> Response:
        undone = self.desk.undo()
        question, key = self._question(form["question"]), ""
        if undone is not None:
            name, change = undone
            question = self.desk.questions.get(change.question, question)
            key = key_of(name)
            # The page that begins with this submission.
            link = View(self.desk.names.index(name)).link(question)
        else:
            link = _view(form).link(question)
        asked = urlencode({"undone": key})
        link += ("&" if "?" in link else "?") + asked + (key and f"#s-{key}")
        return RedirectResponse(link, 303)

    def _page(
        self,
        question: Question,
        view: View,
        *,
        notice: str = "",
        draft: Item | None = None,
        status: int = 200,
    ) -> Response:
        page = pages.marking_page(self.desk, question, view, notice=notice, draft=draft)
        html = marking_html(page, self.desk.lab)
        return HTMLResponse(html.encode(errors="backslashreplace"), status)

    def _told(self, question: Question, item: Item) -> Response:
        """What the page's script needs to know after it has sent a mark."""
        told = {
            "saved": not item.problem,
            "state": item.state,
            "told": item.problem or item.told,
            "seen": item.seen,
            "progress": pages.progress(self.desk, question),
        }
        return JSONResponse(told)

    def _question(self, identifier: str) -> Question:
        if identifier not in self.desk.questions:
            raise HTTPException(404, f"No question {identifier!r}.\n")
        return self.desk.questions[identifier]

    def _name(self, key: str) -> str:
        if key not in self.desk.keys:
            raise HTTPException(404, f"No submission {key!r}.\n")
        return self.desk.keys[key]


def _view(given: Mapping[str, str]) -> View:
    start = given.get("from", "0")
    begin = int(start) if re.fullmatch("[0-9]{1,6}", start) else 0
    return View(begin, given.get("show") == "unmarked")


def _mark_of(form: Mapping[str, str], question: Question) -> Mark:
    """The mark that a form gives; levels go by their number in the rubric, from 1."""
    number = form.get("level", "")
    allowed = [str(index) for index in range(1, 1 + len(question.levels))]
    if number not in ("", *allowed):
        raise HTTPException(400, f"Found level {number!r}; allowed: {', '.join(allowed)}.\n")
    if not re.fullmatch("[0-9a-f]{64}", form.get("answer", "")):
        raise HTTPException(400, "The form does not say which answer was marked.\n")
    comment = form.get("comment", "").replace("\r\n", "\n").strip()
    if len(comment) > LONGEST_COMMENT:
        raise HTTPException(400, f"A comment may have {LONGEST_COMMENT} characters.\n")
    level = question.levels[int(number) - 1].label if number else None
    return Mark(level, comment, form["answer"], form.get("seen", ""))


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, sent as forms are; a large body is not read to its end."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, f"Found {kind!r}; expected a form.\n")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"A form may have {MOST_BYTES} bytes.\n")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise HTTPException(400, f"This is not a form ({error}).\n") from None
    return {"key": "", "question": "", **dict(fields)}
