"""Local clocks, exactly: constant-offset segments of a UTC day, starts of local dates, periods of the calendar.

Wall-clock rules are judged instant by instant: an instant passes when the clock on the wall reads a permitted time. A
skipped hour therefore permits nothing and a doubled hour permits both of its passes, in any zone and hemisphere.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Stretch = tuple[datetime, datetime]
"""From the first instant inside to the first instant outside."""
Spans = tuple[Stretch, ...]
"""Disjoint stretches in order."""

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
ALWAYS: Spans = ((FIRST, LAST),)
NEVER: Spans = ()
DAY = timedelta(days=1)
_PROBE = timedelta(hours=6)  # no place has ever changed its clock twice so soon
_TICK = timedelta(seconds=1)


@lru_cache(maxsize=2048)
def zone(name: str) -> ZoneInfo | None:
    """Return the IANA zone, or None when the name is not one."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _known(name: str) -> ZoneInfo:
    found = zone(name)
    if found is None:
        raise ValueError(f"not an IANA time zone: {name}")
    return found


@lru_cache(maxsize=8192)
def day_start(name: str, ordinal: int) -> datetime:
    """Return the first instant of a local date. A midnight that is skipped begins where the clock lands."""
    midnight = datetime.fromordinal(ordinal).replace(tzinfo=_known(name))
    return midnight.astimezone(UTC)


def local_date(name: str, at: datetime) -> int:
    """Return the ordinal of the local date at an instant."""
    return at.astimezone(_known(name)).toordinal()


@lru_cache(maxsize=8192)
def utc_day(ordinal: int) -> Stretch:
    """Return a UTC day as a stretch."""
    start = datetime.fromordinal(ordinal).replace(tzinfo=UTC)
    return start, start + DAY


@lru_cache(maxsize=8192)
def segments(name: str, ordinal: int) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Cut a UTC day into stretches of constant offset from UTC."""
    place = _known(name)
    start, end = utc_day(ordinal)
    cut = [start]
    probe, offset = start, _offset(place, start)
    while probe < end:
        ahead = min(probe + _PROBE, end)
        following = _offset(place, ahead)
        if following != offset:
            cut.append(_change(place, probe, ahead))
        probe, offset = ahead, following
    cut = [instant for instant in cut if instant < end]
    ends = [*cut[1:], end]
    return tuple((a, b, _offset(place, a)) for a, b in zip(cut, ends, strict=True))


def _offset(place: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(place).utcoffset() or timedelta()


def _change(place: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Find the instant, exact to the second, at which the offset changes."""
    before = _offset(place, low)
    while high - low > _TICK:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(place, middle) == before else (low, middle)
    return high


def week_end(ordinal: int) -> int:
    """Return the Monday after a date."""
    return ordinal + 7 - date.fromordinal(ordinal).weekday()


def month_end(ordinal: int) -> int:
    """Return the first of the month after a date's."""
    day = date.fromordinal(ordinal)
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1).toordinal()


def next_in(spans: Spans, at: datetime) -> datetime | None:
    """Return the first instant from ``at`` on that lies inside, or None."""
    for start, end in spans:
        if at < end:
            return max(start, at)
    return None


def holds_until(spans: Spans, at: datetime) -> datetime:
    """Return when the stretch around ``at`` ends (``at`` lies inside one)."""
    return next(end for _, end in spans if at < end)


def union(first: Spans, second: Spans) -> Spans:
    """Return all instants inside either, with touching stretches joined."""
    joined: list[Stretch] = []
    for start, end in sorted((*first, *second)):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def intersection(first: Spans, second: Spans) -> Spans:
    """Return all instants inside both."""
    common = ((max(a, c), min(b, d)) for a, b in first for c, d in second)
    return tuple(sorted((start, end) for start, end in common if start < end))


def complement(spans: Spans, within: Stretch) -> Spans:
    """Return the part of ``within`` outside ``spans``."""
    left, rest = within[0], []
    for start, end in spans:
        rest.append((left, start))
        left = max(left, end)
    rest.append((left, within[1]))
    return intersection(tuple(rest), (within,))
