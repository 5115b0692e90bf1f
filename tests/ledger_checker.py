"""An independent witness's book-keeping: what the carrier saw, against what the ledger says, against plain numbers.

Shares no code with the gate. The numbers below are written by hand: what a compliance officer would check with a
calendar and a pencil. Give it what the carrier logged and what the ledger exported; it lists everything that is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

SPOKEN = {"voice", "ivr"}
LEFT = {"accepted", "unknown", "started"}
"""Ledger states of attempts that may have left, and so use a slot."""


@dataclass(frozen=True)
class Seen:
    """One thing the carrier received. ``provider_ref`` is the carrier's own name for it."""

    at: datetime
    channel: str
    to: str
    provider_ref: str
    body: str = ""


@dataclass(frozen=True)
class Written:
    """One attempt as the ledger has it. ``answer`` marks a reply in the borrower's own thread: no cap, any hour."""

    attempt_id: str
    touch_id: str
    case_id: str
    borrower_id: str
    channel: str
    started_at: datetime
    state: str
    provider_ref: str | None
    zones: tuple[str, ...]
    jurisdictions: tuple[str, ...] = ()
    answer: bool = False


@dataclass(frozen=True)
class Numbers:
    """Permitted hours as local ``HH:MM`` (end barred) and caps as (how many, in how long)."""

    open: str = "08:05"
    close: str = "20:50"
    sunday_open: str = "12:00"
    sunday_close: str = "18:00"
    calls_open: str = "09:00"
    calls_close: str = "20:00"
    sunday_calls: bool = False
    touches: tuple[tuple[int, timedelta], ...] = ((4, timedelta(days=7)), (12, timedelta(days=30)))
    touches_a_day: int = 1
    calls: tuple[tuple[int, timedelta], ...] = ((2, timedelta(days=7)),)
    rest: timedelta = timedelta(hours=18)
    late: timedelta = field(default=timedelta(minutes=5))
    """How long after its start an attempt may reach the carrier."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong. ``what`` is its kind; ``who`` names an attempt or a carrier reference, never an address."""

    what: str
    who: str
    detail: str = ""


def check(seen: Iterable[Seen], written: Iterable[Written], numbers: Numbers | None = None) -> list[Fault]:
    """List everything that is wrong, in a settled order."""
    asked = numbers or Numbers()
    log, ledger = sorted(seen, key=lambda one: one.at), sorted(written, key=lambda one: one.started_at)
    return [
        *compare(log, ledger, asked),
        *duplicates(log, ledger),
        *out_of_hours(log, ledger, asked),
        *over_caps(ledger, asked),
    ]


def compare(log: list[Seen], ledger: list[Written], numbers: Numbers) -> list[Fault]:
    """Every send is in the ledger, and everything the ledger calls accepted was seen, on the same channel, in time."""
    by_ref = {one.provider_ref: one for one in ledger if one.provider_ref}
    refs = {one.provider_ref for one in log}
    faults = []
    for one in log:
        entry = by_ref.get(one.provider_ref)
        if entry is None:
            faults.append(Fault("sent_but_not_in_ledger", one.provider_ref, one.channel))
        elif entry.channel != one.channel:
            faults.append(Fault("sent_on_another_channel", entry.attempt_id, f"{entry.channel} became {one.channel}"))
        elif not timedelta(0) <= one.at - entry.started_at <= numbers.late:
            faults.append(Fault("sent_at_another_time", entry.attempt_id, str(one.at - entry.started_at)))
    faults += [
        Fault("accepted_but_never_sent", one.attempt_id, one.channel)
        for one in ledger
        if one.state == "accepted" and one.provider_ref not in refs
    ]
    return faults


def duplicates(log: list[Seen], ledger: list[Written]) -> list[Fault]:
    """No touch leaves twice, no attempt has two carrier references, and nobody gets the same words twice in an hour."""
    faults = [Fault("seen_twice", ref) for ref, count in Counter(one.provider_ref for one in log).items() if count > 1]
    touches = Counter(one.touch_id for one in ledger if one.state in LEFT)
    faults += [Fault("touch_left_twice", touch_id, str(count)) for touch_id, count in touches.items() if count > 1]
    attempts = Counter(one.attempt_id for one in ledger)
    faults += [Fault("attempt_written_twice", attempt_id) for attempt_id, count in attempts.items() if count > 1]
    last: dict[tuple[str, str, str], Seen] = {}
    for one in log:
        key = (one.channel, one.to, one.body)
        if one.body and key in last and one.at - last[key].at < timedelta(hours=1):
            faults.append(Fault("same_words_twice", one.provider_ref, f"first as {last[key].provider_ref}"))
        last[key] = one
    return faults


def out_of_hours(log: list[Seen], ledger: list[Written], numbers: Numbers) -> list[Fault]:
    """When it started and when the carrier saw it, every clock the borrower may live by reads an open hour."""
    arrived = {one.provider_ref: one.at for one in log}
    faults = []
    for one in ledger:
        if one.state not in LEFT or one.answer:
            continue
        if not one.zones:
            faults.append(Fault("sent_without_a_zone", one.attempt_id))
        for at in {one.started_at, arrived.get(one.provider_ref or "", one.started_at)}:
            for zone in one.zones:
                wall = at.astimezone(ZoneInfo(zone))
                if not is_open(wall, one.channel, numbers):
                    faults.append(Fault("out_of_hours", one.attempt_id, f"{wall:%a %H:%M} in {zone}"))
    return faults


def is_open(wall: datetime, channel: str, numbers: Numbers) -> bool:
    """Is it a permitted minute on this wall clock?"""
    clock = wall.strftime("%H:%M")
    sunday = wall.weekday() == 6
    if channel in SPOKEN:
        return (numbers.sunday_calls or not sunday) and numbers.calls_open <= clock < numbers.calls_close
    opens, closes = (numbers.sunday_open, numbers.sunday_close) if sunday else (numbers.open, numbers.close)
    return opens <= clock < closes


def over_caps(ledger: list[Written], numbers: Numbers) -> list[Fault]:
    """For each borrower: no more in any stretch, no more on one local date, and a rest between two."""
    faults = []
    people: dict[str, list[Written]] = defaultdict(list)
    for one in ledger:
        if one.state in LEFT and not one.answer:
            people[one.borrower_id].append(one)
    for theirs in people.values():
        calls = [one for one in theirs if one.channel in SPOKEN]
        for most, length in numbers.touches:
            faults += too_many(theirs, most, length, "too_many_touches")
        for most, length in numbers.calls:
            faults += too_many(calls, most, length, "too_many_calls")
        faults += too_many_a_day(theirs, numbers)
        for first, second in pairwise(theirs):
            if second.started_at - first.started_at < numbers.rest:
                faults.append(Fault("too_soon", second.attempt_id, str(second.started_at - first.started_at)))
    return faults


def too_many(entries: list[Written], most: int, length: timedelta, what: str) -> list[Fault]:
    """Each attempt looks back over ``length`` and must find fewer than ``most`` before it."""
    faults = []
    for place, one in enumerate(entries):
        before = [other for other in entries[:place] if one.started_at - other.started_at < length]
        if len(before) >= most:
            faults.append(Fault(what, one.attempt_id, f"{len(before) + 1} in {length.days} days"))
    return faults


def too_many_a_day(entries: list[Written], numbers: Numbers) -> list[Fault]:
    """On no clock the borrower may live by do too many fall on one date."""
    dates: Counter[tuple[str, str]] = Counter()
    for one in entries:
        for zone in set(one.zones):
            dates[zone, one.started_at.astimezone(ZoneInfo(zone)).date().isoformat()] += 1
    who = entries[0].borrower_id
    return [
        Fault("too_many_in_a_day", who, f"{count} on {day} in {zone}")
        for (zone, day), count in sorted(dates.items())
        if count > numbers.touches_a_day
    ]
