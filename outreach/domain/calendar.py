"""Local days and business days: when a wall-clock time happens, and which days people work."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

_SATURDAY = 5


def at_local(day: date, wall: time, zone: tzinfo) -> datetime:
    """Return the UTC instant at which clocks in ``zone`` show ``wall`` on ``day``.

    A time that daylight saving skips is read with the offset before the change (02:30 becomes 03:30), a time that
    happens twice is its first occurrence (RFC 5545 section 3.3.5; PEP 495, fold 0).
    """
    return datetime.combine(day, wall.replace(tzinfo=None, fold=0), tzinfo=zone).astimezone(UTC)


def exists_locally(day: date, wall: time, zone: tzinfo) -> bool:
    """Tell whether clocks in ``zone`` ever show ``wall`` on ``day`` (false inside a daylight saving gap)."""
    shown = at_local(day, wall, zone).astimezone(zone)
    return shown.replace(tzinfo=None, fold=0) == datetime.combine(day, wall.replace(tzinfo=None, fold=0))


def is_zone(name: str) -> bool:
    """Tell whether ``name`` is a zone of the IANA database."""
    return load_zone(name) is not None


@lru_cache(maxsize=1024)
def load_zone(name: str) -> ZoneInfo | None:
    """Return the IANA zone ``name``, or None when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def first_zone(names: Iterable[str]) -> tzinfo:
    """Return the first of ``names`` that is a zone, or UTC: to show and plan by, never to permit by (the gate does)."""
    return next((zone for name in names if (zone := load_zone(name)) is not None), UTC)


def scheduling_zone(candidates: tuple[str, ...], home: str) -> ZoneInfo:
    """Return the zone to schedule a borrower's steps in: the first known candidate, else the creditor's ``home``.

    This only chooses when the gate is asked. The gate itself honours every candidate zone, and refuses without one.
    Raises ValueError when ``home`` is not an IANA zone either.
    """
    for name in (*candidates, home):
        if zone := load_zone(name):
            return zone
    raise ValueError(f"no such time zone: {home}")


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """The working days of a country (ISO 3166-1 alpha-2), optionally of a subdivision (``CA`` or ``US-CA``).

    Public holidays, substitute working days and the country's own weekend come from the ``holidays`` library. A country
    it does not know has Saturdays and Sundays off and no holidays; ``known`` is then false.
    """

    country: str = ""
    subdivision: str = ""

    @property
    def known(self) -> bool:
        """Whether holidays of this country are known."""
        return self.country in _countries()

    def is_business_day(self, day: date) -> bool:
        """Tell whether people work on ``day``."""
        return day not in _days_off(self.country, self.subdivision, day.year)

    def shift(self, day: date, count: int) -> date:
        """Return the ``count``-th business day after ``day`` (before it, when negative); 0 is ``day`` or the next."""
        one = timedelta(days=-1 if count < 0 else 1)
        left = abs(count)
        if left == 0:
            while not self.is_business_day(day):
                day += one
        while left:
            day += one
            left -= self.is_business_day(day)
        return day


WEEKENDS_ONLY = BusinessCalendar()


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries())


@lru_cache(maxsize=4096)
def _days_off(country: str, subdivision: str, year: int) -> frozenset[date]:
    """Every day of ``year`` without work. A plain set: the library's own objects grow while they are read."""
    first = date(year, 1, 1)
    days = (first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1))
    book = _holiday_book(country, subdivision, year)
    if book is None:
        return frozenset(day for day in days if day.weekday() >= _SATURDAY)
    return frozenset(day for day in days if not book.is_working_day(day))


def _holiday_book(country: str, subdivision: str, year: int) -> holidays.HolidayBase | None:
    """Ask the library for one year's holidays; an unknown subdivision falls back to those of the whole country."""
    if country not in _countries():
        return None
    part = subdivision.removeprefix(f"{country}-") or None
    try:
        return holidays.country_holidays(country, subdiv=part, years=year, expand=False)
    except NotImplementedError:
        return holidays.country_holidays(country, years=year, expand=False)
