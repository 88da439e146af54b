"""What the columns of the sheets of Moodle, Canvas and GitHub Classroom mean.

Moodle's headings are in the language of the site (`mod/assign/gradingtable.php` asks for them by
`get_string`), so they are known by the words of several language packs and, where those do not
help, by their order, which is fixed, and by what is in the cells. Canvas's and GitHub's headings
are English everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.errors import UsageError, suggest
from harness.exchange.sheets import Sheet, find_column, plain

# From Moodle's language packs: en, de, fr, es, it, pt, pt_br, ca, nl, pl, ru, zh_cn, ja.
_MOODLE: Mapping[str, tuple[str, ...]] = {
    "identifier": (
        *("Identifier", "Identifikator", "ID", "Identifiant", "Identificador", "Identificatore"),
        *("Codice identificativo", "Identificatie", "Identyfikator", "Идентификатор", "标识符"),
        *("識別碼", "識別子", "Teilnehmer-ID"),
    ),
    "name": (
        *("Full name", "Vollständiger Name", "Nom complet", "Nombre completo", "Nome completo"),
        *("Cognome Nome", "Volledige naam", "Imię i nazwisko", "Полное имя", "全名", "姓名"),
        *("フルネーム", "Prénom/Nom", "Nombre", "Nome"),
    ),
    "email": (
        *("Email address", "E-Mail-Adresse", "Adresse de courriel", "Dirección de correo"),
        *("Indirizzo email", "Endereço de email", "Adreça electrònica", "E-mailadres", "E-mail"),
        *("Adres e-mail", "Адрес электронной почты", "电子邮件地址", "メールアドレス", "Email"),
    ),
    "status": (
        *("Status", "Statut", "Estado", "Stato", "Estat", "Статус", "状态", "ステータス"),
        *("Estatus", "Estado da submissão"),
    ),
    "group": ("Group", "Gruppe", "Groupe", "Grupo", "Gruppo", "Grup", "Groep", "Grupa", "Группа"),
    "grade": (
        *("Grade", "Bewertung", "Note", "Calificación", "Valutazione", "Nota", "Qualificació"),
        *("Cijfer", "Ocena", "Оценка", "成绩", "評点", "成績"),
    ),
    "maximum": (
        *("Maximum Grade", "Bestwertung", "Note maximale", "Calificación máxima", "Nota máxima"),
        *("Valutazione massima", "Avaliação máxima", "Qualificació màxima", "Maximumcijfer"),
        *("Maksymalna ocena", "Максимальная оценка", "最高分", "最大評点"),
    ),
    "scale": ("Scale", "Skala", "Barème", "Escala", "Scala", "Schaal", "Шкала", "等级", "尺度"),
    "changeable": (
        *("Grade can be changed", "Bewertung kann geändert werden", "La note peut être modifiée"),
        *("La calificación puede ser cambiada", "La calificación puede cambiarse"),
        *("La valutazione può essere cambiata", "Es pot canviar la qualificació"),
    ),
    "submitted": (
        *("Last modified (submission)", "Zuletzt geändert (Abgabe)"),
        *("Dernière modification (travail remis)", "Última modificación (entrega)"),
        *("Ultima modifica (consegna)", "Última modificação (envio)"),
        *("Última modificação (submissão)", "Darrera modificació (tramesa)"),
        *("Laatst gewijzigd (inzending)", "آخر تعديل (التسليم)", "Fecha de entrega"),
    ),
    "graded": (
        *("Last modified (grade)", "Zuletzt geändert (Bewertung)", "Dernière modification (note)"),
        *("Última modificación (calificación)", "Ultima modifica (valutazione)"),
        *("Última modificação (nota)", "Darrera modificació (qualificació)"),
        *("Laatst gewijzigd (cijfer)", "آخر تعديل (العلامة)", "Fecha de Calificación"),
    ),
    "online_text": ("Online text", "Texteingabe online", "Texte en ligne", "Texto en línea"),
    "feedback": (
        *("Feedback comments", "Feedback als Kommentar", "Feedback-Kommentare"),
        *("Commentaires de feedback", "Commentaires", "Comentarios de retroalimentación"),
        *("Commenti", "Comentários", "Comentários de feedback", "Comentaris de retroacció"),
    ),
}
MOODLE_COLUMNS = tuple(_MOODLE)
_PARTICIPANT = re.compile(r"\D(\d+)$")
_NUMBER = re.compile(r"\d+([.,]\d+)?$")
_TIME = re.compile(r"(?=.*\b\d{4}|.*[०-९٠-٩۰-۹]{4}).*\d{1,2}[:.h]\s?\d{2}", re.DOTALL)


@dataclass(frozen=True)
class Columns:
    """Where a sheet has what.

    Attributes:
        sheet: the sheet.
        places: column by meaning, such as `grade`; what the sheet does not have is not in it.
        unknown: headings that were not recognised.
    """

    sheet: Sheet
    places: Mapping[str, int]
    unknown: tuple[str, ...] = ()

    def of(self, row: int, meaning: str) -> str:
        """A cell by meaning; empty where the sheet has no such column."""
        place = self.places.get(meaning)
        return "" if place is None else self.sheet.cell(row, place).strip()

    def need(self, *meanings: str, otherwise: str = "") -> None:
        """See that the sheet has these columns.

        Args:
            meanings: of the columns.
            otherwise: what to do where it lacks one; empty where a person can say which one it is.

        Raises:
            UsageError: it lacks one, with its headings and what to do.
        """
        for meaning in meanings:
            if meaning not in self.places:
                what = otherwise or f"say which one it is: --column {meaning}=HEADING"
                raise UsageError(
                    f"{self.sheet.path}: no column was recognised as {meaning!r}; found "
                    f"{', '.join(self.sheet.header)}; {what}"
                )


def moodle_columns(sheet: Sheet, said: Mapping[str, str] | None = None) -> Columns:
    """The columns of Moodle's offline grading worksheet, in any language of a site.

    Args:
        sheet: the worksheet.
        said: heading by meaning (one of `MOODLE_COLUMNS`), where a person says it.

    Raises:
        UsageError: no column has participant numbers, or a heading that was said is not there.
    """
    places = _said(sheet, said or {})
    identifier = find_column(sheet.header, *_MOODLE["identifier"])
    # A known heading is enough if there is one participant below it: names may look like them, too.
    if identifier is None or not any(map(participant, _cells(sheet, identifier))):
        holding = (c for c in range(len(sheet.header)) if _holds_participants(sheet, c))
        identifier = next(holding, identifier)
    if "identifier" not in places and identifier is not None:
        places["identifier"] = identifier
    for meaning, headings in _MOODLE.items():
        place = find_column(sheet.header, *headings)
        if meaning not in places and place is not None and place not in places.values():
            places[meaning] = place
    _by_content(sheet, places)
    unknown = [name for c, name in enumerate(sheet.header) if c not in places.values()]
    columns = Columns(sheet, places, tuple(unknown))
    columns.need("identifier")
    return columns


def _said(sheet: Sheet, said: Mapping[str, str]) -> dict[str, int]:
    places = {}
    for meaning, heading in said.items():
        if meaning not in _MOODLE:
            raise UsageError(
                f"--column {meaning}={heading}: {suggest(meaning, _MOODLE, limit=len(_MOODLE))}"
            )
        place = find_column(sheet.header, heading)
        if place is None:
            raise UsageError(
                f"{sheet.path}: no column {heading!r}; {suggest(heading, sheet.header)}"
            )
        places[meaning] = place
    return places


def _cells(sheet: Sheet, column: int) -> list[str]:
    return [sheet.cell(row, column).strip() for row in range(len(sheet.rows))]


def _holds_participants(sheet: Sheet, column: int) -> bool:
    """Whether all cells are a word and a number, such as "Participant 123", and all differ."""
    cells = _cells(sheet, column)
    words = {found and cell[: found.start(1)] for cell in cells for found in [_ends(cell)]}
    return len(words) == 1 and None not in words and len(set(cells)) == len(cells)


def _ends(cell: str) -> re.Match[str] | None:
    return _PARTICIPANT.search(cell)


def participant(cell: str) -> str:
    """The number of a participant: 123 of "Participant 123" or "Teilnehmer/in123"; else empty."""
    found = _ends(cell.strip())
    return found[1] if found else ""


def _by_content(sheet: Sheet, places: dict[str, int]) -> None:
    """Add what only the order of columns and their cells tell.

    Order, from Moodle's `gradingtable.php`: identifier, name, fields of identity, status, group,
    marker, grade, maximum, workflow, changeable, submitted, texts, graded, texts of feedback.
    """
    free = [c for c in range(len(sheet.header)) if c not in places.values()]
    filled = {c: [cell for cell in _cells(sheet, c) if cell] for c in free}

    def take(meaning: str, column: int | None) -> None:
        if meaning not in places and column is not None and column in free:
            places[meaning] = column
            free.remove(column)

    take("email", next((c for c in free if filled[c] and all("@" in x for x in filled[c])), None))
    after = places.get("identifier", -1) + 1
    words = filled.get(after, [])
    if words and not any("@" in word or _NUMBER.match(word) for word in words):
        take("name", after if "status" in places or _looks_named(sheet, after) else None)
    same = [c for c in free if len(filled[c]) == len(sheet.rows) and _one_number(filled[c])]
    if len(same) == 1:
        take("maximum", same[0])
    if "maximum" in places:
        take("grade", places["maximum"] - 1)
    times = [c for c in range(len(sheet.header)) if _holds_times(sheet, c)]
    if len(times) == 2:
        take("submitted", times[0])
        take("graded", times[1])
    if "graded" in places and places["graded"] + 2 == len(sheet.header):
        take("feedback", places["graded"] + 1)


def _one_number(cells: Sequence[str]) -> bool:
    return len(set(cells)) == 1 and _NUMBER.match(cells[0]) is not None


def _looks_named(sheet: Sheet, column: int) -> bool:
    """Whether cells differ as names of people do; what is the same for many is a status."""
    cells = _cells(sheet, column)
    return len(set(cells)) * 2 > len(cells)


def _holds_times(sheet: Sheet, column: int) -> bool:
    """Whether all cells are times, or the dash that Moodle writes for none."""
    cells = _cells(sheet, column)
    return bool(cells) and all(cell == "-" or _TIME.match(cell) for cell in cells)


_CANVAS = {
    "name": ("Student", "Student Name"),
    "last_name": ("LastName", "Last Name"),
    "first_name": ("FirstName", "First Name"),
    "id": ("ID",),
    "sis_id": ("SIS User ID",),
    "login": ("SIS Login ID",),
    "integration_id": ("Integration ID",),
    "section": ("Section",),
}
_TEST_STUDENT = ("student, test", "test student")
_ASSIGNMENT = re.compile(r".*\((\d+)\)$", re.DOTALL)


@dataclass(frozen=True)
class CanvasColumns(Columns):
    """Canvas's gradebook: besides the columns of students, those of assignments.

    Attributes:
        assignments: column by number, of each heading `Title (number)`.
    """

    assignments: Mapping[str, int] | None = None

    def students(self) -> Iterator[int]:
        """The rows of students: not `Points Possible`, nor notes on posting, nor the test student.

        Those are without ID, but for the test student, who is "Student, Test".
        """
        for row in range(len(self.sheet.rows)):
            if self.of(row, "id") and plain(self.name(row)) not in (
                "student, test",
                "test student",
            ):
                yield row

    @cached_property
    def rows_by_id(self) -> Mapping[str, int]:
        """The row of each student, by the number that Canvas gives them."""
        return {self.of(row, "id"): row for row in self.students()}

    def name(self, row: int) -> str:
        """A student's name as Canvas sorts it: "Doe, Jane"."""
        if "name" in self.places:
            return self.of(row, "name")
        return ", ".join(filter(None, (self.of(row, "last_name"), self.of(row, "first_name"))))

    def points_possible(self) -> int | None:
        """The row of points possible, or None."""
        rows = range(len(self.sheet.rows))
        return next((row for row in rows if plain(self.name(row)) == "points possible"), None)


def canvas_columns(sheet: Sheet) -> CanvasColumns:
    """The columns of a gradebook that was exported from Canvas.

    Raises:
        UsageError: it has no column of students' numbers.
    """
    places = _known(sheet, _CANVAS)
    found = {
        match[1]: place
        for place, name in enumerate(sheet.header)
        if place not in places.values() and (match := _ASSIGNMENT.match(name))
    }
    known = {*places.values(), *found.values()}
    unknown = tuple(name for c, name in enumerate(sheet.header) if c not in known)
    columns = CanvasColumns(sheet, places, unknown, found)
    columns.need("id", otherwise="export the entire gradebook from Canvas, and give that file")
    return columns


_GITHUB = {
    "identifier": ("identifier", "roster_identifier"),
    "login": ("github_username", "student_username", "student_github_username"),
    "name": ("name",),
    "group": ("group_name",),
    "repository": ("student_repository_name", "repository_name"),
    "url": ("student_repository_url",),
    "submitted": ("submission_timestamp",),
    "points": ("points_awarded",),
    "maximum": ("points_available",),
}


def github_columns(sheet: Sheet) -> Columns:
    """The columns of GitHub Classroom's roster, or of its sheet of grades.

    The roster has `identifier,github_username,github_id,name`; the sheet of grades
    `assignment_name,assignment_url,starter_code_url,github_username,roster_identifier,
    student_repository_name,student_repository_url,submission_timestamp,points_awarded,
    points_available`, and `group_name` for work in groups.

    Raises:
        UsageError: it has no column of logins.
    """
    places = _known(sheet, _GITHUB)
    unknown = tuple(name for c, name in enumerate(sheet.header) if c not in places.values())
    columns = Columns(sheet, places, unknown)
    columns.need("login", otherwise="download Classroom's roster or its grades, and give that file")
    return columns


def _known(sheet: Sheet, meanings: Mapping[str, Sequence[str]]) -> dict[str, int]:
    found = {meaning: find_column(sheet.header, *names) for meaning, names in meanings.items()}
    return {meaning: place for meaning, place in found.items() if place is not None}
