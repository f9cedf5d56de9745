"""Weekly and quiet hours, as people write them; pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fablab.errors import Invalid
from fablab.machines.hours import DAY, Span, parse_hours, parse_quiet

TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "tue 14:00-19:00",
        "mar 14h-19h",
        "Mardi 14h00 - 19h00",
        "mon-wed 14:00-19:00",
        "sat-tue 14-19",
        "tue 9:00-12:00, 14:00-19:00",
        "mar. 9h-12h et 14h-19h",
        "tue 9:00-12:00\ntue 14:00-19:00",
    ],
)
def test_hours_are_read_as_people_write_them_in_both_languages(text):
    hours = parse_hours(text)
    assert hours.open_until(TUESDAY.replace(hour=15, minute=20)) == TUESDAY.replace(hour=19)
    assert hours.open_until(TUESDAY.replace(hour=13)) is None
    assert hours.open_until(TUESDAY.replace(hour=19)) is None
    assert hours.open_until(TUESDAY.replace(hour=15) + timedelta(days=2)) is None


def test_an_evening_goes_on_after_midnight():
    hours = parse_hours("tue 20:00-1:30")
    end = TUESDAY + timedelta(days=1, hours=1, minutes=30)
    assert hours.open_until(TUESDAY.replace(hour=23)) == end
    assert hours.open_until(TUESDAY + timedelta(days=1, hours=1)) == end
    assert hours.open_until(TUESDAY.replace(hour=1)) is None
    assert hours.open_until(end) is None


@pytest.mark.parametrize(
    "text", ["whenever", "tue", "xyz 10:00-12:00", "tue 25:00-26:00", "tue 10:00-10:00", "tue 9:75-10:00"]
)
def test_what_is_not_understood_says_which_line(text):
    with pytest.raises(Invalid, match=text):
        parse_hours(f"mon 10:00-12:00\n{text}")


def test_quiet_hours():
    assert parse_quiet("") is None
    assert parse_quiet("22h-7h") == parse_quiet("22:00 - 07:00") == Span(22 * 60, 7 * 60)
    for text in ("night", "22:00", "22:00-7:00, 12:00-14:00"):
        with pytest.raises(Invalid):
            parse_quiet(text)


@given(start=st.integers(0, DAY - 1), end=st.integers(0, DAY - 1), minute=st.integers(0, DAY - 1))
def test_a_span_holds_exactly_between_its_ends(start, end, minute):
    inside = start <= minute < end if start < end else (minute >= start or minute < end)
    left = Span(start, end).minutes_left(minute)
    assert (left > 0) == inside
    if left:
        assert (minute + left) % DAY == end
