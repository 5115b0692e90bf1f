"""Hours for one borrower: the times they named themselves, and why a window is closed in words of their own clock."""

from datetime import datetime, timedelta

from outreach.policy import windows
from outreach.policy.facts import Facts, PersonalWindow
from outreach.policy.finding import Values, lifts
from outreach.policy.localtime import zone
from outreach.policy.policy import WindowCheck
from outreach.policy.windows import DaySpans

_OWN_WISH = ("reply_in_thread", "requested_callback")
"""A person who writes, or asks for a call, in an hour they had named is answered."""


def personal_schedule(facts: Facts, zones: tuple[str, ...]) -> DaySpans | None:
    """Return the days as the borrower's own words leave them, or None when they named no times.

    Permitted times add up: one of those in force must hold. Barred times each bar. On the borrower's own clock, in
    every candidate zone.
    """
    named = [one for one in facts.personal_windows if one.channel in {"any", facts.channel}]
    if not named or not zones:
        return None
    parts = [windows.personal_days(alike, zones) for alike in _alike([one for one in named if one.effect != "allow"])]
    parts += _permitted([one for one in named if one.effect == "allow"], zones)
    days = windows.all_of(parts)
    lift, _ = lifts(facts, _OWN_WISH)
    return windows.widened(days, lift) if lift else days


def _alike(named: list[PersonalWindow]) -> list[tuple[PersonalWindow, ...]]:
    """Group times by their end: those that last as long make one schedule."""
    groups: dict[datetime | None, list[PersonalWindow]] = {}
    for one in named:
        groups.setdefault(one.until, []).append(one)
    return [tuple(group) for group in groups.values()]


def _permitted(allowed: list[PersonalWindow], zones: tuple[str, ...]) -> list[DaySpans]:
    """Return the permitted times as one schedule, changing at each instant at which one of them lapses.

    With several candidate clocks each time stands alone: every clock must read inside the same one.
    """
    if not allowed:
        return []
    groups = _alike(allowed) if len(zones) == 1 else [(one,) for one in allowed]
    return [windows.any_in_force([(group[0].until, windows.personal_days(group, zones)) for group in groups])]


def window_code(window: WindowCheck, at: datetime) -> tuple[str, Values]:
    """Say why a window refuses an instant, on the first clock on which it does."""
    name = next((clock for clock in window.clocks if not _reads_open(window, clock, at)), window.clocks[0])
    local = at.astimezone(zone(name))
    minutes = window.minutes(local.toordinal())
    values = (("zone", name), ("local", local.strftime("%a %H:%M")), ("permitted", _listed(minutes or ())))
    return f"quiet_hours.{_when(minutes, local.hour * 60 + local.minute)}", values


def _reads_open(window: WindowCheck, clock: str, at: datetime) -> bool:
    local = at.astimezone(zone(clock))
    minute = local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in window.minutes(local.toordinal()) or ())


def _when(minutes: tuple[tuple[int, int], ...] | None, minute: int) -> str:
    if minutes is None:
        return "no_calendar"
    if not minutes:
        return "closed_day"
    if minute < min(start for start, _ in minutes):
        return "before_open"
    return "after_close" if minute >= max(end for _, end in minutes) else "between"


def _listed(minutes: tuple[tuple[int, int], ...]) -> str:
    return ",".join(f"{_clock(start)}-{_clock(end)}" for start, end in sorted(minutes)) or "none"


def _clock(minute: int) -> str:
    whole = timedelta(minutes=minute)
    return f"{int(whole.total_seconds()) // 3600:02d}:{minute % 60:02d}"
