"""Permitted hours as stretches of UTC days: law and house windows, and the times a borrower named."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from outreach.domain.places import memberships
from outreach.policy import localtime
from outreach.policy.facts import PersonalWindow
from outreach.policy.localtime import NEVER, Spans
from outreach.policy.rules import Calendar, Window

DaySpans = Callable[[int], Spans]
"""The permitted stretches of one UTC day, given its ordinal."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 24 * 60
_LONG = tuple(timedelta(minutes=minute) for minute in range(MINUTES + 1))
_KEPT = 512  # days a cache holds; a decision looks at most some forty days ahead


Minutes = Callable[[int], tuple[tuple[int, int], ...] | None]
"""Permitted minutes of a local date (ordinal), or None when it is not known whether the date is a holiday."""


def wall_spans(zones: Iterable[str], ordinal: int, minutes: Minutes) -> Spans:
    """Return the instants of a UTC day at which every zone's wall clock reads a permitted minute."""
    spans: Spans = (localtime.utc_day(ordinal),)
    for name in zones:
        spans = localtime.intersection(spans, _zone_spans(name, ordinal, minutes))
        if not spans:
            break
    return spans


def _zone_spans(name: str, ordinal: int, minutes: Minutes) -> Spans:
    found: list[tuple[datetime, datetime]] = []
    for start, end, offset in localtime.segments(name, ordinal):
        for day in range((start + offset).toordinal(), (end + offset).toordinal() + 1):
            midnight = localtime.utc_day(day)[0] - offset
            for first, last in minutes(day) or ():
                opens, closes = max(midnight + _LONG[first], start), min(midnight + _LONG[last], end)
                if opens < closes:
                    found.append((opens, closes))
    return localtime.union(tuple(found), NEVER)


def next_open(days: DaySpans, at: datetime, limit: datetime) -> datetime | None:
    """Return the first permitted instant from ``at`` on, or None when there is none up to ``limit``."""
    for ordinal in range(at.toordinal(), limit.toordinal() + 1):
        found = localtime.next_in(days(ordinal), at)
        if found is not None:
            return found if found <= limit else None
    return None


def closes(days: DaySpans, at: datetime) -> datetime | None:
    """Return when the permitted stretch around ``at`` ends; None when it is still open two days on."""
    ordinal = at.toordinal()
    end = localtime.holds_until(days(ordinal), at)
    if end.toordinal() == ordinal:
        return end
    for later in (ordinal + 1, ordinal + 2):
        spans = days(later)
        if not spans or spans[0][0] > end:
            return end
        end = spans[0][1]
    return None


class DayCache:
    """Remembers the permitted stretches of days already worked out. Pure: a day always has the same stretches."""

    __slots__ = ("_find", "_known")

    def __init__(self, find: DaySpans) -> None:
        self._find = find
        self._known: dict[int, Spans] = {}

    def __call__(self, ordinal: int) -> Spans:
        """Return the permitted stretches of a UTC day."""
        spans = self._known.get(ordinal)
        if spans is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            spans = self._known[ordinal] = self._find(ordinal)
        return spans


def window_minutes(window: Window, holiday: Callable[[int], bool | None]) -> Minutes:
    """Return a window's permitted minutes by local date; ``holiday`` tells public holidays, None where not known.

    Where it is unknown whether a date is a holiday, and that would matter, nothing is permitted.
    """
    weekdays = [tuple((h.start, h.end) for h in window.hours if weekday in h.days) for weekday in range(7)]
    festive = tuple((h.start, h.end) for h in window.hours if h.on_holidays)

    def minutes(day: int) -> tuple[tuple[int, int], ...] | None:
        usual = weekdays[(day + 6) % 7]  # ordinal 1 was a Monday
        if usual == festive or not window.holidays:
            return usual
        off = holiday(day)
        if off is None:
            return None if usual else ()
        return festive if off else usual

    return minutes


def is_holiday(calendars: Mapping[str, Calendar], wanted: tuple[str, ...], day: int) -> bool | None:
    """Return whether a date is a public holiday in any of the jurisdictions; None when one of them is not known."""
    year = date.fromordinal(day).year
    found = False
    for jurisdiction in wanted:
        lines = [calendars[name] for name in memberships(jurisdiction) if name in calendars]
        covering = [calendar for calendar in lines if year in calendar.years]
        if not covering:
            return None
        found = found or any(day in calendar.holidays for calendar in covering)
    return found if wanted else None


def all_of(choices: Iterable[DaySpans]) -> DaySpans:
    """Return the days on which every one permits; without any, whole days."""
    listed = tuple(choices)

    def days(ordinal: int) -> Spans:
        spans: Spans = (localtime.utc_day(ordinal),)
        for choice in listed:
            spans = localtime.intersection(spans, choice(ordinal))
        return spans

    return days


def widened(permitted: DaySpans, extra: Spans) -> DaySpans:
    """Return the days with stretches added at which the rule does not speak: not in force, or lifted."""

    def days(ordinal: int) -> Spans:
        more = localtime.intersection(extra, (localtime.utc_day(ordinal),))
        return localtime.union(permitted(ordinal), more) if more else permitted(ordinal)

    return days


@lru_cache(maxsize=8192)
def personal_days(named: tuple[PersonalWindow, ...], zones: tuple[str, ...]) -> DaySpans:
    """Return the days as times named alike leave them: ``allow`` permits only these, anything else bars them.

    All of one effect and end. A time runs past midnight when it ends before it starts; without days it holds on every
    day; one that cannot be read permits nothing. After ``until`` barred times bar no more (permitted times lapse in
    any_in_force).
    """
    reads = [read_personal(one) for one in named]
    allow, until = named[0].effect == "allow", named[0].until
    week = [_week_day(reads, weekday, allow=allow) for weekday in range(7)]

    def days(ordinal: int) -> Spans:
        return wall_spans(zones, ordinal, lambda day: week[(day + 6) % 7])

    return DayCache(widened(days, ((until, localtime.LAST),)) if until is not None and not allow else days)


Stretches = tuple[tuple[int, int], ...]
"""Minutes of a day, from and until, in order and apart."""


def _week_day(reads: list[Minutes | None], weekday: int, *, allow: bool) -> Stretches:
    """Return the minutes that all barred times leave open, or that any permitted time opens, on a weekday."""
    named = [(read(weekday + 1) or ()) if read else () for read in reads]
    if allow:
        return _joined(sorted(stretch for stretches in named for stretch in stretches))
    left: Stretches = ((0, MINUTES),)
    for stretches in named:
        shared = [(max(a, c), min(b, d)) for a, b in left for c, d in stretches]
        left = tuple(sorted((start, end) for start, end in shared if start < end))
    return left


def _joined(stretches: list[tuple[int, int]]) -> Stretches:
    joined: list[tuple[int, int]] = []
    for start, end in stretches:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def any_in_force(choices: list[tuple[datetime | None, DaySpans]]) -> DaySpans:
    """Return the days on which at least one permits of those that have not lapsed; once all have, everything is open.

    Each choice carries the instant it lapses (None: never). A lapsed choice neither permits nor restricts.
    """

    def days(ordinal: int) -> Spans:
        whole = localtime.utc_day(ordinal)
        cuts = sorted({*whole, *(until for until, _ in choices if until is not None and whole[0] < until < whole[1])})
        spans: Spans = NEVER
        for start, end in pairwise(cuts):
            alive = [choice for until, choice in choices if until is None or until > start]
            part: Spans = NEVER if alive else ((start, end),)
            for choice in alive:
                part = localtime.union(part, choice(ordinal))
            spans = localtime.union(spans, localtime.intersection(part, ((start, end),)))
        return spans

    return days


def read_personal(named: PersonalWindow) -> Minutes | None:
    """Return the minutes of a day that a named time leaves open; None when it cannot be read."""
    start, end = clock_minute(named.start), clock_minute(named.end)
    days = [day.lower() for day in named.days] or list(WEEKDAYS)
    if start is None or end is None or start == end or not set(days) <= set(WEEKDAYS):
        return None
    today = frozenset(WEEKDAYS.index(day) for day in days)
    allow = named.effect == "allow"

    def minutes(day: int) -> tuple[tuple[int, int], ...]:
        weekday = (day + 6) % 7
        parts = []
        if weekday in today:
            parts.append((start, end if start < end else MINUTES))
        if start > end and (weekday - 1) % 7 in today:
            parts.append((0, end))
        return tuple(parts) if allow else _rest_of_day(sorted(parts))

    return minutes


def _rest_of_day(parts: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    left, rest = 0, []
    for start, end in parts:
        if start > left:
            rest.append((left, start))
        left = max(left, end)
    if left < MINUTES:
        rest.append((left, MINUTES))
    return tuple(rest)


@lru_cache(maxsize=4096)
def clock_minute(text: str) -> int | None:
    """Read ``HH:MM`` (up to ``24:00``) as minutes of the day; None when it is not that."""
    hours, colon, minutes = text.partition(":")
    plain = len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    if not colon or not plain:
        return None
    minute = int(hours) * 60 + int(minutes)
    return minute if int(minutes) < 60 and minute <= MINUTES else None
