"""Every page as HTML: valid, every reference arrives, headings in order, tables and images named.

No browser is needed here.
"""

from __future__ import annotations

import base64
import io
import re
from urllib.parse import unquote, urlsplit

import html5lib
import pytest
from html5lib.html5parser import ParseError
from PIL import Image

REFERRING = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "headers")
# What a page of ours never needs, in whatever way it gets there.
LOADING = ("script", "link", "iframe", "object", "embed", "base", "video", "audio")


def parsed(html: str):
    """The tree of a page; an error where HTML's own rules find one."""
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), True, False)
    return parser.parse(html)


def named(tree, *names):
    """Elements of some names, SVG's among them, in the order of the page."""
    return [one for one in tree.iter() if isinstance(one.tag, str) and local(one) in names]


def local(element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def attribute(element, name: str) -> str | None:
    for key, value in element.attrib.items():
        if key.rsplit("}", 1)[-1] == name:
            return value
    return None


def text_of(element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.fixture
def tree(page_file):
    return parsed(page_file.read_text("utf-8"))


@pytest.mark.parametrize(
    "broken",
    ["<p>no doctype", "<!doctype html><p><div></p>", "<!doctype html><b a=1 a=2>", "\0", "&nope;"],
)
def test_the_parser_is_a_strict_one(broken):
    with pytest.raises(ParseError):
        parsed(broken)


def test_the_html_is_valid_and_says_its_language_and_title(tree):
    [html] = named(tree, "html")
    assert html.get("lang")
    assert text_of(named(tree, "title")[0])


def test_ids_are_unique_and_every_reference_arrives(tree):
    ids = [one.get("id") for one in tree.iter() if one.get("id") is not None]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"\S+", identifier) for identifier in ids)
    referred = [
        name for one in tree.iter() for key in REFERRING for name in (one.get(key) or "").split()
    ]
    hrefs = [attribute(one, "href") or "" for one in named(tree, "a", "use")]
    anchors = [href[1:] for href in hrefs if href.startswith("#")]
    assert {*referred, *map(unquote, anchors)} <= set(ids)


def test_every_relative_link_resolves_to_a_file(tree, page_file):
    for link in named(tree, "a"):
        address = urlsplit(link.get("href"))
        assert (address.scheme, address.netloc) == ("", ""), link.get("href")
        if address.path:
            assert (page_file.parent / unquote(address.path)).is_file(), link.get("href")
        assert text_of(link), "a link without words"


def test_one_main_heading_and_no_level_is_skipped(tree):
    headings = named(tree, "h1", "h2", "h3", "h4", "h5", "h6")
    levels = [int(local(one)[1]) for one in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    for above, below, heading in zip(levels, levels[1:], headings[1:], strict=False):
        assert below <= above + 1, text_of(heading)
    assert all(map(text_of, headings))


def test_images_say_what_they_show_and_are_whole(tree):
    for image in named(tree, "img"):
        assert (image.get("alt") or "").strip()
    addresses = [one.get("src") for one in named(tree, "img")]
    addresses += [attribute(one, "href") for one in named(tree, "image")]
    for address in addresses:
        kind, data = re.fullmatch(r"data:image/(png|jpeg);base64,([\w+/=]+)", address).groups()
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as picture:
            assert picture.format.lower() == kind
            picture.load()
    for drawing in named(tree, "svg"):
        label = attribute(drawing, "aria-label")
        assert label if drawing.get("role") == "img" else drawing.get("aria-hidden") == "true"


def test_tables_have_header_cells_with_a_scope(tree):
    for table in named(tree, "table"):
        cells = named(table, "th")
        assert cells
        assert {cell.get("scope") for cell in cells} <= {"col", "row", "colgroup", "rowgroup"}
        widths = {
            sum(int(cell.get("colspan") or 1) for cell in row if local(cell) in ("td", "th"))
            for row in named(table, "tr")
        }
        assert len(widths) == 1, f"rows of different widths: {text_of(table)[:100]}"


def test_controls_have_names(tree):
    labels = named(tree, "label")
    labelled = {one.get("for") for one in labels}
    within = {id(one) for label in labels if text_of(label) for one in label.iter()}
    for control in named(tree, "input", "select", "textarea"):
        named_by = (control.get("aria-label"), control.get("aria-labelledby"))
        if control.get("type") != "hidden":
            assert any(named_by) or control.get("id") in labelled or id(control) in within
    for button in named(tree, "button", "summary"):
        assert text_of(button) or button.get("aria-label")


def test_nothing_is_loaded_and_nothing_runs_but_the_pages_own_script(tree):
    policy = [one.get("content") for one in named(tree, "meta") if one.get("http-equiv")]
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; style-src 'unsafe-inline'; script-src '")
    found = [local(one) for one in named(tree, *LOADING)]
    assert found == ["script"] * len(found)
    assert len(found) <= 1
    assert ("'sha256-" in policy[0]) == bool(found)
    handlers = [key for one in tree.iter() for key in one.attrib if key.lower().startswith("on")]
    assert handlers == []
    for style in named(tree, "style"):
        assert not re.search(r"@import|url\(", text_of(style))
    for one in tree.iter():
        for value in map(str.strip, one.attrib.values()):
            assert not re.match(r"[\w+-]+://|//|(java|vb)script:", value, re.IGNORECASE), value


def test_a_page_can_be_sent_by_mail(page_file):
    assert 2_000 < page_file.stat().st_size < 1_500_000
