"""Times as people read them, in the languages of Moodle's sites.

Moodle writes a time by its language's `strftimedaydatetime`, such as "Friday, 4 December 2026,
10:10 PM" or "Freitag, 4. Dezember 2026, 22:10". Names of months and days are Unicode's (CLDR).
A text is understood only if every word of it is, and if no language reads it as another time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache

LANGUAGES = (
    *("en", "de", "fr", "es", "it", "pt", "ca", "gl", "eu", "nl", "sv", "da", "nb", "fi", "pl"),
    *("cs", "sk", "sl", "hr", "hu", "ro", "lt", "lv", "et", "el", "ru", "uk", "bg", "tr", "id"),
    *("vi", "ja", "zh", "ko", "ar", "he"),
)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2})\s?[:.h]\s?(\d{2})(?::\d{2})?(?!\d)")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_DAY = re.compile(r"(?<!\d)(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]")
# Words that stand beside the others and say nothing: "4 de diciembre de 2026 a las 22:10".
_FILLERS = frozenset(
    (
        *("de", "del", "d", "di", "le", "la", "el", "a", "à", "às", "at", "um", "uhr", "klo", "kl"),
        *("den", "o", "om", "i", "u", "г", "в", "alle", "las", "les", "lúc", "ngày", "tháng", "h"),
        *("ve", "saat", "pukul", "у", "р"),
    )
)


class _Names:
    """Names of one kind, such as months, and what each means."""

    def __init__(self, meanings: Mapping[str, int]) -> None:
        self._meanings = meanings
        longest_first = sorted(meanings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_alone, longest_first)))

    def take(self, text: str) -> tuple[str, int | None]:
        """The text without the first of the names in it, and what that name means."""
        found = self._pattern.search(text)
        if not found:
            return text, None
        return f"{text[: found.start()]} {text[found.end() :]}", self._meanings[found[0]]


def _alone(name: str) -> str:
    """A pattern for a name that is no part of a longer word, in a script that has spaces."""
    unspaced = all("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in name)
    return re.escape(name) if unspaced else rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])"


@dataclass(frozen=True)
class _Words:
    months: _Names
    days: _Names
    halves: _Names


def read_times(texts: Iterable[str], zone: tzinfo) -> dict[str, datetime | None]:
    """Times of a column of a sheet, each with its offset; None where there are two readings.

    The column is read in the languages that understand most of it; where two of them read another
    time, or the clock struck that time twice, a text has no time.
    """
    wanted = list(dict.fromkeys(text for text in texts if text.strip(" -")))
    # Most languages understand none of it: a few texts tell which ones are worth a try.
    likely = [language for language in LANGUAGES if any(_read(t, language) for t in wanted[:10])]
    readings = [{t: _read(t, language) for t in wanted} for language in likely or LANGUAGES]
    most = max(sum(map(bool, reading.values())) for reading in readings)
    best = [reading for reading in readings if sum(map(bool, reading.values())) == most]
    found: dict[str, datetime | None] = {}
    for text in wanted:
        times = {reading[text] for reading in best}
        found[text] = _placed(times.pop(), zone) if len(times) == 1 else None
    return found


def _placed(time: datetime | None, zone: tzinfo) -> datetime | None:
    """A time of the clock in a zone; None where the clock shows it twice, or never."""
    if time is None:
        return None
    offsets = {time.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
    return time.replace(tzinfo=zone) if len(offsets) == 1 else None


def _read(text: str, language: str) -> datetime | None:
    """A time as one language has it; None where a word is left that it does not know."""
    rest = unicodedata.normalize("NFKC", text).casefold()
    clock = list(_CLOCK.finditer(rest))
    if len(clock) != 1:
        return None
    hour, minute = int(clock[0][1]), int(clock[0][2])
    rest = f"{rest[: clock[0].start()]} \0 {rest[clock[0].end() :]}"
    words = _words(language)
    rest, half = words.halves.take(rest)
    date = _date(rest, words)
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * half
    try:
        return datetime(*date, hour, minute) if date else None
    except ValueError:
        return None


def _date(rest: str, words: _Words) -> tuple[int, int, int] | None:
    """Year, month and day, where nothing else is said and the day of the week is right."""
    if numeric := _NUMERIC.search(rest):
        date = (int(numeric[1]), int(numeric[2]), int(numeric[3]))
        rest = rest[: numeric.start()] + rest[numeric.end() :]
    else:
        rest, month = words.months.take(rest)
        years, days = _YEAR.findall(rest), _DAY.findall(rest)
        if month is None or len(years) != 1 or len(days) != 1:
            return None
        date = (int(years[0]), month, int(days[0]))
        rest = _DAY.sub(" ", _YEAR.sub(" ", rest))
    rest, weekday = words.days.take(rest)
    left = [word for word in re.split(r"[\W\d]+", rest) if word]
    try:
        right = weekday is None or datetime(*date).weekday() == weekday
    except ValueError:
        return None
    return date if right and all(word in _FILLERS for word in left) else None


@cache
def _words(language: str) -> _Words:
    from babel import Locale

    locale = Locale.parse(language)
    months = _names(locale.months)
    halves = {"am": 0, "pm": 1, "a.m.": 0, "p.m.": 1, "a. m.": 0, "p. m.": 1}
    for widths in locale.day_periods.values():
        for names in widths.values():
            for number, half in enumerate(("am", "pm")):
                if half in names and len(names[half]) > 1:
                    halves[unicodedata.normalize("NFKC", names[half]).casefold()] = number
    return _Words(months, _names(locale.days), _Names(halves))


def _names(contexts: Mapping[str, Mapping[str, Mapping[int, str]]]) -> _Names:
    """Every name of a month or day, in full or short, as far as only one has it."""
    found: dict[str, set[int]] = {}
    for widths in contexts.values():
        for width, names in widths.items():
            if width == "narrow":
                continue
            for number, name in names.items():
                plain = unicodedata.normalize("NFKC", name).casefold()
                for form in {plain, plain.rstrip(".")}:
                    found.setdefault(form, set()).add(number)
    return _Names({name: min(n) for name, n in found.items() if len(n) == 1 and name})
