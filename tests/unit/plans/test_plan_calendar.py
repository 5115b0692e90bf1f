from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.calendar import (
    WEEKENDS_ONLY,
    BusinessCalendar,
    at_local,
    exists_locally,
    load_zone,
    scheduling_zone,
)


@pytest.mark.parametrize(
    ("zone", "day", "wall", "expected"),
    [
        ("America/New_York", date(2026, 3, 8), time(2, 30), datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),  # skipped: 03:30
        ("America/New_York", date(2026, 11, 1), time(1, 30), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # twice: first
        ("America/New_York", date(2026, 3, 7), time(10), datetime(2026, 3, 7, 15, 0, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 8), time(10), datetime(2026, 3, 8, 14, 0, tzinfo=UTC)),
        ("Europe/London", date(2026, 3, 29), time(1, 15), datetime(2026, 3, 29, 1, 15, tzinfo=UTC)),  # skipped: 02:15
        ("Asia/Kolkata", date(2026, 1, 1), time(10), datetime(2026, 1, 1, 4, 30, tzinfo=UTC)),
        ("America/Santiago", date(2026, 9, 6), time(0), datetime(2026, 9, 6, 4, 0, tzinfo=UTC)),  # midnight skipped
        (
            "Pacific/Apia",
            date(2011, 12, 30),
            time(9),
            datetime(2011, 12, 30, 19, 0, tzinfo=UTC),
        ),  # a day that never was
    ],
)
def test_a_local_time_is_one_instant_even_where_clocks_change(
    zone: str, day: date, wall: time, expected: datetime
) -> None:
    assert at_local(day, wall, ZoneInfo(zone)) == expected


def test_a_time_inside_a_daylight_saving_gap_does_not_exist() -> None:
    zone = ZoneInfo("America/New_York")
    assert not exists_locally(date(2026, 3, 8), time(2, 30), zone)
    assert exists_locally(date(2026, 3, 8), time(3, 0), zone)
    assert exists_locally(date(2026, 11, 1), time(1, 30), zone)


@given(
    st.sampled_from(sorted(available_timezones())),
    st.dates(date(2000, 1, 1), date(2037, 1, 1)),
    st.times().map(lambda drawn: drawn.replace(second=0, microsecond=0)),
)
def test_a_time_that_exists_is_what_local_clocks_show(name: str, day: date, wall: time) -> None:
    zone = ZoneInfo(name)
    shown = at_local(day, wall, zone).astimezone(zone)
    if exists_locally(day, wall, zone):
        assert (shown.date(), shown.time()) == (day, wall)
    else:
        assert shown.replace(tzinfo=None) > datetime.combine(day, wall)


@pytest.mark.parametrize(
    ("country", "subdivision", "day", "count", "expected"),
    [
        ("", "", date(2026, 3, 6), 1, date(2026, 3, 9)),  # Friday to Monday
        ("", "", date(2026, 3, 7), 0, date(2026, 3, 9)),  # a Saturday moves on
        ("", "", date(2026, 3, 6), 0, date(2026, 3, 6)),
        ("", "", date(2026, 3, 9), -1, date(2026, 3, 6)),
        ("", "", date(2026, 3, 9), 5, date(2026, 3, 16)),
        ("US", "", date(2026, 11, 25), 1, date(2026, 11, 27)),  # Thanksgiving
        ("US", "US-CA", date(2026, 3, 30), 1, date(2026, 4, 1)),  # Cesar Chavez Day, California only
        ("US", "CA", date(2026, 3, 30), 1, date(2026, 4, 1)),
        ("US", "US-XX", date(2026, 3, 30), 1, date(2026, 3, 31)),  # no such state: the country's own
        ("GB", "GB-SCT", date(2026, 11, 27), 1, date(2026, 12, 1)),  # St Andrew's Day, Scotland only
        ("CN", "", date(2026, 9, 30), 1, date(2026, 10, 8)),  # National Day week
        ("CN", "", date(2026, 10, 9), 1, date(2026, 10, 10)),  # a Saturday worked instead
        ("AE", "", date(2026, 3, 12), 2, date(2026, 3, 16)),
        ("ZZ", "", date(2026, 12, 24), 1, date(2026, 12, 25)),  # unknown country: weekends only
        ("US", "", date(2026, 12, 31), 1, date(2027, 1, 4)),  # across the year
    ],
)
def test_business_days_skip_weekends_and_holidays(
    country: str, subdivision: str, day: date, count: int, expected: date
) -> None:
    assert BusinessCalendar(country, subdivision).shift(day, count) == expected


def test_it_is_known_which_countries_have_holidays() -> None:
    assert BusinessCalendar("IN").known
    assert not BusinessCalendar("ZZ").known
    assert not WEEKENDS_ONLY.known


@given(
    st.sampled_from(["", "US", "CN", "IN", "MX", "GB", "AE"]),
    st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    st.integers(-30, 30),
)
def test_a_shift_lands_on_a_business_day_the_right_number_of_them_away(country: str, day: date, count: int) -> None:
    calendar = BusinessCalendar(country)
    landed = calendar.shift(day, count)
    assert calendar.is_business_day(landed)
    low, high = (day, landed) if count >= 0 else (landed, day)
    between = [date.fromordinal(n) for n in range(low.toordinal(), high.toordinal() + 1)]
    worked = sum(calendar.is_business_day(each) for each in between if each != day)
    if count:
        assert worked == abs(count)


def test_steps_are_scheduled_in_the_first_known_zone_then_in_the_creditors() -> None:
    assert scheduling_zone(("No/Such", "America/Denver", "America/Chicago"), "UTC").key == "America/Denver"
    assert scheduling_zone((), "Europe/London").key == "Europe/London"
    with pytest.raises(ValueError, match="no such time zone: Nowhere"):
        scheduling_zone(("../etc/passwd",), "Nowhere")


@pytest.mark.parametrize("name", ["", "..", "/etc/passwd", "America", "Mars/Base", "a\0b"])
def test_a_name_that_is_no_zone_is_none(name: str) -> None:
    assert load_zone(name) is None
