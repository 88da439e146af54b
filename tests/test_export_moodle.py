"""Moodle's worksheet: nothing differs but grades and comments, in any language of a site."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from html.parser import HTMLParser

import exported
import pytest

from harness.errors import UsageError
from harness.exchange.order import Order
from harness.exchange.outgoing import export
from harness.handed_in import HandedIn, Student

# As `get_string` of each language pack says: the word for a participant, the headings, yes and no.
SITES = {
    "en": (
        "Participant ",
        "Identifier|Full name|Email address|Status|Grade|Maximum Grade|Grade can be changed|"
        "Last modified (submission)|Last modified (grade)|Feedback comments",
        ("Yes", "No"),
    ),
    "fr": (
        "Participant ",
        "Identifiant|Nom complet|Adresse de courriel|Statut|Note|Note maximale|"
        "La note peut être modifiée|Dernière modification (travail remis)|"
        "Dernière modification (note)|Feedback par commentaires",
        ("Oui", "Non"),
    ),
    "de": (
        "Teilnehmer/in",
        "ID|Vollständiger Name|E-Mail-Adresse|Status|Bewertung|Bestwertung|"
        "Bewertung kann geändert werden|Zuletzt geändert (Abgabe)|Zuletzt geändert (Bewertung)|"
        "Feedback als Kommentar",
        ("Ja", "Nein"),
    ),
    "ja": (
        "参加者",
        "識別番号|氏名|メールアドレス|ステータス|評点|最大評点|評定変更可|"
        "最終更新日時 (提出)|最終更新日時 (評定)|フィードバックコメント",
        ("Yes", "No"),
    ),
}
TIMES = {
    "en": "Friday, 4 December 2026, 10:10 PM",
    "fr": "vendredi 4 décembre 2026, 22:10",
    "de": "Freitag, 4. Dezember 2026, 22:10",
    "ja": "2026年 12月 4日(金曜日) 22:10",
}
GRADE, LOCKED, COMMENT = 4, 6, 9


def number(text):
    """A number as `unformat_float` takes it on a site with a decimal comma."""
    return float(text.replace(",", "."))


def worksheet(language="en", students=60, mark=".", changes=()):
    """A worksheet as Moodle's csv writer makes it, with a byte order mark; cells may be changed."""
    word, headings, (yes, _) = SITES[language]
    top = f"20{mark}00"
    rows = [headings.split("|")]
    for n in range(students):
        who = [f"{word}{100 + n}", f"Student {n}", f"s{n}@example.org", "Submitted\nfor grading"]
        rows.append([*who, "", top, yes, TIMES[language], "-", ""])
    for row, column, text in changes:
        rows[row + 1][column] = text
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def table(rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def run(tmp_path, sheet, grades=None, **options):
    """Export, and read the worksheet again as Moodle does."""
    if not (tmp_path / "reports").exists():
        exported.store(tmp_path / "reports", exported.cohort() if grades is None else grades)
    (tmp_path / "sheet.csv").write_bytes(sheet)
    lines = []
    order = Order(
        tmp_path / "reports", sheet=tmp_path / "sheet.csv", out=tmp_path / "out.csv", **options
    )
    account = export(order, "moodle", lines.append)
    return account, lines, cells((tmp_path / "out.csv").read_bytes())


def cells(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def assert_only_grades_and_comments_differ(before, after):
    """Cell by cell, and byte by byte where a row got no grade."""
    old, new = cells(before), cells(after)
    assert len(old) == len(new)
    for one, other in zip(old, new, strict=True):
        differing = {n for n in range(len(one)) if one[n] != other[n]}
        assert len(one) == len(other)
        assert differing <= {GRADE, COMMENT}
    assert after.startswith(b"\xef\xbb\xbf") == before.startswith(b"\xef\xbb\xbf")
    assert old[0] == new[0]


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.lines = [""]
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.lines += [""] * (tag in ("br", "p"))

    def handle_data(self, data):
        self.lines[-1] += data


def read_html(text):
    """Lines and tags of a comment as a browser shows it."""
    parser = _Text()
    parser.feed(text)
    return [line for line in parser.lines if line], set(parser.tags)


@pytest.mark.parametrize("language", SITES)
def test_sixty_students_get_their_grades_in_any_language(tmp_path, language):
    mark = "," if language in ("fr", "de") else "."
    sheet = worksheet(language, mark=mark)
    account, lines, rows = run(tmp_path, sheet)
    assert [number(row[GRADE]) for row in rows[1:]] == [5.0 * (n % 5) for n in range(60)]
    assert {row[GRADE] for row in rows[1:]} == {
        f"{whole}{mark}00" for whole in ("0", "5", "10", "15", "20")
    }
    assert_only_grades_and_comments_differ(sheet, (tmp_path / "out.csv").read_bytes())
    assert lines[0] == "60 grades: 60 matched, 60 to write, 0 unchanged"
    assert not account.told


@pytest.mark.parametrize("language", SITES)
def test_what_is_locked_is_left_alone_and_said(tmp_path, language):
    no = SITES[language][2][1]
    account, lines, rows = run(tmp_path, worksheet(language, changes=[(3, LOCKED, no)]))
    assert (rows[4][GRADE], rows[4][COMMENT]) == ("", "")
    assert account.needs_a_person
    # A row takes two lines, as a status does.
    assert "  Student 3 (line 8): locked in Moodle's gradebook" in "\n".join(lines)
    with zipfile.ZipFile(tmp_path / "out-feedback.zip") as archive:
        assert not [name for name in archive.namelist() if "_103_" in name]


def test_a_locked_grade_that_is_there_already_needs_nobody(tmp_path):
    changes = [(3, LOCKED, "No"), (3, GRADE, "15.00")]
    account, _, rows = run(tmp_path, worksheet(changes=changes))
    assert (account.written, account.unchanged, account.needs_a_person) == (59, 1, False)
    assert rows[4][COMMENT] == ""


def test_a_word_for_locked_that_is_not_understood_is_said(tmp_path):
    changes = [(n, LOCKED, "Jo") for n in range(60)]
    account, lines, _ = run(tmp_path, worksheet(changes=changes))
    assert [text for text in lines if "is not understood" in text] == [
        "  whether a grade can be changed is 'Jo', which is not understood: taken as yes; "
        "Moodle leaves out what is locked"
    ]
    assert account.written == 60
    assert not account.needs_a_person


def test_a_sheet_that_does_not_tell_what_is_locked_is_said(tmp_path):
    rows = [[c for n, c in enumerate(row) if n != LOCKED] for row in cells(worksheet())]
    account, lines, _ = run(tmp_path, table(rows))
    assert any("no column was recognised that says whether a grade can" in line for line in lines)
    assert account.written == 60


def test_comments_tell_the_points_line_by_line(tmp_path):
    told = [
        {"text": "Prüfungen <&>", "points": 20.0, "max_points": 20.0},
        {"text": "1 Tag zu spät", "points": -2.5},
    ]
    _, _, rows = run(tmp_path, worksheet("de", 1, ","), exported.cohort(1, points=17.5, lines=told))
    shown, tags = read_html(rows[1][COMMENT])
    assert shown == ["Prüfungen <&>: 20 / 20", "1 Tag zu spät: -2,5", "17,5 / 20"]
    assert tags == {"p", "br", "strong"}
    assert "&lt;&amp;&gt;" in rows[1][COMMENT]
    assert rows[1][GRADE] == "17,50"


def test_what_a_person_wrote_in_a_comment_stays_and_ours_is_replaced(tmp_path):
    _, _, rows = run(tmp_path, worksheet(changes=[(4, COMMENT, "<p>=Well done, Jane!</p>")]))
    assert rows[5][COMMENT].startswith("<p>=Well done, Jane!</p><p class=")
    again = (tmp_path / "out.csv").read_bytes().replace(b"Checks: 20", b"Checks: 1")
    _, _, rows = run(tmp_path, again)
    assert rows[5][COMMENT].count("Checks: 20") == 1
    assert "Checks: 1<" not in rows[5][COMMENT]


def test_without_a_column_for_comments_none_is_made(tmp_path):
    _, _, rows = run(tmp_path, table(row[:COMMENT] for row in cells(worksheet())))
    assert {len(row) for row in rows} == {COMMENT}
    assert rows[5][GRADE] == "20.00"


def test_a_second_export_of_its_own_result_changes_nothing(tmp_path):
    run(tmp_path, worksheet("fr", mark=","))
    before = (tmp_path / "out.csv").read_bytes()
    _, lines, _ = run(tmp_path, before)
    assert (tmp_path / "out.csv").read_bytes() == before
    assert lines[0] == "60 grades: 60 matched, 0 to write, 60 unchanged"


def test_exporting_twice_gives_the_same_bytes(tmp_path):
    found = []
    for _ in range(2):
        run(tmp_path, worksheet())
        found.append([(tmp_path / name).read_bytes() for name in ("out.csv", "out-feedback.zip")])
    assert found[0] == found[1]


def test_an_equal_grade_is_left_as_it_is_written(tmp_path):
    rows = [[c for n, c in enumerate(row) if n != COMMENT] for row in cells(worksheet())]
    rows[5][GRADE], rows[6][GRADE] = "20", "19.99"
    account, _, after = run(tmp_path, table(rows))
    assert (after[5][GRADE], after[6][GRADE]) == ("20", "0.00")
    assert account.unchanged == 1


def test_another_maximum_writes_nothing_and_says_both(tmp_path):
    sheet = worksheet(mark=",").replace(b'"20,00"', b'"100,00"')
    account, lines, rows = run(tmp_path, sheet)
    assert {row[GRADE] for row in rows[1:]} == {""}
    assert (tmp_path / "out.csv").read_bytes() == sheet
    assert "the lab gives 20 points at most, the sheet 100; set the maximum grade" in lines[2]
    assert account.needs_a_person


def test_points_above_the_maximum_are_not_written(tmp_path):
    _, lines, rows = run(tmp_path, worksheet(students=1), exported.cohort(1, points=20.5))
    assert rows[1][GRADE] == ""
    assert "  Student 0 (line 2): 20.5 points, 0 to 20 may be given" in lines


def test_who_is_held_back_or_missing_is_named_and_the_others_are_written(tmp_path):
    grades = exported.cohort(5)
    grades[1] = exported.not_judged(grades[1])
    stranger = HandedIn("zed", (Student("999", "Zed"),))
    account, lines, rows = run(
        tmp_path, worksheet(students=6), [*grades, exported.grade_json(stranger)]
    )
    assert [row[GRADE] for row in rows[1:]] == ["0.00", "", "10.00", "15.00", "20.00", ""]
    assert lines[0] == (
        "6 grades: 5 matched, 4 to write, 0 unchanged; grades that match no row: 1; "
        "held back, not written: 1; rows without a grade, left alone: 1"
    )
    text = "\n".join(lines)
    assert "  Zed (zed): nobody in the sheet has this id, login, e-mail or name" in text
    assert "Student 1 (line 4): not all of it could be judged (out of disk)" in text
    assert "  Student 5 105 (line 12)" in text
    assert account.needs_a_person


def test_a_group_gets_its_grade_and_its_report_each(tmp_path):
    group = HandedIn("g", tuple(Student(str(100 + n), f"Student {n}") for n in (0, 2)))
    _, _, rows = run(tmp_path, worksheet(students=3), [exported.grade_json(group, 3)])
    assert [row[GRADE] for row in rows[1:]] == ["15.00", "", "15.00"]
    with zipfile.ZipFile(tmp_path / "out-feedback.zip") as archive:
        assert [archive.read(name) for name in archive.namelist()] == [b"report of g"] * 2


def moodles_reader(path):
    """What Moodle's importer makes of a feedback zip: participant → file name and content.

    Rule: the first part of the path with four or more fields between underscores of which the
    second is a number; five before 4.1.
    """
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            assert not name.startswith("/")
            assert ".." not in name.split("/")
            folder, file = name.split("/")
            fields = folder.split("_", 4)
            assert len(fields) == 5
            assert fields[1].isascii()
            assert fields[1].isdigit()
            assert fields[2:4] == ["assignfeedback", "file"]
            assert file[0] not in ".~"
            found[fields[1]] = ("/".join(filter(None, [fields[4], file])), archive.read(name))
    return found


def test_every_report_is_in_the_zip_under_its_participant(tmp_path):
    run(tmp_path, worksheet())
    found = moodles_reader(tmp_path / "out-feedback.zip")
    assert found == {
        str(100 + n): ("report.html", f"report of s{n:02}".encode()) for n in range(60)
    }


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a_1_assignfeedback_file",
        ".hidden~",
        "Zoe\u0308 \u202eeve",
        "李 小龍",
        "=1+1",
        "x" * 300,
        "…",
    ],
)
def test_names_of_students_are_no_paths(tmp_path, name):
    grade = exported.grade_json(HandedIn("s00", (Student("100", name),)))
    sheet = worksheet(students=1, changes=[(0, 1, name)])
    run(tmp_path, sheet, [grade])
    assert list(moodles_reader(tmp_path / "out-feedback.zip")) == ["100"]
    assert cells((tmp_path / "out.csv").read_bytes())[1][1] == name
    with zipfile.ZipFile(tmp_path / "out-feedback.zip") as archive:
        [entry] = archive.namelist()
    assert re.fullmatch(r"[\w -]{1,90}/report\.html", entry)


def test_a_worksheet_without_names_is_filled_by_number(tmp_path):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([row[0], *row[3:]] for row in cells(worksheet()))
    (tmp_path / "sheet.csv").write_text(text.getvalue(), "utf-8")
    exported.store(tmp_path / "reports", exported.cohort())
    order = Order(tmp_path / "reports", sheet=tmp_path / "sheet.csv", out=tmp_path / "o.csv")
    account = export(order, "moodle", lambda line: None)
    assert (account.matched, account.written) == (60, 60)
    assert len(moodles_reader(tmp_path / "o-feedback.zip")) == 60


def test_a_decomposed_name_is_whole_in_the_zip(tmp_path):
    name = "Zoe\u0308 A\u030aberg"
    grade = exported.grade_json(HandedIn("s00", (Student("100", name),)))
    run(tmp_path, worksheet(students=1, changes=[(0, 1, name)]), [grade])
    with zipfile.ZipFile(tmp_path / "out-feedback.zip") as archive:
        assert archive.namelist() == ["Zoë Åberg_100_assignfeedback_file_/report.html"]


def test_a_report_that_is_missing_is_said(tmp_path):
    exported.store(tmp_path / "reports", exported.cohort())
    (tmp_path / "reports" / "s07" / "report.html").unlink()
    _, lines, rows = run(tmp_path, worksheet())
    assert "  Student 7: no report; run `harness grade` again" in lines
    assert rows[8][GRADE] == "10.00"


def test_a_row_without_a_number_gets_a_grade_and_no_report(tmp_path):
    account, lines, rows = run(tmp_path, worksheet(changes=[(3, 0, "-")]))
    assert rows[4][GRADE] == "15.00"
    assert "  Student 3: no number of a participant, so no report" in lines
    assert len(moodles_reader(tmp_path / "out-feedback.zip")) == 59
    assert account.written == 60


def test_a_sheet_that_a_spreadsheet_saved_says_how_to_upload_it(tmp_path):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(cells(worksheet()))
    (tmp_path / "sheet.csv").write_text(text.getvalue(), "utf-8")
    exported.store(tmp_path / "reports", exported.cohort())
    order = Order(tmp_path / "reports", sheet=tmp_path / "sheet.csv", out=tmp_path / "o.csv")
    lines = []
    export(order, "moodle", lines.append)
    assert "  cells are separated by ';': say so at the upload" in lines


def test_a_heading_that_is_not_known_can_be_said(tmp_path):
    sheet = worksheet().replace(b"Identifier,", b"Who,").replace(b",Grade,", b",Poang,")
    sheet = sheet.replace(b"Maximum Grade", b"Upp till")
    _, _, rows = run(tmp_path, sheet, columns={"grade": "Poang", "maximum": "Upp till"})
    assert rows[5][GRADE] == "20.00"


def test_a_scale_is_refused(tmp_path):
    sheet = worksheet(changes=[(n, 5, "poor\ngood") for n in range(60)])
    with pytest.raises(UsageError, match="graded on a scale; set it to points in Moodle"):
        run(tmp_path, sheet.replace(b"Maximum Grade", b"Scale"))


def test_a_sheet_without_maxima_is_refused(tmp_path):
    rows = [[c for n, c in enumerate(row) if n != 5] for row in cells(worksheet())]
    with pytest.raises(UsageError, match="no column was recognised as 'maximum'"):
        run(tmp_path, table(rows))


def test_the_worksheet_is_needed(tmp_path):
    exported.store(tmp_path / "reports", exported.cohort(1))
    with pytest.raises(UsageError, match="--sheet is missing: download the grading worksheet"):
        export(Order(tmp_path / "reports"), "moodle", lambda line: None)
