"""Which row of a sheet is whose: never a guess.

A student is looked for by id, then login, then e-mail, then full name; what finds several rows, or
a row that two students claim, finds none, and says which they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.exchange.preflight import Account, Kind
from harness.exchange.totals import Total, letters_of
from harness.handed_in import Student, same_name


@dataclass(frozen=True)
class Person:
    """A row of a sheet, as far as it tells who it is about.

    Attributes:
        row: its place in the sheet, from 0.
        line: the line that it stands on, for people.
        id: what the system calls the student.
        logins: other names that the system has for the student.
        email: may be empty.
        names: the full name, in every order in which it may be written.
        named: whether those are full names for sure, so that another name is another person.
    """

    row: int
    line: int
    id: str = ""
    logins: tuple[str, ...] = ()
    email: str = ""
    names: tuple[str, ...] = ()
    named: bool = True

    @property
    def who(self) -> str:
        """The person for people."""
        names = [name for name in (*self.names[:1], self.id or self.email) if name]
        return f"{' '.join(names) or 'nobody'} (line {self.line})"


@dataclass
class Matching:
    """Whose row is whose.

    Attributes:
        rows: the student of a row, by the row's number.
        unmatched: students of no row, and why.
        left: rows of no student.
    """

    rows: dict[int, Total] = field(default_factory=dict)
    unmatched: list[tuple[Total, str]] = field(default_factory=list)
    left: list[Person] = field(default_factory=list)


_Keys = Callable[[Person], Iterable[str]]
_KINDS: tuple[tuple[str, Callable[[Student], Iterable[str]], _Keys], ...] = (
    ("id", lambda s: [s.id], lambda p: [p.id]),
    ("login", lambda s: [s.id.casefold(), s.email.casefold()], lambda p: map(_fold, p.logins)),
    ("e-mail", lambda s: [s.email.casefold()], lambda p: [p.email.casefold()]),
    ("name", lambda s: [same_name(s.name)], lambda p: map(same_name, p.names)),
)


def match(totals: Sequence[Total], people: Sequence[Person]) -> Matching:
    """Find each student's row."""
    tables = [(kind, keys, _table(people, of)) for kind, keys, of in _KINDS]
    found = Matching()
    claims: dict[int, list[Total]] = {}
    lines = {person.row: person.line for person in people}
    for total in totals:
        person, why = _find(_looked_for(total), tables)
        if person is None:
            found.unmatched.append((total, why))
        else:
            claims.setdefault(person.row, []).append(total)
    for row, several in claims.items():
        if len(several) == 1:
            found.rows[row] = several[0]
            continue
        for total in several:
            others = ", ".join(f"{t.who} ({t.graded.submission})" for t in several if t != total)
            found.unmatched.append((total, f"line {lines[row]} would also be that of {others}"))
    found.left = [person for person in people if person.row not in found.rows]
    return found


def tell(found: Matching, account: Account) -> None:
    """Put into the account who matched and who did not."""
    account.matched = len(found.rows)
    for total, why in found.unmatched:
        account.tell(Kind.UNMATCHED, f"{total.who} ({total.graded.submission}): {why}")
    for person in found.left:
        account.tell(Kind.WITHOUT_GRADE, person.who)


def _looked_for(total: Total) -> Student:
    """The student; a submission of which nobody is named may be filed under a login or a name."""
    if any(total.student.to_json().values()):
        return total.student
    return Student(id=total.graded.submission, name=total.graded.submission)


_Table = Mapping[str, Sequence[Person]]


def _table(people: Iterable[Person], of: _Keys) -> _Table:
    table: dict[str, list[Person]] = {}
    for person in people:
        for key in dict.fromkeys(key for key in of(person) if key):
            table.setdefault(key, []).append(person)
    return table


def _find(
    student: Student,
    tables: Iterable[tuple[str, Callable[[Student], Iterable[str]], _Table]],
) -> tuple[Person | None, str]:
    found = {
        kind: {p.row: p for key in keys(student) if key for p in table.get(key, ())}
        for kind, keys, table in tables
    }
    # One system's id may be another person's login; a name or an e-mail tells.
    both = found["id"] and found["login"].keys() - found["id"].keys()
    if both and not any(_is_confirmed(student, person) for person in found["id"].values()):
        found = {"id or login": {**found["id"], **found["login"]}, **found}
    for kind, several in found.items():
        candidates = list(several.values())
        if len(candidates) > 1:
            named = ", ".join(person.who for person in candidates[:8])
            return None, f"several rows have this {kind}: {named}; correct students.csv"
        if candidates:
            [person] = candidates
            if kind != "name" and _is_somebody_else(student, person):
                text = f"the row with this {kind} is about {person.who}; correct students.csv"
                return None, text
            return person, ""
    return None, (
        "nobody in the sheet has this id, login, e-mail or name; correct students.csv, where a "
        "group has a row for each member"
    )


def _is_confirmed(student: Student, person: Person) -> bool:
    """Whether more than an id says that a row is a student's."""
    if student.email and _fold(student.email) == _fold(person.email):
        return True
    names = map(letters_of, person.names)
    return student.name not in ("", student.id) and letters_of(student.name) in names


def _is_somebody_else(student: Student, person: Person) -> bool:
    """Whether names contradict an id, as where the id is of another system.

    Systems change names on the way (order, capitals, marks between words), so letters are compared.
    """
    if not (student.name and person.names and person.named):
        return False
    if student.email and _fold(student.email) == _fold(person.email):
        return False
    # Where names are hidden, the name may be the system's word for a participant.
    known = {letters_of(student.name), letters_of(student.name + student.id)}
    return known.isdisjoint(map(letters_of, (*person.names, person.id, *person.logins)))


def _fold(text: str) -> str:
    return text.casefold()
