"""A browser, pages that are watched, and a cohort to look at."""

from __future__ import annotations

import browsing
import pytest
from pages import PAGES, make_cohort


@pytest.fixture(scope="module")
def browser():
    # Not for the whole session: while it is open, no other test of the process could run asyncio.
    with browsing.browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    """A small but complete gradebook, which tests only look at."""
    return make_cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(params=PAGES)
def page_file(request, cohort):
    """The file of every page in turn."""
    return PAGES[request.param](cohort)


@pytest.fixture
def watched(tmp_path_factory):
    """What happened that must not; a test that expects something takes it out."""
    return browsing.Watched(tmp_path_factory.getbasetemp().resolve())


@pytest.fixture
def open_page(browser, watched):
    """Open a file: `open_page(path, **options of a browser context)`."""
    contexts = []

    def open_file(path=None, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        watched.watch(context)
        page = context.new_page()
        if path is not None:
            page.goto(path.resolve().as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert watched.troubles == []


@pytest.fixture
def page(open_page):
    """An empty page."""
    return open_page()
