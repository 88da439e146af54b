"""Times of Moodle's sheets: understood in the site's language, or not at all."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_datetime
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.exchange.times import LANGUAGES, read_times

PARIS = ZoneInfo("Europe/Paris")


def read(text: str, zone=timezone.utc) -> datetime | None:
    return read_times([text], zone).get(text)


@pytest.mark.parametrize(
    "text",
    [
        "Friday, 4 December 2026, 10:10 PM",
        "Friday, 4 December 2026, 10:10\u202fPM",
        "Friday, December 4, 2026, 10:10 p.m.",
        "Freitag, 4. Dezember 2026, 22:10",
        "vendredi 4 décembre 2026, 22:10",
        "vendredi 4 décembre 2026 à 22h10",
        "viernes, 4 de diciembre de 2026, 22:10",
        "venerdì, 4 dicembre 2026, 22:10",
        "sexta-feira, 4 de dezembro de 2026 às 22:10",
        "divendres, 4 de desembre 2026, 22:10",
        "пятница, 4 декабря 2026, 22:10",
        "piątek, 4 grudnia 2026, 22:10",
        "perjantaina 4. joulukuuta 2026, 22.10",
        "2026年12月4日 星期五 22:10",
        "2026年 12月 4日(金曜日) 22:10",
        "4 Dec 2026, 22:10",
    ],
)
def test_a_time_is_read_in_many_languages(text):
    assert read(text) == datetime(2026, 12, 4, 22, 10, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "4/12/2026 10:10",  # April or December
        "3 listopad 2026, 10:10",  # October in Croatian, November in Polish and Czech
        "Saturday, 4 December 2026, 10:10 PM",  # it was a Friday
        "Friday, 4 December 2026, 13:10 PM",
        "31 November 2026, 10:10",
        "Friday, 4 December 2026",
        "Friday, 4 December 2026, 10:10 μεσημέρι",
        "4 December 2026 10:10 11:11",
        "4 5 December 2026 10:10",
        "4 December 2026 25:10",
        "2026年13月4日 22:10",
        "yesterday",
    ],
)
def test_what_has_no_one_reading_is_not_read(text):
    assert read(text) is None


@pytest.mark.parametrize("text", ["", "-", " - "])
def test_no_time_is_no_time(text):
    assert read_times([text], timezone.utc) == {}


def test_a_word_that_two_languages_share_is_settled_by_the_rest_of_the_column():
    texts = ["wtorek, 3 listopada 2026, 10:10", "piątek, 4 grudnia 2026, 22:10"]
    found = read_times(texts, timezone.utc)
    assert found[texts[0]] == datetime(2026, 11, 3, 10, 10, tzinfo=timezone.utc)


def test_one_text_that_is_odd_spoils_no_other():
    texts = ["Friday, 4 December 2026, 10:10 PM", "soon", "5 December 2026, 1:00 AM"]
    found = read_times(texts, timezone.utc)
    assert [found[text] is not None for text in texts] == [True, False, True]


def test_a_time_has_the_offset_of_its_day():
    assert read("4 July 2026, 10:00", PARIS).isoformat() == "2026-07-04T10:00:00+02:00"
    assert read("4 December 2026, 10:00", PARIS).isoformat() == "2026-12-04T10:00:00+01:00"


def test_an_hour_that_the_clock_strikes_twice_or_never_has_no_reading():
    # Clocks go back at 3:00 on 25 October 2026, and forward at 2:00 on 29 March.
    assert read("25 October 2026, 2:30", PARIS) is None
    assert read("29 March 2026, 2:30", PARIS) is None
    assert read("25 October 2026, 3:00", PARIS).isoformat() == "2026-10-25T03:00:00+01:00"


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([*LANGUAGES]),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
)
def test_what_unicode_writes_is_read_as_it_was_or_not_at_all(language, time):
    time = time.replace(second=0, microsecond=0, tzinfo=timezone.utc)
    text = format_datetime(time, "EEEE, d MMMM yyyy, HH:mm", locale=language)
    assert read(text) in (time, None)
    # Persian and Arabic numbers apart, a column in one language is understood.
    column = [
        format_datetime(
            time.replace(month=month, day=day), "EEEE, d MMMM yyyy, HH:mm", locale=language
        )
        for month in range(1, 13)
        for day in (3, 14)
    ]
    found = read_times(column, timezone.utc)
    assert all(found.values()), [text for text, at in found.items() if at is None][:3]
